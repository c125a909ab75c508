"""A small HTTP client for the scenarios that must know which answer belongs to which request, and when it came.

wrk only knows sums, and waits for each answer before it asks again; an overload does not wait.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import time
from collections.abc import Callable
from typing import Any

import msgspec

from benchmarks.tasks import request


class Answer(msgspec.Struct, frozen=True):
    """What came back for a request; status 0 if the connection was cut before a whole answer."""

    sent: float
    done: float
    status: int
    headers: dict[str, str] = {}
    body: bytes = b""

    @property
    def seconds(self) -> float:
        """From sending to the whole answer."""
        return self.done - self.sent


class Connection(asyncio.Protocol):
    """One connection that is kept; one request at a time."""

    def __init__(self) -> None:
        self.answered = 0
        self.closed = False
        self._transport: asyncio.Transport | None = None
        self._waiting: asyncio.Future[Answer] | None = None
        self._buffer = bytearray()
        self._sent = 0.0

    @classmethod
    async def open(cls, port: int) -> Connection:
        """A new connection.

        Raises:
            OSError: nobody listens.
        """
        loop = asyncio.get_running_loop()
        _, protocol = await loop.create_connection(cls, "127.0.0.1", port)
        return protocol

    async def ask(self, raw: bytes) -> Answer:
        """Send a request and wait for its answer."""
        assert self._transport is not None
        assert self._waiting is None
        self._waiting = asyncio.get_running_loop().create_future()
        self._sent = time.monotonic()
        if self.closed:
            self._settle(0, {}, b"")
        else:
            self._transport.write(raw)
        answer = await self._waiting
        self._waiting = None
        return answer

    def close(self) -> None:
        """Close it at once."""
        self.closed = True
        if self._transport is not None:
            self._transport.abort()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep what sends."""
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def connection_lost(self, exc: Exception | None) -> None:
        """Whoever waits gets no answer any more."""
        self.closed = True
        self._settle(0, {}, b"")

    def data_received(self, data: bytes) -> None:
        """Put an answer together."""
        self._buffer += data
        end = self._buffer.find(b"\r\n\r\n")
        if end < 0:
            return
        first, *lines = self._buffer[:end].decode("latin-1").split("\r\n")
        headers = {
            name.strip().lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)
        }
        length = int(headers.get("content-length", "0"))
        if len(self._buffer) < end + 4 + length:
            return
        body = bytes(self._buffer[end + 4 : end + 4 + length])
        del self._buffer[: end + 4 + length]
        if headers.get("connection", "").lower() == "close":
            self.close()
        self._settle(int(first.split()[1]), headers, body)

    def _settle(self, status: int, headers: dict[str, str], body: bytes) -> None:
        if self._waiting is not None and not self._waiting.done():
            self.answered += bool(status)
            self._waiting.set_result(Answer(self._sent, time.monotonic(), status, headers, body))


def text_request(text: str) -> bytes:
    """A request with one text."""
    return request("application/json", json.dumps({"text": [text]}).encode())


def get_request(path: str) -> bytes:
    """A GET on a connection that is kept."""
    return f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n".encode()


async def one_by_one(port: int, raw: bytes, count: int) -> list[Answer]:
    """The answers of a client that is alone."""
    connection = await Connection.open(port)
    answers = [await connection.ask(raw) for _ in range(count)]
    connection.close()
    return answers


async def at_rate(port: int, raw: bytes, *, per_second: float, seconds: float) -> list[Answer]:
    """The answers to requests that come at this rate, whether earlier ones have been answered or not."""
    idle: list[Connection] = []
    answers: list[Answer] = []

    async def once() -> None:
        connection = idle.pop() if idle else await Connection.open(port)
        answer = await connection.ask(raw)
        answers.append(answer)
        if connection.closed:
            return
        idle.append(connection)

    began = time.monotonic()
    running: set[asyncio.Task[None]] = set()
    for number in range(int(per_second * seconds)):
        await asyncio.sleep(max(0.0, began + number / per_second - time.monotonic()))
        task = asyncio.create_task(once())
        running.add(task)
        task.add_done_callback(running.discard)
    await asyncio.wait(running, timeout=60) if running else None
    for connection in idle:
        connection.close()
    return answers


async def in_turn(
    port: int, raws: list[bytes], *, connections: int, keep: Callable[[int, Answer], Any]
) -> None:
    """Send every request once, over several connections; `keep` gets each number with its answer."""
    numbers = iter(range(len(raws)))

    async def over_one() -> None:
        connection = await Connection.open(port)
        for number in numbers:
            if connection.closed:
                connection = await Connection.open(port)
            keep(number, await connection.ask(raws[number]))
        connection.close()

    await asyncio.gather(*(over_one() for _ in range(connections)))


async def until_closed(
    port: int, raw: bytes, *, connections: int, stop: asyncio.Event
) -> list[tuple[int, Answer]]:
    """Ask without a pause until the server has gone; each answer with the number of those before it on its connection.

    A connection that was closed is opened again, as clients do, until nobody listens or `stop` is set.
    """
    found: list[tuple[int, Answer]] = []

    async def over_one() -> None:
        with contextlib.suppress(OSError):
            while not stop.is_set():
                connection = await Connection.open(port)
                while not connection.closed and not stop.is_set():
                    before = connection.answered
                    found.append((before, await connection.ask(raw)))
                connection.close()

    await asyncio.gather(*(over_one() for _ in range(connections)))
    return found
