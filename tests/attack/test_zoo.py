"""The default model, as `maxfw serve` starts it, under the attacks that every text model meets."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from raw_http import exchange, request
from target import Target, start, survives

import models
from maxfw.catalog import DEFAULT_MODEL

pytestmark = [pytest.mark.slow, pytest.mark.mirror]


@pytest.fixture(scope="module")
def default_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Target]:
    target = start(DEFAULT_MODEL, models.text(), tmp_path_factory.mktemp("default"))
    yield target
    target.end()


@pytest.mark.parametrize(
    "text",
    [
        "",
        " ",
        "\\u0000",
        "a" * 99_000,
        "e" + "\\u0301" * 5_000,
        "\\u202e" * 1000,
        "🤷" * 10_000,
        "ab " * 33_000,
        "'" * 50_000,
    ],
    ids=["nothing", "a blank", "NUL", "one word", "marks", "directions", "faces", "33,000 words", "quotes"],
)
def test_no_text_is_too_odd_for_the_default_model(default_server: Target, text: str) -> None:
    with survives(default_server, peak_mb=150):
        answer = exchange(default_server.port, request(body=b'{"text": ["%s"]}' % text.encode()))

    assert answer.status in (200, 400), answer


def test_256_texts_of_3_kb_are_bounded_work(default_server: Target) -> None:
    texts = b", ".join([b'"' + b"word " * 700 + b'"'] * 256)
    with survives(default_server, peak_mb=400):
        answer = exchange(default_server.port, request(body=b'{"text": [' + texts + b"]}"), timeout_s=90)

    assert answer.status in (200, 413, 503, 504), answer
