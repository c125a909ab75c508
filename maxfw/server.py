"""The HTTP server; the only file that knows which one we use.

granian reads each request asynchronously, in full and within limits of size and time; only then a thread is spent
on it, so a client that sends half a request holds no thread.
One worker runs in this process.
Several workers are several processes, see `workers.py`.
"""

from __future__ import annotations

import asyncio
import contextlib
import io
import logging
import os
import signal
import socket
import sys
import threading
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, NoReturn

from flask import Flask
from granian._granian import SocketHolder
from granian.http import HTTP1Settings
from granian.server.embed import Server

from maxfw.errors import (
    BadInput,
    MaxfwError,
    Overloaded,
    RequestTimeout,
    SetupError,
    TooLarge,
    one_line,
)
from maxfw.settings import Settings, inherited_descriptors, load_settings
from maxfw.web import old
from maxfw.web.errors import body_of, headers_of
from maxfw.web.guards import usable_id
from maxfw.workers import BACKLOG, become_supervisor, open_socket, say_where

log = logging.getLogger("maxfw")

MAX_HEADER_BYTES = 8192
HEADER_TIMEOUT_MS = 10_000

# Health, metadata and pages never wait behind predictions.
LIGHT_THREADS = 4
PREDICT_THREADS = 16

# No request but a prediction has a body worth speaking of.
MAX_LIGHT_BYTES = 64 * 1024

Environ = dict[str, Any]
Response = tuple[int, list[tuple[str, str]], bytes]
WSGIApp = Callable[[Environ, Callable[..., Any]], Iterable[bytes]]


def serve(app: Flask, settings: Settings, listener: socket.socket, *, threads: int = PREDICT_THREADS) -> None:
    """Serve an app in this process until SIGTERM or SIGINT; requests in flight are answered first.

    `threads` requests are predicted at a time, if the settings do not say otherwise.
    """
    with listener:
        front = Front(app, settings, threads=settings.threads or threads)
        asyncio.run(front.run(listener))


def run_old_app(app: Flask, host: str, port: int) -> None:
    """Serve an old-style app, whose `run()` this is; the environment wins over `host` and `port`."""
    try:
        settings = load_settings(defaults={"host": host, "port": port})
        listener = open_socket(settings)
        if settings.workers > 1 and inherited_descriptors() is None:
            become_supervisor(settings, listener)
        logging.basicConfig(level=settings.log_level.upper(), format="%(levelname)s %(message)s")
        old.prepare(app, settings)
        serve(app, settings, listener, threads=1)
    except SetupError as error:
        print(one_line(error), file=sys.stderr)
        sys.exit(2)
    end_process()


def end_process() -> NoReturn:
    """End this process after it has served.

    Not by way of Python's own shutdown: granian's threads may still look after connections that are kept alive,
    and abort the process when they find the interpreter gone.
    """
    logging.shutdown()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(0)


class Front:
    """Takes requests from granian, hands complete ones to the app on a thread, sends the answers."""

    def __init__(self, app: Flask, settings: Settings, *, threads: int) -> None:
        self._app: WSGIApp = app.wsgi_app
        self._settings = settings
        self._max_body = int(app.config.get("MAX_CONTENT_LENGTH") or settings.max_old_body_mb * 1_000_000)
        self._max_bytes = max(int(settings.max_in_flight_mb * 1_000_000), self._max_body)
        self._max_predicts = threads + settings.max_queue
        self._predict = ThreadPoolExecutor(threads, thread_name_prefix="maxfw-request")
        self._light = ThreadPoolExecutor(LIGHT_THREADS, thread_name_prefix="maxfw-light")
        self._bytes = 0  # of the bodies that are being read or answered
        self._predicts = 0  # complete requests that wait for a thread or have one
        self._in_flight = 0  # requests whose head is here and whose answer is not sent
        self._idle = asyncio.Event()
        self._draining = False

    async def run(self, listener: socket.socket) -> None:
        """Serve until a signal comes or the supervisor is gone, then finish what is in flight."""
        stop = asyncio.Event()
        self._stop_on_signals(stop)
        inherited = inherited_descriptors()
        if inherited:
            asyncio.get_running_loop().add_reader(inherited[1], stop.set)  # its end is readable
        listener.listen(BACKLOG)
        listener.setblocking(False)
        if not inherited:
            say_where(listener)
        server = _EmbeddedServer(self, listener)
        serving = asyncio.create_task(server.serve())
        stopping = asyncio.create_task(stop.wait())
        await asyncio.wait([serving, stopping], return_when=asyncio.FIRST_COMPLETED)
        self._draining = True  # who comes now is refused at once, so that those who came before can finish
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._wait_until_idle(), self._settings.grace_s)
        server.stop()
        await serving
        self._predict.shutdown(wait=False, cancel_futures=True)
        self._light.shutdown(wait=False, cancel_futures=True)

    @staticmethod
    def _stop_on_signals(stop: asyncio.Event) -> None:
        if threading.current_thread() is threading.main_thread():
            for number in (signal.SIGTERM, signal.SIGINT):
                asyncio.get_running_loop().add_signal_handler(number, stop.set)

    async def __call__(self, scope: Any, protocol: Any) -> None:
        """One request, as granian's RSGI interface hands it over."""
        if scope.proto != "http":
            protocol.close(403)  # a WebSocket: nothing here speaks it
            return
        if self._draining:
            _refuse(scope, protocol, Overloaded("the server is shutting down"))
            return
        self._in_flight += 1
        try:
            await self._respond(scope, protocol)
        finally:
            self._in_flight -= 1
            if not self._in_flight:
                self._idle.set()

    async def _respond(self, scope: Any, protocol: Any) -> None:
        predicts = scope.method not in ("GET", "HEAD", "OPTIONS") or scope.path.endswith("/predict")
        body = bytearray()
        try:
            self._admit(predicts)
            await self._read_body(scope, protocol, body, self._max_body if predicts else MAX_LIGHT_BYTES)
            self._admit(predicts)
            self._predicts += predicts
            try:
                answer = await self._on_thread(self._predict if predicts else self._light, scope, bytes(body))
            finally:
                self._predicts -= predicts
        except MaxfwError as error:
            _refuse(scope, protocol, error)
            return
        finally:
            self._bytes -= len(body)
        protocol.response_bytes(*answer)

    async def _on_thread(self, pool: ThreadPoolExecutor, scope: Any, body: bytes) -> Response:
        environ = build_environ(scope, body)
        status, headers, content = await asyncio.get_running_loop().run_in_executor(
            pool, self._call_app, environ
        )
        if self._draining:
            headers.append(("connection", "close"))
        return status, headers, content

    def _admit(self, predicts: bool) -> None:
        if predicts and self._predicts >= self._max_predicts:
            raise Overloaded(f"{self._predicts} requests are being answered already")

    async def _read_body(self, scope: Any, protocol: Any, body: bytearray, limit: int) -> None:
        """Fill `body` with the complete body of a request."""
        stated = scope.headers.get("content-length")
        if stated is not None and stated.isdecimal() and int(stated) > limit:
            raise _too_large(f"{stated} bytes", limit)
        if stated in (None, "0") and "transfer-encoding" not in scope.headers:
            return
        try:
            async with asyncio.timeout(self._settings.body_timeout_s):
                async for chunk in protocol:
                    self._bytes += len(chunk)
                    body += chunk
                    if len(body) > limit:
                        raise _too_large(f"more than {limit} bytes", limit)
                    if self._bytes > self._max_bytes:
                        raise Overloaded("too many bytes are being received already")
        except TimeoutError:
            seconds = self._settings.body_timeout_s
            raise RequestTimeout(f"the request was not complete after {seconds:g} s") from None
        # granian ends a cut body silently, as if it were complete.
        if (int(stated) != len(body)) if stated is not None else await _has_left(protocol):
            raise BadInput(f"the request was cut off after {len(body)} bytes")

    def _call_app(self, environ: Environ) -> Response:
        answer: dict[str, Any] = {}

        def start_response(status: str, headers: list[tuple[str, str]], exc_info: Any = None) -> Any:
            answer["status"], answer["headers"] = int(status[:3]), headers
            return None

        content = self._app(environ, start_response)
        try:
            body = b"".join(content)
        finally:
            if hasattr(content, "close"):
                content.close()
        return answer["status"], [(name.lower(), value) for name, value in answer["headers"]], body

    async def _wait_until_idle(self) -> None:
        while self._in_flight:
            self._idle.clear()
            await self._idle.wait()


def build_environ(scope: Any, body: bytes) -> Environ:
    """A complete request → the environment that WSGI (PEP 3333) describes."""
    server_name, _, server_port = scope.server.rpartition(":")
    environ: Environ = {
        "REQUEST_METHOD": scope.method,
        "SCRIPT_NAME": "",
        "PATH_INFO": scope.path.encode().decode("latin-1"),  # granian has undone the percent signs
        "QUERY_STRING": scope.query_string,
        "SERVER_NAME": server_name,
        "SERVER_PORT": server_port,
        "SERVER_PROTOCOL": f"HTTP/{scope.http_version}",
        "REMOTE_ADDR": scope.client.rpartition(":")[0],
        "CONTENT_LENGTH": str(len(body)),
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": scope.scheme,
        "wsgi.input": io.BytesIO(body),
        "wsgi.errors": sys.stderr,
        "wsgi.multithread": True,
        "wsgi.multiprocess": False,
        "wsgi.run_once": False,
        # The body is complete whatever the framing was, so an app may read to its end.
        "wsgi.input_terminated": True,
    }
    for name, value in scope.headers.items():
        if name == "content-type":
            environ["CONTENT_TYPE"] = value
        elif name not in ("content-length", "transfer-encoding") and "_" not in name:
            key = "HTTP_" + name.upper().replace("-", "_")
            environ[key] = f"{environ[key]},{value}" if key in environ else value
    if scope.authority and "HTTP_HOST" not in environ:
        environ["HTTP_HOST"] = scope.authority
    return environ


class _EmbeddedServer(Server):  # type: ignore[misc]
    """granian inside our own event loop, on a socket that we opened."""

    def __init__(self, target: Any, listener: socket.socket) -> None:
        super().__init__(
            target,
            log_enabled=False,
            websockets=False,
            backlog=BACKLOG,
            http1_settings=HTTP1Settings(
                header_read_timeout=HEADER_TIMEOUT_MS, max_buffer_size=MAX_HEADER_BYTES
            ),
        )
        self._listener = listener

    def _init_shared_socket(self) -> None:
        self._ssp = None
        self._shd = SocketHolder(os.dup(self._listener.fileno()), False, BACKLOG)  # type: ignore[call-arg]
        self._sfd = self._shd.get_fd()


def _too_large(size: str, limit: int) -> TooLarge:
    return TooLarge(f"the request has {size}, at most {limit} are allowed", hint="send less")


def _refuse(scope: Any, protocol: Any, error: MaxfwError) -> None:
    request_id = usable_id(scope.headers.get("x-request-id") or "")
    headers = {**headers_of(error), "X-Request-ID": request_id, "Connection": "close"}
    pairs = [(name.lower(), value) for name, value in headers.items()]
    protocol.response_bytes(error.status, pairs, body_of(error, request_id))


async def _has_left(protocol: Any) -> bool:
    leaving = asyncio.ensure_future(protocol.client_disconnect())
    await asyncio.sleep(0)
    left: bool = leaving.done()
    leaving.cancel()
    return left
