"""The HTTP server; the only file that knows which one we use.

granian speaks HTTP in threads of its own and calls back for each request, first with its head, then with its body.
Who may come in is decided from the head; only a complete request gets a thread, so a client that sends half a request
holds none. No event loop stands between granian and the threads: its callbacks are taken where they happen, which is
twice as fast as waiting for them in asyncio. That uses granian's inner interface, which is why setup.py names one
minor version of it.
"""

from __future__ import annotations

import contextlib
import importlib
import logging
import os
import resource
import signal
import socket
import sys
import threading
import time
from collections.abc import Callable
from functools import partial
from typing import Any, NoReturn

from flask import Flask
from granian.http import HTTP1Settings

from maxfw import wsgi
from maxfw.admission import Admission, Head, Kind
from maxfw.errors import (
    BadInput,
    DeadlineExceeded,
    MaxfwError,
    RequestTimeout,
    ServiceError,
    SetupError,
    one_line,
)
from maxfw.predictor import Caller
from maxfw.settings import Settings, inherited_descriptors, load_settings
from maxfw.threads import RequestThreads
from maxfw.web import old
from maxfw.web.door import Door
from maxfw.web.errors import CALLER
from maxfw.workers import BACKLOG, become_supervisor, open_socket, say_where

log = logging.getLogger("maxfw")

# By name, for the types that granian states for its inner interface are not those that it has.
granian: Any = importlib.import_module("granian._granian")

READ_BUFFER_BYTES = 65_536  # a body comes in pieces of at most this; heads are limited by `Admission`
HEADER_TIMEOUT_MS = 10_000
MOST_CONNECTIONS = 10_000

# A body of a stated length up to this is gathered by granian; what is longer, or of no stated length, is counted
# piece by piece while it comes.
WHOLE_BYTES = 65_536

LIGHT_THREADS = 4  # health, metadata and pages never wait behind predictions
TICK_S = 0.25  # how often time limits are looked at
LATE_S = 1.0  # what the app gets beyond its own deadline, before the front answers in its place
PATIENCE_S = 0.25  # a request that takes longer than this is watched for its client's leaving


def serve(app: Flask, settings: Settings, listener: socket.socket, *, threads: int) -> None:
    """Serve an app in this process until SIGTERM or SIGINT; requests in flight are answered first.

    `threads` requests are predicted at a time, if the settings do not say otherwise.
    """
    with listener:
        Front(app, settings, threads=settings.threads or threads).run(listener)


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


_NO_HEAD = Head("", "", "", [], lambda _: "")


class Exchange:
    """A request between its head and its answer."""

    __slots__ = ("body", "caller", "future", "head", "proto", "reading", "scope", "started", "watched")

    def __init__(self, scope: Any, proto: Any) -> None:
        self.scope = scope
        self.proto = proto
        self.head: Head = _NO_HEAD
        self.caller: Caller | None = None
        self.body = bytearray()
        self.reading = False
        self.started = time.monotonic()
        self.watched = False
        self.future: Any = None  # of granian's; kept so that it is not collected while it is awaited


class Front:
    """Takes requests from granian, hands complete ones to the app on a thread, sends the answers.

    granian calls from one thread. Whoever takes an exchange out of `_open` answers it: a request thread, or the
    ticking main thread when time is up.
    """

    def __init__(self, app: Flask, settings: Settings, *, threads: int) -> None:
        door = app.extensions.get("maxfw.door")
        assert isinstance(door, Door), "create_app and old.prepare put one in front of every app"
        self._app = app.wsgi_app
        self._door = door
        self._settings = settings
        self._admission = Admission(app, settings, threads=threads)
        self._predict = RequestThreads(threads, "maxfw-request")
        self._light = RequestThreads(LIGHT_THREADS, "maxfw-light")
        self._open: dict[Exchange, None] = {}  # whose answer is not begun
        self._streams: dict[Exchange, None] = {}  # whose answer is on its way
        self._stop = threading.Event()

    def run(self, listener: socket.socket) -> None:
        """Serve until a signal comes or the supervisor is gone, then finish what is in flight."""
        inherited = inherited_descriptors()
        listener.listen(BACKLOG)
        listener.setblocking(False)
        if threading.current_thread() is threading.main_thread():
            for number in (signal.SIGTERM, signal.SIGINT):
                signal.signal(number, lambda *_: self._stop.set())
        if inherited:
            threading.Thread(target=self._outlive_nobody, args=(inherited[1],), daemon=True).start()
        else:
            say_where(listener)
        server = _Granian(self._on_request, listener, self._settings)
        while not self._stop.wait(TICK_S):
            self._tick()
        self._door.draining = True
        server.stop()
        deadline = time.monotonic() + self._settings.grace_s
        while time.monotonic() < deadline and not (
            server.stopped.wait(0.02) and not self._open and not self._streams
        ):
            self._tick()
        self._door.flush()

    def _outlive_nobody(self, lifeline: int) -> None:
        os.read(lifeline, 1)  # returns when the supervisor is gone
        self._stop.set()

    # ------------------------------------------------------------------------------ on granian's thread

    def _on_request(self, watcher: Any) -> None:
        exchange = Exchange(watcher.scope, watcher.proto)
        self._open[exchange] = None
        try:
            self._begin(exchange)
        except MaxfwError as error:
            self._refuse(exchange, error)
        except BaseException:
            log.exception("a request could not be taken")
            self._refuse(exchange, ServiceError("the server failed to take this request"))

    def _begin(self, exchange: Exchange) -> None:
        scope = exchange.scope
        head = exchange.head = Head(
            scope.method, scope.path, scope.query_string, scope.headers.items(), self._door.id_of
        )
        self._admission.check(head)
        if not head.has_body or head.kind is Kind.UNROUTED:
            self._dispatch(exchange, b"")
        elif head.length is not None and head.length <= WHOLE_BYTES:
            self._admission.receive(head, head.length)
            self._await(exchange, exchange.proto(), self._on_whole)
        else:
            exchange.proto.__aiter__()
            self._await(exchange, exchange.proto.__anext__(), self._on_piece)

    def _await(self, exchange: Exchange, future: Any, then: Callable[[Exchange, Any], None]) -> None:
        exchange.reading = True
        exchange.future = future
        future.add_done_callback(partial(self._continue, exchange, then), context=None)

    def _continue(self, exchange: Exchange, then: Callable[[Exchange, Any], None], future: Any) -> None:
        if exchange not in self._open:
            return  # it came too late
        try:
            then(exchange, future)
        except MaxfwError as error:
            self._refuse(exchange, error)
        except BaseException:
            log.exception("the body of a request could not be taken")
            self._refuse(exchange, ServiceError("the server failed to take this request"))

    def _on_whole(self, exchange: Exchange, future: Any) -> None:
        try:
            body = future.result()
        except Exception:
            raise BadInput("the request was cut off before it was complete") from None
        if len(body) != exchange.head.length:
            raise BadInput(f"the request was cut off after {len(body)} bytes")
        self._dispatch(exchange, body)

    def _on_piece(self, exchange: Exchange, future: Any) -> None:
        piece = future.result()
        if piece:
            self._admission.receive(exchange.head, len(piece))
            exchange.body += piece
            self._admission.check_length(exchange.head, len(exchange.body))
            self._await(exchange, exchange.proto.__anext__(), self._on_piece)
            return
        self._check_end(exchange)
        self._admission.check_load(exchange.head)
        body, exchange.body = bytes(exchange.body), bytearray()
        self._dispatch(exchange, body)

    @staticmethod
    def _check_end(exchange: Exchange) -> None:
        """Refuse a body that was cut: granian ends it with an empty piece as well, but does not call it the end."""
        received = len(exchange.body)
        if exchange.head.length is not None:
            complete = received == exchange.head.length
        else:
            try:
                exchange.future = exchange.proto.__anext__()
                complete = False
            except StopAsyncIteration:
                complete = True
        if not complete:
            raise BadInput(f"the request was cut off after {received} bytes")

    def _dispatch(self, exchange: Exchange, body: bytes) -> None:
        exchange.reading = False
        exchange.caller = Caller(self._settings.predict_timeout_s, request_id=exchange.head.request_id)
        work = partial(self._answer, exchange, body)
        if exchange.head.kind is Kind.PREDICT:
            self._admission.enter(exchange.head)
            self._predict.put(work)
        else:
            self._light.put(work, first=exchange.head.kind is Kind.WATCH)

    # ------------------------------------------------------------------------------ on a request thread

    def _answer(self, exchange: Exchange, body: bytes) -> None:
        head, caller, scope = exchange.head, exchange.caller, exchange.scope
        assert caller is not None
        try:
            if exchange not in self._open:
                return  # it waited too long, and has been told so
            if caller.left:
                self._claim(exchange)
                return
            environ = wsgi.environ_of(
                method=head.method,
                path=head.path,
                query=head.query,
                scheme=scope.scheme,
                http_version=scope.http_version,
                server=scope.server,
                client=scope.client,
                authority=scope.authority,
                headers=head.headers,
                body=body,
            )
            environ[CALLER] = caller
            answer = wsgi.call(self._app, environ)
        except BaseException:
            log.exception("request %s: the app raised instead of answering", head.request_id)
            self._refuse(exchange, ServiceError("the server failed to answer this request"))
            return
        finally:
            self._admission.leave(head)
        self._send(exchange, answer)

    def _send(self, exchange: Exchange, answer: wsgi.Answer) -> None:
        assert exchange.caller is not None
        if self._door.draining or exchange.head.kind is Kind.UNROUTED:
            answer.headers.append(("connection", "close"))
        if answer.rest is None:
            if self._claim(exchange):
                exchange.proto.response_bytes(answer.status, answer.headers, answer.content)
            return
        with contextlib.closing(answer.rest):
            if not self._claim(exchange):
                return
            self._streams[exchange] = None
            try:
                stream = exchange.proto.response_stream(answer.status, answer.headers)
                stream.send_bytes(answer.content)
                for piece in answer.rest:
                    if exchange.caller.left:
                        return
                    stream.send_bytes(piece)
            finally:
                del self._streams[exchange]

    # ------------------------------------------------------------------------------ on any thread

    def _claim(self, exchange: Exchange) -> bool:
        """Whether whoever asks is the one to answer: the first is."""
        return self._open.pop(exchange, exchange) is None

    def _refuse(self, exchange: Exchange, error: MaxfwError) -> None:
        head = exchange.head
        if exchange.caller is None:  # else a thread has the body
            self._admission.forget(head)
        if not self._claim(exchange):
            return
        status, headers, body = self._door.refuse(
            head.method, head.path, head.request_id, error, exchange.started
        )
        headers.append(("connection", "close"))
        exchange.proto.response_bytes(status, headers, body)

    # ------------------------------------------------------------------------------ on the main thread

    def _tick(self) -> None:
        """What is due: answers to requests whose time is up, an eye on slow ones, the log."""
        now = time.monotonic()
        for exchange in (*self._open, *self._streams):
            age = now - exchange.started
            caller = exchange.caller
            if exchange.reading and age > self._settings.body_timeout_s:
                seconds = self._settings.body_timeout_s
                self._refuse(exchange, RequestTimeout(f"the request was not complete after {seconds:g} s"))
            elif caller is not None and now > caller.deadline + LATE_S:
                caller.leave()
                seconds = self._settings.predict_timeout_s
                self._refuse(exchange, DeadlineExceeded(f"there was no answer within {seconds:g} s"))
            elif caller is not None and not exchange.watched and age > PATIENCE_S:
                exchange.watched = True
                exchange.future = exchange.proto.client_disconnect()
                exchange.future.add_done_callback(partial(self._on_left, exchange), context=None)
        self._door.flush()

    def _on_left(self, exchange: Exchange, future: Any) -> None:
        if (exchange in self._open or exchange in self._streams) and exchange.caller is not None:
            exchange.caller.leave()


class _Granian:
    """granian's worker, whose callbacks come straight to us."""

    def __init__(
        self, on_request: Callable[[Any], None], listener: socket.socket, settings: Settings
    ) -> None:
        self.stopped = threading.Event()
        self._signal = granian.WorkerSignal()
        self._signal.add_cb(self.stopped.set)
        self._socket = granian.SocketHolder(os.dup(listener.fileno()), False, BACKLOG)
        tls = (bool(settings.tls_cert), settings.tls_cert or None, settings.tls_key or None, None)
        clients: tuple[Any, ...] = (settings.tls_client_ca or None, [], bool(settings.tls_client_ca))
        files, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
        worker = granian.RSGIWorker(
            1,  # its number
            (None, self._socket),
            None,  # no channel to a parent
            1,  # thread that speaks HTTP
            8,  # threads for files, which we do not serve this way
            1,  # thread that calls us
            30,
            max(128, min(MOST_CONNECTIONS, files - 256)),
            "1",  # HTTP/1.1
            HTTP1Settings(header_read_timeout=HEADER_TIMEOUT_MS, max_buffer_size=READ_BUFFER_BYTES),
            None,
            False,  # no WebSockets
            None,
            *(*tls, "tls1.2", *clients),
            (None, None),
        )
        here = _HereAndNow()
        scheduler = _Scheduler(here, on_request, None, None, None)
        scheduler._schedule_fn = on_request
        worker.serve_async(scheduler, here, self._signal)

    def stop(self) -> None:
        """Take no more connections, close idle ones, let the others finish; `stopped` is set after that."""
        self._signal.set()


class _Scheduler(granian.CallbackScheduler):  # type: ignore[misc]
    def __init__(self, *_: Any) -> None:
        super().__init__()

    def cancel(self) -> bool:
        return False


class _HereAndNow:
    """What granian takes for an event loop: whatever is to be called soon is called at once."""

    def call_soon_threadsafe(
        self, callback: Callable[..., Any], *arguments: Any, context: Any = None
    ) -> None:
        try:
            callback(*arguments)
        except BaseException:
            log.exception("a callback of the HTTP server failed")

    call_soon = call_soon_threadsafe
