"""What nobody thought of: requests made up from our own Swagger, and bytes from nowhere, never end in a 500."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import schemathesis
from flask import Flask
from hypothesis import HealthCheck, Phase, given
from hypothesis import settings as effort
from hypothesis import strategies as st

from maxfw.catalog import find, load_model
from maxfw.cli.new import make_folder
from maxfw.settings import load_settings
from maxfw.tasks import all_tasks
from maxfw.tasks.base import Task
from maxfw.web.app import create_app

few = effort(
    max_examples=40,
    deadline=None,
    phases=[Phase.explicit, Phase.reuse, Phase.generate],
    suppress_health_check=[
        HealthCheck.function_scoped_fixture,
        HealthCheck.too_slow,
        HealthCheck.filter_too_much,
    ],
)


@pytest.fixture(scope="module", params=list(all_tasks().values()), ids=lambda task: task.name)
def served(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Flask]:
    """The trivial model of every task, behind its REST API."""
    task: type[Task] = request.param
    folder: Path = tmp_path_factory.mktemp("fuzz") / "fuzzed_model"
    make_folder(folder, task)
    app = create_app(load_model(find(str(folder))), load_settings({}))
    yield app
    app.extensions["maxfw"].close()


def assert_answered_or_refused(answer: Any) -> None:
    assert answer.status_code < 500, answer.text
    if answer.status_code >= 400:
        assert {"status", "code", "message", "hint", "request_id"} == set(answer.get_json())


def test_requests_made_up_from_the_swagger_are_answered_or_refused(served: Flask) -> None:
    schema = schemathesis.openapi.from_wsgi("/swagger.json", served)
    client = served.test_client()

    for operation in schema.get_all_operations():

        @few
        @given(case=operation.ok().as_strategy())
        def ask(case: Any) -> None:
            answer = case.call()
            assert answer.status_code < 500, answer.text

        ask()
    assert client.get("/health/live").status_code == 200


@few
@given(
    blob=st.binary(max_size=400),
    media_type=st.sampled_from(
        [
            "application/json",
            "multipart/form-data; boundary=x",
            "multipart/form-data",
            "text/plain",
            "image/png",
            "",
        ]
    ),
    query=st.dictionaries(st.text(max_size=8), st.text(max_size=8), max_size=3),
)
def test_bytes_from_nowhere_are_refused(
    served: Flask, blob: bytes, media_type: str, query: dict[str, str]
) -> None:
    answer = served.test_client().post(
        "/model/predict", data=blob, content_type=media_type, query_string=query
    )

    assert_answered_or_refused(answer)


@few
@given(
    body=st.recursive(
        st.none() | st.booleans() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=10),
        lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=6), inner, max_size=4),
        max_leaves=12,
    ),
    name=st.sampled_from(["text", "image", "seed_text", "paragraphs", "user_id", "threshold"]),
)
def test_any_json_is_answered_or_refused(served: Flask, body: Any, name: str) -> None:
    client = served.test_client()

    assert_answered_or_refused(client.post("/model/predict", json=body))
    assert_answered_or_refused(client.post("/model/predict", json={name: body}))


@few
@given(
    parts=st.lists(
        st.tuples(
            st.sampled_from(["image", "audio", "file", "threshold", "x"]),
            st.booleans(),
            st.binary(max_size=60),
        ),
        max_size=4,
    ),
    cut=st.integers(0, 40),
)
def test_any_form_is_answered_or_refused(
    served: Flask, parts: list[tuple[str, bool, bytes]], cut: int
) -> None:
    body = b""
    for name, is_file, content in parts:
        file = '; filename="x.png"' if is_file else ""
        body += (
            f'--b\r\nContent-Disposition: form-data; name="{name}"{file}\r\n\r\n'.encode() + content + b"\r\n"
        )
    body += b"--b--\r\n"

    answer = served.test_client().post(
        "/model/predict", data=body[: len(body) - cut], content_type="multipart/form-data; boundary=b"
    )

    assert_answered_or_refused(answer)
