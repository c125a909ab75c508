"""Where a request ends: half requests, lying lengths, odd encodings, methods and heads that nobody should send."""

from __future__ import annotations

import contextlib
import resource
import socket
from collections.abc import Iterator

import pytest
from raw_http import everything, exchange, read_answer, request
from target import Target, survives

pytestmark = pytest.mark.slow

HEAD = b"POST /model/predict HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
CHUNKED = HEAD + b"Transfer-Encoding: chunked\r\n\r\n"
GOOD = b'{"text": ["abc"]}'
SMUGGLED = b"GET /smuggled HTTP/1.1\r\nHost: x\r\n\r\n"


def _answers(connection: socket.socket, count: int) -> list[bytes]:
    """The bodies of several answers on one connection."""
    received = b""
    while received.count(b"\r\n\r\n") < count or not received.endswith(b"}"):
        received += connection.recv(65536)
    return received.split(b"\r\n\r\n")[1:]


def chunk(content: bytes) -> bytes:
    return b"%x\r\n%b\r\n" % (len(content), content)


@contextlib.contextmanager
def connections(port: int, count: int, sent: bytes) -> Iterator[list[socket.socket]]:
    """Connections on which something was sent, all held open."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft < count + 200:
        resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, count + 1000), hard))
    with contextlib.ExitStack() as stack:
        opened = [
            stack.enter_context(socket.create_connection(("127.0.0.1", port), timeout=60))
            for _ in range(count)
        ]
        for connection in opened:
            connection.sendall(sent)
        yield opened


def test_500_half_heads_and_half_bodies_hold_nobody_up(text_server: Target) -> None:
    port = text_server.port
    half_head = b"POST /model/predict HTTP/1.1\r\nHost: x\r\nContent-"
    half_body = HEAD + b"Content-Length: 100\r\n\r\n{"

    with survives(text_server, peak_mb=120):
        before = text_server.snapshot().threads
        with connections(port, 250, half_head), connections(port, 250, half_body) as halves:
            for _ in range(5):
                text_server.answers()
            assert text_server.snapshot().threads <= before + 4
            answers = [read_answer(half) for half in halves]

    assert {answer.status for answer in answers} == {408}
    assert all("x-request-id" in answer.headers for answer in answers)


@pytest.mark.long
def test_5000_half_requests_hold_nobody_up(text_server: Target) -> None:
    with survives(text_server, more_memory_mb=150):
        half_body = HEAD + b"Content-Length: 100\r\n\r\n{"
        with (
            connections(text_server.port, 2500, b"POST /"),
            connections(text_server.port, 2500, half_body) as halves,
        ):
            text_server.answers()
            assert {read_answer(half).status for half in halves} == {408}


@pytest.mark.long  # 10 s, which no setting shortens
def test_a_head_that_is_never_finished_ends_with_its_connection(text_server: Target) -> None:
    with survives(text_server), connections(text_server.port, 1, b"GET /health HTTP/1.1\r\nX: ") as [half]:
        half.settimeout(30)  # the head has 10 s
        assert read_answer(half).status in (0, 408)


REFUSED = {
    "no number": request(length="two", body=GOOD),
    "negative": request(length=-1),
    "signed": request(length="+17", body=GOOD),
    "hexadecimal": request(length="0x11", body=GOOD),
    "a list": request(length="17, 17", body=GOOD),
    "two numbers": request(length="1 7", body=GOOD),
    "beyond 64 bits": request(length=10**30),
    "two lengths": HEAD + b"Content-Length: 2\r\nContent-Length: 17\r\n\r\n" + GOOD,
    "unknown encoding": HEAD + b"Transfer-Encoding: xchunked\r\n\r\n" + chunk(GOOD) + b"0\r\n\r\n",
    "chunked is not last": HEAD
    + b"Transfer-Encoding: chunked, identity\r\n\r\n"
    + chunk(GOOD)
    + b"0\r\n\r\n",
    "two encodings": HEAD
    + b"Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n\r\n"
    + chunk(GOOD)
    + b"0\r\n\r\n",
    "a space before the colon": HEAD + b"Transfer-Encoding : chunked\r\n\r\n" + chunk(GOOD) + b"0\r\n\r\n",
    "a folded header": HEAD + b"X-A: b\r\n  c\r\nContent-Length: 17\r\n\r\n" + GOOD,
    "NUL in a header": HEAD + b"X-A: a\0b\r\nContent-Length: 17\r\n\r\n" + GOOD,
    "CR in a header": HEAD + b"X-A: a\rb\r\nContent-Length: 17\r\n\r\n" + GOOD,
    "only CR": b"GET /health HTTP/1.1\rHost: x\r\r",
    "no version": b"GET /health\r\n\r\n",
    "a version of the future": b"GET /health HTTP/7.3\r\nHost: x\r\n\r\n",
    "a blank in the address": b"GET /health and more HTTP/1.1\r\nHost: x\r\n\r\n",
    "TLS": bytes.fromhex("16030100a5010000a103035203"),
    "nonsense": b"\x00\xff\r\n\r\n",
}


@pytest.mark.parametrize("sent", REFUSED.values(), ids=REFUSED.keys())
def test_what_has_no_certain_end_is_refused_and_nothing_after_it_is_read(
    text_server: Target, sent: bytes
) -> None:
    with survives(text_server):
        answer, closed = everything(text_server.port, sent + SMUGGLED)

    assert answer.startswith(b"HTTP/1.1 400 "), answer
    assert closed
    assert answer.count(b"HTTP/1.1") == 1
    assert b"smuggled" not in answer


def test_a_length_beside_chunks_smuggles_nothing(text_server: Target) -> None:
    ends_early = (
        HEAD + b"Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n" + chunk(GOOD) + b"0\r\n\r\n"
    )
    ends_late = (
        HEAD + b"Transfer-Encoding: chunked\r\nContent-Length: 120\r\n\r\n" + chunk(GOOD) + b"0\r\n\r\n"
    )

    for sent in (ends_early, ends_late):
        with survives(text_server):
            answer, closed = everything(text_server.port, sent + SMUGGLED)
        assert answer.split(b" ")[1] in (b"200", b"400"), answer
        assert closed, "RFC 9112, 6.1: whoever answers such a request closes the connection after it"
        assert b"smuggled" not in answer


BROKEN_CHUNKS = {
    "no number": b"zz\r\n{}\r\n0\r\n\r\n",
    "negative": b"-2\r\n{}\r\n0\r\n\r\n",
    "beyond 64 bits": b"ffffffffffffffffff\r\n{}\r\n0\r\n\r\n",
    "longer than stated": b"1\r\n{}\r\n0\r\n\r\n",
    "a line end without CR": b"2\n{}\n0\n\n",
    "a long extension": b"2;" + b"a" * 100_000 + b"\r\n{}\r\n0\r\n\r\n",
    "broken after a complete text": chunk(GOOD) + b"zz\r\n",
}


@pytest.mark.parametrize("chunks", BROKEN_CHUNKS.values(), ids=BROKEN_CHUNKS.keys())
def test_broken_chunks_never_reach_the_model(text_server: Target, chunks: bytes) -> None:
    with survives(text_server):
        answer, closed = everything(text_server.port, CHUNKED + chunks + SMUGGLED)

    assert answer.split(b" ")[1] == b"400" if answer else closed, answer
    assert closed
    assert b"smuggled" not in answer


def test_a_chunk_of_eight_exabytes_costs_nothing(text_server: Target) -> None:
    with survives(text_server, peak_mb=20):
        answer = exchange(text_server.port, CHUNKED + b"7fffffffffffffff\r\n" + GOOD)

    assert answer.status in (400, 408, 413)


def test_100_000_chunks_of_one_byte_are_one_text(text_server: Target) -> None:
    body = b'{"text": ["' + b"a" * 90_000 + b'"]}'

    with survives(text_server, peak_mb=100):
        answer = exchange(
            text_server.port, CHUNKED + b"".join(b"1\r\n%c\r\n" % byte for byte in body) + b"0\r\n\r\n"
        )

    assert answer.status in (200, 408), answer  # whether the second that this server gives is enough for it


@pytest.mark.parametrize(
    "sent", [CHUNKED + chunk(b"[" * 65_536) * 40 + b"0\r\n\r\n", request(body=b"[" * 2_500_000)]
)
def test_more_than_is_allowed_is_refused_whatever_its_framing(text_server: Target, sent: bytes) -> None:
    with survives(text_server, peak_mb=40):
        answer = exchange(text_server.port, sent)

    assert answer.status in (0, 413), answer  # 0: closed before all was read, so the answer may be lost
    with survives(text_server):
        assert exchange(text_server.port, request(length=10**11)).status == 413


def test_a_body_that_is_cut_off_is_never_answered_with_200(text_server: Target) -> None:
    with survives(text_server):
        lying = exchange(text_server.port, request(body=GOOD, length=100), half_close=True)
        cut_chunks = exchange(text_server.port, CHUNKED + chunk(GOOD), half_close=True)

    assert lying.status in (0, 400)
    assert cut_chunks.status in (0, 400)


def test_a_missing_length_is_an_empty_body(text_server: Target) -> None:
    with survives(text_server):
        answer, _ = everything(text_server.port, HEAD + b"\r\n")

    assert answer.startswith(b"HTTP/1.1 400 ")
    assert answer.count(b"HTTP/1.1") == 1


def test_trailers_change_nothing(text_server: Target) -> None:
    with survives(text_server):
        answer = exchange(
            text_server.port,
            CHUNKED + chunk(GOOD) + b"0\r\nContent-Type: text/plain\r\nX-Request-ID: trailer\r\n\r\n",
        )

    assert answer.status in (200, 400)
    assert answer.headers.get("x-request-id") != "trailer"


@pytest.mark.parametrize(
    "method", ["HEAD", "OPTIONS", "TRACE", "CONNECT", "PUT", "PATCH", "DELETE", "PROPFIND", "get", "A!B"]
)
def test_an_odd_method_is_refused_in_the_same_shape(text_server: Target, method: str) -> None:
    for path in ("/model/predict", "/health", "/nowhere"):
        with survives(text_server):
            answer = exchange(text_server.port, request(method, path, X_Secret="do-not-echo"))
        assert answer.status in (200, 400, 404, 405), (path, answer)
        assert b"do-not-echo" not in answer.body
        if answer.status >= 400 and method != "HEAD" and answer.body:
            assert answer.media_type == "application/json"


def test_a_long_method_is_refused(text_server: Target) -> None:
    with survives(text_server):
        assert exchange(text_server.port, request("A" * 5000, "/health")).status in (400, 405, 431)


@pytest.mark.parametrize(
    "sent",
    [
        request("GET", "/" + "a" * 70_000),
        request("GET", "/health?" + "a=b&" * 20_000),
        request("GET", "/health", X_Long="a" * 12_000),
        b"GET /health HTTP/1.1\r\n" + b"A: b\r\n" * 5000 + b"\r\n",
    ],
    ids=["path", "query", "header", "headers"],
)
def test_a_long_head_is_431(text_server: Target, sent: bytes) -> None:
    with survives(text_server, peak_mb=20):
        assert exchange(text_server.port, sent).status in (414, 431)


def test_a_long_address_within_the_limit_is_answered_shortly(text_server: Target) -> None:
    with survives(text_server):
        answer = exchange(text_server.port, request("GET", "/" + "a" * 7_000))

    assert answer.status == 404


def test_a_connection_that_asks_for_another_protocol_gets_none(text_server: Target) -> None:
    upgrades = [
        request(
            "GET",
            "/health",
            Connection="Upgrade, HTTP2-Settings",
            Upgrade="h2c",
            HTTP2_Settings="AAMAAABkAAQC",
        ),
        request(
            "GET",
            "/health",
            Connection="Upgrade",
            Upgrade="websocket",
            Sec_WebSocket_Version="13",
            Sec_WebSocket_Key="dGhlIHNhbXBsZSBub25jZQ==",
        ),
    ]
    for sent in upgrades:
        with survives(text_server):
            assert exchange(text_server.port, sent).status in (200, 400, 403, 404, 426)


def test_a_client_that_expects_100_is_refused_before_it_sends(text_server: Target) -> None:
    with survives(text_server, peak_mb=20):
        answer = exchange(text_server.port, request(length=200_000_000, Expect="100-continue"))

    assert answer.status in (413, 417)


def test_requests_in_a_row_without_waiting_are_answered_in_order(text_server: Target) -> None:
    bodies = [b'{"text": ["%s"]}' % (b"x" * length) for length in (100, 200, 300)]
    with (
        survives(text_server),
        connections(text_server.port, 1, b"".join(request(body=body) for body in bodies)) as [connection],
    ):
        answers = _answers(connection, 3)

    assert [answer.count(b'"long":0.%d' % (number + 1)) for number, answer in enumerate(answers)] == [1, 1, 1]


def test_a_client_that_never_reads_its_answers_is_left_alone(text_server: Target) -> None:
    with (
        survives(text_server, peak_mb=150),
        connections(text_server.port, 20, request("GET", "/swagger.json") * 20),
    ):
        text_server.answers()


def test_a_thousand_connections_that_say_nothing(text_server: Target) -> None:
    with survives(text_server), connections(text_server.port, 1000, b""):
        text_server.answers()


def test_http_2_is_not_spoken(text_server: Target) -> None:
    """Its frames have limits of their own, which nobody here sets."""
    with survives(text_server):
        answer, _ = everything(text_server.port, b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + b"\0\0\0\4\0\0\0\0\0")

    assert answer == b"" or answer.startswith(b"HTTP/1.1 400 ")
