"""Bytes that nobody wrote: made up, or a good request with something changed. Never a 500, and the server lives."""

from __future__ import annotations

import contextlib
import socket

import pytest
from hypothesis import HealthCheck, Phase, given
from hypothesis import settings as effort
from hypothesis import strategies as st
from raw_http import Answer, read_answer, request
from target import Target, survives

import models

pytestmark = pytest.mark.slow

SUITE = {
    "deadline": None,
    "suppress_health_check": list(HealthCheck),
    "phases": [Phase.explicit, Phase.generate],
}
few = effort(max_examples=60, **SUITE)
many = effort(max_examples=2_000, **SUITE)

TOKENS = st.sampled_from(
    [
        *(
            b"GET",
            b"POST",
            b"HEAD",
            b"OPTIONS",
            b" ",
            b"/",
            b"/model/predict",
            b"HTTP/1.1",
            b"HTTP/1.0",
            b"\r\n",
        ),
        *(
            b"\n",
            b"\r",
            b"\r\n\r\n",
            b"Host: x",
            b"Content-Length: ",
            b"5",
            b"0",
            b"-1",
            b"99999999999",
            b": ",
        ),
        *(
            b"Transfer-Encoding: chunked",
            b"Content-Type: application/json",
            b"Expect: 100-continue",
            b"Connection: close",
        ),
        *(
            b"Content-Type: multipart/form-data; boundary=b",
            b"--b",
            b"--b--",
            b"%00",
            b"\0",
            b"\xff",
            b"{",
            b"}",
        ),
        *(
            b'{"text": ["a"]}',
            b"Content-Encoding: gzip",
            b"\x1f\x8b\x08",
            b"?",
            b"#",
            b"factor=1",
            b"\t",
            b";",
            b",",
        ),
    ]
)

PNG = models.picture().body
GOOD = {
    "text": request(body=b'{"text": ["hello"], "factor": 0.5}', X_Request_ID="one"),
    "picture": request(body=PNG, media_type="multipart/form-data; boundary=b"),
    "page": request("GET", "/swagger.json", Accept="application/json"),
}


def exchange_and_close(port: int, sent: bytes) -> Answer:
    """Send bytes and the end of them, so that no half request is waited for."""
    with contextlib.closing(socket.create_connection(("127.0.0.1", port), timeout=20)) as connection:
        with contextlib.suppress(OSError):
            connection.sendall(sent)
            connection.shutdown(socket.SHUT_WR)
        return read_answer(connection)


def assert_refused_or_answered(answer: Answer) -> None:
    assert answer.status < 500 or answer.status == 503, answer


@st.composite
def mutations(draw: st.DrawFn, original: bytes) -> bytes:
    """A good request in which a few places are cut, doubled, overwritten or filled."""
    blob = bytearray(original)
    for _ in range(draw(st.integers(1, 4))):
        at = draw(st.integers(0, max(0, len(blob) - 1)))
        length = draw(st.integers(0, 40))
        what = draw(st.sampled_from(["cut", "double", "noise", "token", "flip"]))
        if what == "cut":
            del blob[at : at + length]
        elif what == "double":
            blob[at:at] = blob[at : at + length] * draw(st.integers(1, 3))
        elif what == "noise":
            blob[at : at + length] = draw(st.binary(max_size=40))
        elif what == "token":
            blob[at:at] = draw(TOKENS)
        elif blob:
            blob[at] ^= 1 << draw(st.integers(0, 7))
    return bytes(blob)


def _made_up(server: Target, level: effort) -> None:
    @level
    @given(sent=st.one_of(st.binary(max_size=300), st.lists(TOKENS, max_size=30).map(b"".join)))
    def attack(sent: bytes) -> None:
        assert_refused_or_answered(exchange_and_close(server.port, sent))

    with survives(server):
        attack()


def _changed(server: Target, original: bytes, level: effort) -> None:
    @level
    @given(sent=mutations(original))
    def attack(sent: bytes) -> None:
        assert_refused_or_answered(exchange_and_close(server.port, sent))

    with survives(server):
        attack()


def test_bytes_from_nowhere_are_refused(text_server: Target) -> None:
    _made_up(text_server, few)


@pytest.mark.parametrize("kind", GOOD)
def test_a_good_request_with_something_changed_is_answered_or_refused(
    text_server: Target, picture_server: Target, kind: str
) -> None:
    _changed(picture_server if kind == "picture" else text_server, GOOD[kind], few)


def test_an_old_model_lives_through_changed_requests(old_server: Target) -> None:
    @few
    @given(sent=mutations(GOOD["picture"]))
    def attack(sent: bytes) -> None:
        exchange_and_close(old_server.port, sent)  # its own handler may well raise: that is a 500 of its own

    with survives(old_server):
        attack()


@pytest.mark.long
@pytest.mark.parametrize("kind", GOOD)
def test_2000_changed_requests_are_answered_or_refused(
    text_server: Target, picture_server: Target, kind: str
) -> None:
    server = picture_server if kind == "picture" else text_server
    _made_up(server, many)
    _changed(server, GOOD[kind], many)
