"""A Flask app as an ASGI app: what comes from Ray's proxy goes through the same door as everywhere."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Awaitable, Callable, Iterator, MutableMapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from flask import Flask

from maxfw import wsgi
from maxfw.admission import Admission, Head, Kind
from maxfw.errors import Abandoned, MaxfwError, RequestTimeout
from maxfw.predictor import Caller
from maxfw.settings import Settings
from maxfw.web.door import Door, Refused
from maxfw.web.errors import CALLER

LIGHT_THREADS = 4

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]


class Bridge:
    """Reads a request within its limits, has a thread answer it, and tells the model when the client has left."""

    def __init__(self, app: Flask, settings: Settings, *, threads: int, close: Callable[[], None]) -> None:
        self._app = app
        self._door: Door = app.extensions["maxfw.door"]
        self._settings = settings
        self._admission = Admission(app, settings, threads=threads)
        self._threads = ThreadPoolExecutor(threads, thread_name_prefix="maxfw-request")
        # Pages, health and metrics, which answer while all the others are busy.
        self._light = ThreadPoolExecutor(LIGHT_THREADS, thread_name_prefix="maxfw-light")
        self._close = close

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        """ASGI 3."""
        if scope["type"] == "lifespan":
            await self._live(receive, send)
        elif scope["type"] == "http":
            await self._answer(scope, receive, send)
        else:
            await send({"type": "websocket.close"})

    async def _live(self, receive: Receive, send: Send) -> None:
        while (await receive())["type"] == "lifespan.startup":
            await send({"type": "lifespan.startup.complete"})
        await asyncio.get_running_loop().run_in_executor(None, self._close)
        await send({"type": "lifespan.shutdown.complete"})

    async def _answer(self, scope: Message, receive: Receive, send: Send) -> None:
        started = time.monotonic()
        head = self._head_of(scope)
        try:
            body = await self._admitted(head, receive)
            caller = Caller(self._settings.predict_timeout_s, request_id=head.request_id)
            answer = await self._run(head, caller, self._environ(scope, head, body))
        except MaxfwError as error:
            who = Refused(
                head.method, head.path, head.request_id, head.route, _client_of(scope), head.get("origin")
            )
            status, headers, content = self._door.refuse(who, error, started)
            headers.append(("content-length", str(len(content))))
            answer = wsgi.Answer(status, headers, content, None)
        else:
            size = len(answer.content) if answer.rest is None else None
            self._note(scope, head, caller, answer.status, size)
        finally:
            self._admission.leave(head)
        await self._told(answer, send)

    def _note(self, scope: Message, head: Head, caller: Caller, status: int, size: int | None) -> None:
        client, received = _client_of(scope), head.length or 0
        self._door.note(caller, head.method, head.path, status, client=client, received=received, size=size)

    def _head_of(self, scope: Message) -> Head:
        headers = [(name.decode("latin-1"), value.decode("latin-1")) for name, value in scope["headers"]]
        path = scope["path"].removeprefix(scope.get("root_path", "")) or "/"
        query = scope.get("query_string", b"").decode("latin-1")
        return Head(scope["method"], path, query, headers, self._door.id_of)

    async def _admitted(self, head: Head, receive: Receive) -> bytes:
        """The body of a request that may come in.

        Raises:
            MaxfwError: it may not, or its body is too long, too slow, or cut.
        """
        self._admission.check(head)
        if head.kind is Kind.UNROUTED:
            return b""
        body = bytearray()
        try:
            async with asyncio.timeout(self._settings.body_timeout_s):
                more = True
                while more:
                    message = await receive()
                    if message["type"] == "http.disconnect":
                        raise Abandoned("the client has left")
                    piece = message.get("body", b"")
                    self._admission.receive(head, len(piece))
                    body += piece
                    self._admission.check_length(head, len(body))
                    more = message.get("more_body", False)
        except TimeoutError:
            seconds = self._settings.body_timeout_s
            raise RequestTimeout(f"the request was not complete after {seconds:g} s") from None
        return bytes(body)

    async def _run(self, head: Head, caller: Caller, environ: wsgi.Environ) -> wsgi.Answer:
        environ[CALLER] = caller
        if head.kind is Kind.PREDICT:
            self._admission.check_load(head)
            self._admission.enter(head)
        threads = self._threads if head.kind is Kind.PREDICT else self._light
        try:
            return await asyncio.get_running_loop().run_in_executor(threads, wsgi.call, self._app, environ)
        except asyncio.CancelledError:  # the client has left
            caller.leave()
            raise

    async def _told(self, answer: wsgi.Answer, send: Send) -> None:
        # Ray's proxy gives a request its id where the client has not, and sends it back itself.
        headers = [
            (name.encode("latin-1"), value.encode("latin-1"))
            for name, value in answer.headers
            if name != "x-request-id"
        ]
        await send({"type": "http.response.start", "status": answer.status, "headers": headers})
        if answer.rest is None:
            await send({"type": "http.response.body", "body": answer.content})
            return
        with contextlib.closing(answer.rest):
            await send({"type": "http.response.body", "body": answer.content, "more_body": True})
            pieces = iter(answer.rest)
            while piece := await asyncio.get_running_loop().run_in_executor(self._light, _next, pieces):
                await send({"type": "http.response.body", "body": piece, "more_body": True})
            await send({"type": "http.response.body", "body": b""})

    @staticmethod
    def _environ(scope: Message, head: Head, body: bytes) -> wsgi.Environ:
        server = scope.get("server") or ("", "")
        environ = wsgi.environ_of(
            method=head.method,
            path=head.path,
            query=head.query,
            scheme=scope.get("scheme", "http"),
            http_version=scope.get("http_version", "1.1"),
            server=f"{server[0]}:{server[1]}",
            client=f"{_client_of(scope)}:0",
            authority=None,
            headers=head.headers,
            body=body,
        )
        environ["SCRIPT_NAME"] = scope.get("root_path", "")
        return environ


def _client_of(scope: Message) -> str:
    client = scope.get("client")
    return str(client[0]) if client else ""


def _next(pieces: Iterator[bytes]) -> bytes:
    """The next piece that is not empty; an empty one at the end."""
    return next((piece for piece in pieces if piece), b"")
