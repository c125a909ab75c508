"""Bytes to a socket, and what comes back: for requests that no HTTP client would write."""

from __future__ import annotations

import contextlib
import socket
from dataclasses import dataclass

TIMEOUT_S = 30.0


@dataclass(frozen=True)
class Answer:
    """One HTTP answer; status 0 means that the connection was closed without one."""

    status: int
    headers: dict[str, str]
    body: bytes
    rest: bytes = b""

    @property
    def media_type(self) -> str:
        return self.headers.get("content-type", "")


NOTHING = Answer(0, {}, b"")


def request(
    method: str = "POST",
    path: str = "/model/predict",
    body: bytes = b"",
    media_type: str = "application/json",
    *,
    length: int | str | None = None,
    **headers: str,
) -> bytes:
    """A request, Content-Length included; a header's `_` becomes `-`."""
    lines = [f"{method} {path} HTTP/1.1", "Host: target"]
    if body or length is not None or method in ("POST", "PUT", "PATCH"):
        lines += [f"Content-Type: {media_type}", f"Content-Length: {len(body) if length is None else length}"]
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    return "\r\n".join(lines).encode("latin-1") + b"\r\n\r\n" + body


def exchange(port: int, sent: bytes, *, half_close: bool = False, timeout_s: float = TIMEOUT_S) -> Answer:
    """Send bytes on a connection of their own → the first answer."""
    with contextlib.closing(socket.create_connection(("127.0.0.1", port), timeout=timeout_s)) as connection:
        # A server may answer and close before it has read all that was sent.
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):
            connection.sendall(sent)
            if half_close:
                connection.shutdown(socket.SHUT_WR)
        return read_answer(connection, to_head=sent.startswith(b"HEAD "))


def read_answer(connection: socket.socket, *, to_head: bool = False) -> Answer:
    """The next answer on a connection; what follows it already is in `rest`."""
    received = b""
    while b"\r\n\r\n" not in received:
        if not (chunk := _receive(connection)):
            return NOTHING
        received += chunk
    head, _, body = received.partition(b"\r\n\r\n")
    status_line, *lines = head.decode("latin-1").split("\r\n")
    headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
    length = 0 if to_head else int(headers.get("content-length", "0"))
    while len(body) < length and (chunk := _receive(connection)):
        body += chunk
    return Answer(int(status_line.split()[1]), headers, body[:length], body[length:])


def everything(port: int, sent: bytes, *, idle_s: float = 1.0) -> tuple[bytes, bool]:
    """All that comes back until the server closes, or is silent → the bytes, and whether it has closed."""
    with contextlib.closing(socket.create_connection(("127.0.0.1", port), timeout=TIMEOUT_S)) as connection:
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):
            connection.sendall(sent)
        connection.settimeout(idle_s)
        received = b""
        while True:
            try:
                chunk = connection.recv(65536)
            except TimeoutError:
                return received, False
            except ConnectionResetError:
                return received, True
            if not chunk:
                return received, True
            received += chunk


def _receive(connection: socket.socket) -> bytes:
    try:
        return connection.recv(65536)
    except ConnectionResetError:
        return b""
