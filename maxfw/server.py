"""The HTTP server; the only file that knows which one we use.

granian reads each request asynchronously, in full and within limits of size and time; only then a thread is spent
on it, so a client that sends half a request holds no thread.
One worker runs in this process.
Several workers are fresh processes that run this process's own command line on an inherited socket, so every one
loads its own model and none is forked after loading.
"""

from __future__ import annotations

import asyncio
import contextlib
import io
import json
import logging
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, NoReturn
from urllib.parse import unquote_to_bytes

from flask import Flask
from granian._granian import SocketHolder
from granian.http import HTTP1Settings
from granian.server.embed import Server

from maxfw.errors import (
    BadInput,
    BadSetting,
    MaxfwError,
    Overloaded,
    RequestTimeout,
    SetupError,
    TooLarge,
    one_line,
)
from maxfw.settings import Settings, inherited_socket, load_settings, worker_environment
from maxfw.web import old
from maxfw.web.errors import body_of, headers_of
from maxfw.web.guards import usable_id

log = logging.getLogger("maxfw")

BACKLOG = 1024
MAX_HEADER_BYTES = 8192
HEADER_TIMEOUT_MS = 10_000

# Health, metadata and pages never wait behind predictions.
LIGHT_THREADS = 4
PREDICT_THREADS = 16

Environ = dict[str, Any]
WSGIApp = Callable[[Environ, Callable[..., Any]], Iterable[bytes]]


def serve(app: Flask, settings: Settings, *, threads: int = PREDICT_THREADS) -> None:
    """Serve an app in this process until SIGTERM or SIGINT; requests in flight are answered first.

    `threads` requests are predicted at a time, if the settings do not say otherwise.

    Raises:
        BadSetting: the address cannot be listened on.
    """
    with _listening_socket(settings) as listener:
        front = Front(app, settings, threads=settings.threads or threads)
        asyncio.run(front.run(listener))


def run_old_app(app: Flask, host: str, port: int) -> None:
    """Serve an old-style app, whose `run()` this is; the environment wins over `host` and `port`."""
    try:
        settings = load_settings(defaults={"host": host, "port": port})
        if settings.workers > 1 and inherited_socket() is None:
            _become_supervisor(settings)
        logging.basicConfig(level=settings.log_level.upper(), format="%(levelname)s %(message)s")
        old.prepare(app, settings)
        serve(app, settings, threads=1)
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


def supervise(settings: Settings, command: list[str] | None = None) -> None:
    """Run `settings.workers` processes of `command` (this process's own) until SIGTERM or SIGINT.

    Each gets the listening socket; one that dies is replaced.
    """
    command = command or [sys.executable, *sys.orig_argv[1:]]
    with _listening_socket(settings) as listener:
        Supervisor(command, listener, settings).run()


class Front:
    """Takes requests from granian, hands complete ones to the app on a thread, sends the answers."""

    def __init__(self, app: Flask, settings: Settings, *, threads: int) -> None:
        self._app: WSGIApp = app.wsgi_app
        self._settings = settings
        self._max_body = int(app.config.get("MAX_CONTENT_LENGTH") or settings.max_old_body_mb * 1_000_000)
        self._predict = ThreadPoolExecutor(threads, thread_name_prefix="maxfw-request")
        self._light = ThreadPoolExecutor(LIGHT_THREADS, thread_name_prefix="maxfw-light")
        self._max_in_flight = threads + settings.max_queue
        self._in_flight = 0
        self._idle = asyncio.Event()
        self._draining = False

    async def run(self, listener: socket.socket) -> None:
        """Serve until a signal comes, then finish what is in flight."""
        stop = asyncio.Event()
        loop = asyncio.get_running_loop()
        if threading.current_thread() is threading.main_thread():
            for number in (signal.SIGTERM, signal.SIGINT):
                loop.add_signal_handler(number, stop.set)
        server = _EmbeddedServer(self, listener)
        serving = asyncio.create_task(server.serve())
        stopping = asyncio.create_task(stop.wait())
        await asyncio.wait([serving, stopping], return_when=asyncio.FIRST_COMPLETED)
        self._draining = True
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._wait_until_idle(), self._settings.grace_s)
        server.stop()
        await serving
        self._predict.shutdown(wait=False, cancel_futures=True)
        self._light.shutdown(wait=False, cancel_futures=True)

    async def __call__(self, scope: Any, protocol: Any) -> None:
        """One request, as granian's RSGI interface hands it over."""
        if scope.proto != "http":
            protocol.close(403)  # a WebSocket: nothing here speaks it
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
        try:
            if predicts and self._in_flight > self._max_in_flight:
                raise Overloaded(f"{self._in_flight - 1} requests are being answered already")
            body = await self._read_body(scope, protocol)
        except MaxfwError as error:
            _refuse(scope, protocol, error)
            return
        environ = build_environ(scope, body)
        loop = asyncio.get_running_loop()
        pool = self._predict if predicts else self._light
        status, headers, content = await loop.run_in_executor(pool, self._call_app, environ)
        if self._draining:
            headers.append(("connection", "close"))
        protocol.response_bytes(status, headers, content)

    async def _read_body(self, scope: Any, protocol: Any) -> bytes:
        """The complete body of a request."""
        stated = scope.headers.get("content-length")
        if stated is not None and stated.isdecimal() and int(stated) > self._max_body:
            raise self._too_large(f"{stated} bytes")
        if stated in (None, "0") and "transfer-encoding" not in scope.headers:
            return b""
        chunks: list[bytes] = []
        size = 0
        try:
            async with asyncio.timeout(self._settings.body_timeout_s):
                async for chunk in protocol:
                    size += len(chunk)
                    if size > self._max_body:
                        raise self._too_large(f"more than {self._max_body} bytes")
                    chunks.append(chunk)
        except TimeoutError:
            seconds = self._settings.body_timeout_s
            raise RequestTimeout(f"the request was not complete after {seconds:g} s") from None
        # granian ends a cut body silently, as if it were complete.
        if (int(stated) != size) if stated is not None else await _has_left(protocol):
            raise BadInput(f"the request was cut off after {size} bytes")
        return b"".join(chunks)

    def _too_large(self, size: str) -> TooLarge:
        return TooLarge(f"the request has {size}, at most {self._max_body} are allowed", hint="send less")

    def _call_app(self, environ: Environ) -> tuple[int, list[tuple[str, str]], bytes]:
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


class Supervisor:
    """Keeps a number of worker processes alive and ends them together."""

    def __init__(self, command: list[str], listener: socket.socket, settings: Settings) -> None:
        self._command = command
        self._socket = listener
        self._settings = settings
        self._stop = threading.Event()
        self._workers: list[subprocess.Popen[bytes]] = []

    def run(self) -> None:
        """Start the workers, replace those that die, and end all of them on SIGTERM or SIGINT."""
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: self._stop.set())
        self._workers = [self._start() for _ in range(self._settings.workers)]
        quick_deaths = 0
        started = time.monotonic()
        while not self._stop.wait(0.2):
            for index, worker in enumerate(self._workers):
                if worker.poll() is None:
                    continue
                quick_deaths = quick_deaths + 1 if time.monotonic() - started < 5 else 0
                if quick_deaths > 3 * len(self._workers):
                    self._end_workers()
                    raise BadSetting(f"the workers keep dying (exit code {worker.returncode})")
                log.warning(
                    "worker %d ended with exit code %s; starting another", worker.pid, worker.returncode
                )
                self._stop.wait(min(5.0, 0.2 * 2**quick_deaths))
                started = time.monotonic()
                self._workers[index] = self._start()
        self._end_workers()

    def _start(self) -> subprocess.Popen[bytes]:
        number = self._socket.fileno()
        return subprocess.Popen(self._command, env=worker_environment(number), pass_fds=(number,))

    def _end_workers(self) -> None:
        for worker in self._workers:
            if worker.poll() is None:
                worker.terminate()
        deadline = time.monotonic() + self._settings.grace_s + 5
        for worker in self._workers:
            try:
                worker.wait(max(0.0, deadline - time.monotonic()))
            except subprocess.TimeoutExpired:
                worker.kill()
                worker.wait()


def build_environ(scope: Any, body: bytes) -> Environ:
    """A complete request → the environment that WSGI (PEP 3333) describes."""
    server_name, _, server_port = scope.server.rpartition(":")
    environ: Environ = {
        "REQUEST_METHOD": scope.method,
        "SCRIPT_NAME": "",
        "PATH_INFO": unquote_to_bytes(scope.path).decode("latin-1"),
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


def _listening_socket(settings: Settings) -> socket.socket:
    inherited = inherited_socket()
    if inherited is not None:
        return socket.socket(fileno=inherited)
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((settings.host, settings.port))
    except OSError as error:
        listener.close()
        raise BadSetting(
            f"cannot listen on {settings.host}:{settings.port}: {error.strerror}",
            hint="choose another with --port or MAXFW_PORT",
        ) from None
    listener.listen(BACKLOG)
    listener.setblocking(False)
    print(f"listening on http://{settings.host}:{listener.getsockname()[1]}", flush=True)
    return listener


def _become_supervisor(settings: Settings) -> None:
    """Replace this process, which has loaded a model by now, by a supervisor that has none."""
    listener = _listening_socket(settings)
    listener.set_inheritable(True)
    command = [sys.executable, *sys.orig_argv[1:]]
    arguments = [sys.executable, "-m", "maxfw.server", str(settings.workers), json.dumps(command)]
    os.execve(sys.executable, arguments, worker_environment(listener.fileno()))


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


if __name__ == "__main__":
    supervise(load_settings(workers=int(sys.argv[1])), json.loads(sys.argv[2]))
