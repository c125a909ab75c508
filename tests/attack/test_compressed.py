"""Compressed bodies: what they decode to is what counts."""

from __future__ import annotations

import gzip
import zlib

import pytest
from PIL import Image
from raw_http import exchange, request
from target import Target, multipart, survives

from models import encoded

pytestmark = pytest.mark.slow

SMALL = b'{"text": ["hello"]}'
BOMB = gzip.compress(b'{"text": ["' + b"a" * 300_000_000 + b'"]}', 1)
TWICE = gzip.compress(BOMB, 9)


def test_a_small_compressed_body_is_answered_or_refused(text_server: Target) -> None:
    for encoding, body in (
        ("gzip", gzip.compress(SMALL)),
        ("deflate", zlib.compress(SMALL)),
        ("x-gzip", SMALL),
    ):
        with survives(text_server):
            answer = exchange(text_server.port, request(body=body, Content_Encoding=encoding))
        assert answer.status == 200 or 400 <= answer.status < 500, answer


@pytest.mark.parametrize(
    "encoding", ["gzip", "GZIP", "x-gzip", "gzip, gzip", "deflate", "br", "zstd", "identity, gzip"]
)
@pytest.mark.parametrize("body", [BOMB, TWICE], ids=["a bomb", "a bomb in a bomb"])
def test_a_bomb_never_unfolds(
    text_server: Target, picture_server: Target, encoding: str, body: bytes
) -> None:
    for server in (text_server, picture_server):
        # The picture model takes 20 MB, and what is decoded of a bomb may be that much.
        with survives(server, peak_mb=100):
            answer = exchange(server.port, request(body=body, Content_Encoding=encoding))
        assert answer.status == 0 or 400 <= answer.status < 500, answer


def test_a_bomb_in_a_form_never_unfolds(picture_server: Target, old_server: Target) -> None:
    form = multipart([("image", "x.png", b"a" * 150_000_000)])
    body = gzip.compress(form, 1)
    for server in (picture_server, old_server):
        with survives(server, peak_mb=220):
            answer = exchange(
                server.port,
                request(body=body, media_type="multipart/form-data; boundary=b", Content_Encoding="gzip"),
            )
        assert 400 <= answer.status < 500, answer


@pytest.mark.parametrize(
    "body", [b"\x1f\x8b", gzip.compress(SMALL)[:-6], SMALL, b"\x1f\x8b" + b"\xff" * 5000, b""]
)
def test_what_is_not_compressed_as_it_says_is_refused(text_server: Target, body: bytes) -> None:
    with survives(text_server):
        answer = exchange(text_server.port, request(body=body, Content_Encoding="gzip"))

    assert 400 <= answer.status < 500, answer


def test_a_picture_that_is_compressed_in_its_form_is_no_picture(picture_server: Target) -> None:
    png = gzip.compress(encoded(Image.new("RGB", (8, 8))))
    with survives(picture_server):
        answer = exchange(
            picture_server.port,
            request(
                body=multipart([("image", "x.png.gz", png)]), media_type="multipart/form-data; boundary=b"
            ),
        )

    assert answer.status in (400, 415)
