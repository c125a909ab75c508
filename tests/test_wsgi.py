"""The bridge from a complete request to a WSGI app, judged by the standard library's own validator."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterable, Iterator
from typing import Any
from wsgiref.validate import validator

import pytest

from maxfw import wsgi


def environ(**parts: Any) -> wsgi.Environ:
    request: dict[str, Any] = {
        "method": "POST",
        "path": "/a b/é",
        "query": "x=%2F",
        "scheme": "http",
        "http_version": "1.1",
        "server": "127.0.0.1:5000",
        "client": "[::1]:4000",
        "authority": None,
        "headers": [("host", "example.org"), ("content-type", "text/plain"), ("content-length", "5")],
        "body": b"hello",
    }
    return wsgi.environ_of(**{**request, **parts})


def echo(request: wsgi.Environ, start_response: Callable[..., Any]) -> list[bytes]:
    body = request["wsgi.input"].read(int(request["CONTENT_LENGTH"]))
    start_response("200 OK", [("Content-Type", "text/plain"), ("Content-Length", str(len(body)))])
    return [body]


def test_what_an_app_gets_and_gives_is_wsgi() -> None:
    answer = wsgi.call(validator(echo), environ())

    assert (answer.status, answer.content, answer.rest) == (200, b"hello", None)
    assert ("content-type", "text/plain") in answer.headers


def test_a_streaming_app_is_wsgi_as_well_and_is_closed() -> None:
    closed = []

    class Pieces:
        def __iter__(self) -> Iterator[bytes]:
            yield b"one"
            yield b"two"

        def close(self) -> None:
            closed.append(True)

    def stream(request: wsgi.Environ, start_response: Callable[..., Any]) -> Iterable[bytes]:
        start_response("200 OK", [("Content-Type", "text/plain")])
        return Pieces()

    answer = wsgi.call(validator(stream), environ())
    assert answer.content == b"one"
    assert answer.rest is not None
    with contextlib.closing(answer.rest):
        assert list(answer.rest) == [b"two"]
    assert closed == [True]


def test_an_environment_says_what_the_request_said() -> None:
    request = environ(headers=[("x-a", "1"), ("x-a", "2"), ("cookie", "a=1"), ("cookie", "b=2")], body=b"")

    assert request["PATH_INFO"] == "/a b/é".encode().decode("latin-1")
    assert request["QUERY_STRING"] == "x=%2F"
    assert request["HTTP_X_A"] == "1,2"
    assert request["HTTP_COOKIE"] == "a=1; b=2"
    assert request["REMOTE_ADDR"] == "::1"
    assert (request["SERVER_NAME"], request["SERVER_PORT"]) == ("127.0.0.1", "5000")
    assert request["CONTENT_LENGTH"] == "0"


def test_a_header_cannot_pass_for_another() -> None:
    request = environ(
        headers=[("content_type", "text/html"), ("x_real_ip", "1"), ("transfer-encoding", "chunked")]
    )

    assert (
        not {"CONTENT_TYPE", "HTTP_CONTENT_TYPE", "HTTP_X_REAL_IP", "HTTP_TRANSFER_ENCODING"} & request.keys()
    )


def test_many_names_of_headers_fill_no_memory() -> None:
    for number in range(2000):
        assert environ(headers=[(f"x-{number}", "v")])[f"HTTP_X_{number}"] == "v"

    assert len(wsgi._KEYS) <= wsgi._MOST_KEYS


def test_an_app_may_replace_its_head_until_it_is_sent() -> None:
    def fails(request: wsgi.Environ, start_response: Callable[..., Any]) -> list[bytes]:
        start_response("200 OK", [])
        try:
            raise ValueError("late")
        except ValueError as error:
            start_response("500 Oops", [], (type(error), error, error.__traceback__))
        return [b"sorry"]

    assert wsgi.call(fails, environ()).status == 500


def test_an_app_that_raises_is_not_silent() -> None:
    def fails(request: wsgi.Environ, start_response: Callable[..., Any]) -> list[bytes]:
        raise KeyError("inside")

    with pytest.raises(KeyError):
        wsgi.call(fails, environ())


@pytest.mark.parametrize("status", ["42 Odd", "999 Odd", "101 Switching"])
def test_a_status_that_no_server_can_send_is_an_error_of_the_app(status: str) -> None:
    def odd(request: wsgi.Environ, start_response: Callable[..., Any]) -> list[bytes]:
        start_response(status, [])
        return [b""]

    with pytest.raises(ValueError, match="status"):
        wsgi.call(odd, environ())


def test_an_answer_is_closed_even_if_nobody_takes_its_rest_or_it_fails_at_once() -> None:
    closed = []

    class Pieces:
        def __init__(self, fails: bool) -> None:
            self.fails = fails

        def __iter__(self) -> Iterator[bytes]:
            if self.fails:
                raise KeyError("inside")
            yield b"one"
            yield b"two"

        def close(self) -> None:
            closed.append(self.fails)

    def app(fails: bool) -> wsgi.WSGIApp:
        def stream(request: wsgi.Environ, start_response: Callable[..., Any]) -> Iterable[bytes]:
            start_response("200 OK", [])
            return Pieces(fails)

        return stream

    rest = wsgi.call(app(False), environ()).rest
    assert rest is not None
    rest.close()
    with pytest.raises(KeyError):
        wsgi.call(app(True), environ())

    assert closed == [False, True]
