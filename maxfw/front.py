"""The way of each request through the process: from its head to a thread, from the app to its answer.

A request is received without a thread, gets one when it is complete, and gives it back while the model works.
"""

from __future__ import annotations

import contextlib
import logging
import time
from functools import partial
from typing import Any

from flask import Flask

from maxfw import wsgi
from maxfw.admission import MOST_LIGHT, Admission, Kind
from maxfw.batching import Pending
from maxfw.errors import (
    Abandoned,
    DeadlineExceeded,
    MaxfwError,
    Overloaded,
    RequestTimeout,
    ServiceError,
)
from maxfw.predictor import Begun, Caller, Predictor
from maxfw.receiving import Exchange, Receiver
from maxfw.settings import Settings
from maxfw.threads import RequestThreads
from maxfw.web.door import Door, Refused
from maxfw.web.errors import CALLER, body_of, headers_of, shown_in_place_of
from maxfw.web.health import Health
from maxfw.web.predict import ROUTE, Predict
from maxfw.web.reading import Received

log = logging.getLogger("maxfw")

LIGHT_THREADS = 4  # metadata and pages never wait behind predictions
WATCH_THREADS = 2  # health and metrics never wait behind either
LATE_S = 0.5  # what the app gets beyond its own deadline, before the front answers in its place
PATIENCE_S = 0.25  # a request that takes longer than this is watched for its client's leaving


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
        self._health: Health = app.extensions.get("maxfw.health") or Health(None, settings)
        self._settings = settings
        self._admission = Admission(app, settings, threads=threads)
        self._predict = RequestThreads(threads, "maxfw-request")
        self._light = RequestThreads(LIGHT_THREADS, "maxfw-light")
        self._watch = RequestThreads(WATCH_THREADS, "maxfw-watch")
        self._health.threads_are_stuck = self._admission.is_stuck
        self._receiver = Receiver(
            self._admission,
            door.id_of,
            deliver=self._dispatch,
            refuse=self._refuse,
            is_open=lambda exchange: exchange in self._open,
        )
        predictor = app.extensions.get("maxfw")
        # For browsers of other origins there are headers to add, which is Flask's affair.
        with_flask = bool(settings.cors)
        self._line = Predict(predictor) if isinstance(predictor, Predictor) and not with_flask else None
        self._open: dict[Exchange, None] = {}  # whose answer is not begun
        self._streams: dict[Exchange, None] = {}  # whose answer is on its way

    def unfinished(self) -> str:
        """What is still open, for the log."""
        reading = sum(exchange.reading for exchange in tuple(self._open))
        return f"{reading} requests are being received, {len(self._open) - reading} wait for their answer"

    def drain(self) -> None:
        """From now on say that the service is not ready, and that connections end with their answer."""
        self._door.draining = self._health.draining = True

    def close(self) -> None:
        """Write what is left of the log."""
        self._door.close()

    # ------------------------------------------------------------------------------ on granian's thread

    def on_request(self, watcher: Any) -> None:
        """A request's head is here."""
        exchange = Exchange(watcher.scope, watcher.proto)
        self._open[exchange] = None
        try:
            self._receiver.take(exchange)
        except BaseException:  # granian's thread would not survive it
            log.exception("a request was lost")

    def _dispatch(self, exchange: Exchange, body: bytes) -> None:
        exchange.reading = False
        pool = self._watch if exchange.head.kind is Kind.WATCH else self._light
        if exchange.head.kind is not Kind.PREDICT and pool.waiting() >= MOST_LIGHT:
            raise Overloaded(f"{pool.waiting()} requests for pages wait already")
        exchange.caller = Caller(self._settings.predict_timeout_s, request_id=exchange.head.request_id)
        work = partial(self._answer, exchange, body)
        if exchange.head.kind is Kind.PREDICT:
            self._admission.enter(exchange.head)
            is_straight = self._line is not None and exchange.head.is_plain_post(ROUTE)
            self._predict.put(partial(self._begin_line, exchange, body) if is_straight else work)
        else:
            pool.put(work)

    # ------------------------------------------------------------------------------ on a request thread

    def _answer(self, exchange: Exchange, body: bytes) -> None:
        head, caller, scope = exchange.head, exchange.caller, exchange.scope
        assert caller is not None
        try:
            if not self._is_wanted(exchange):
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
                self._note(exchange, answer.status, len(answer.content))
            return
        with contextlib.closing(answer.rest):
            if not self._claim(exchange):
                return
            self._note(exchange, answer.status, None)
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

    # ------------------------------------------------------- on request threads, in two halves: the straight line

    def _begin_line(self, exchange: Exchange, body: bytes) -> None:
        head, caller = exchange.head, exchange.caller
        assert caller is not None
        assert self._line is not None
        if not self._is_wanted(exchange):
            return
        try:
            received = Received(head.get("content-type"), body, head.query)
            self._line.begin(received, caller, partial(self._through, exchange))
        except BaseException as error:
            self._end_with(exchange, error)

    def _through(self, exchange: Exchange, begun: Begun, pending: Pending) -> None:
        self._predict.put(partial(self._end_line, exchange, begun, pending))

    def _end_line(self, exchange: Exchange, begun: Begun, pending: Pending) -> None:
        assert self._line is not None
        if not self._is_wanted(exchange):
            return
        try:
            encoded = self._line.end(begun, pending, exchange.head.get("accept"))
        except BaseException as error:
            self._end_with(exchange, error)
            return
        headers = [("content-type", encoded.media_type), ("server-timing", begun.caller.server_timing())]
        self._send_line(exchange, 200, headers, encoded.content)

    def _end_with(self, exchange: Exchange, error: BaseException) -> None:
        assert exchange.caller is not None
        shown = shown_in_place_of(error, exchange.head.request_id)
        exchange.caller.code = shown.code
        headers = [(name.lower(), value) for name, value in headers_of(shown).items()]
        self._send_line(exchange, shown.status, headers, body_of(shown, exchange.head.request_id))

    def _send_line(self, exchange: Exchange, status: int, headers: wsgi.Headers, content: bytes) -> None:
        head, caller = exchange.head, exchange.caller
        assert caller is not None
        self._admission.leave(head)
        headers += [("x-request-id", head.request_id), ("x-content-type-options", "nosniff")]
        if self._door.draining:
            headers.append(("connection", "close"))
        if not self._claim(exchange):
            return
        exchange.proto.response_bytes(status, headers, content)
        self._note(exchange, status, len(content))

    def _is_wanted(self, exchange: Exchange) -> bool:
        """Whether anybody waits for the answer; if not, the request is over."""
        assert exchange.caller is not None
        if exchange in self._open and not exchange.caller.left:
            return True
        self._admission.leave(exchange.head)
        if self._claim(exchange):
            exchange.caller.code = Abandoned.code
            self._note(exchange, Abandoned.status, 0)
        return False

    # ------------------------------------------------------------------------------ on any thread

    def _claim(self, exchange: Exchange) -> bool:
        """Whether whoever asks is the one to answer: the first is."""
        return self._open.pop(exchange, exchange) is None

    def _refuse(self, exchange: Exchange, error: MaxfwError) -> None:
        if not self._claim(exchange):
            return
        head = exchange.head
        status, headers, body = self._door.refuse(
            Refused(head.method, head.path, head.request_id, head.route, exchange.client, head.get("origin")),
            error,
            exchange.started,
        )
        headers.append(("connection", "close"))
        exchange.proto.response_bytes(status, headers, body)
        if exchange.caller is None:  # else a thread has the body
            self._receiver.let_go(exchange)

    def _note(self, exchange: Exchange, status: int, size: Any) -> None:
        head, caller = exchange.head, exchange.caller
        assert caller is not None
        received = head.length or 0
        self._door.note(
            caller, head.method, head.path, status, client=exchange.client, received=received, size=size
        )

    # ------------------------------------------------------------------------------ on the main thread

    def tick(self) -> None:
        """What is due: answers to requests whose time is up, an eye on slow ones, the log."""
        now = time.monotonic()
        for exchange in tuple(self._open):
            caller = exchange.caller
            if exchange.reading and now - exchange.started > self._settings.body_timeout_s:
                seconds = self._settings.body_timeout_s
                self._refuse(exchange, RequestTimeout(f"the request was not complete after {seconds:g} s"))
            elif caller is not None and now > caller.deadline + LATE_S:
                seconds = self._settings.predict_timeout_s
                self._refuse(exchange, DeadlineExceeded(f"there was no answer within {seconds:g} s"))
                caller.leave()  # after the answer: whoever is woken by it finds the request over
        for exchange in (*self._open, *self._streams):
            proto = exchange.proto  # None as soon as granian's thread has refused it
            if proto is not None and not exchange.watched and now - exchange.started > PATIENCE_S:
                exchange.watched = True
                leaving = proto.client_disconnect()
                leaving.add_done_callback(partial(self._on_left, exchange), context=None)
        self._receiver.tick(now)
        for pool in (self._predict, self._light, self._watch):
            pool.nudge()
        self._door.tick()

    def _on_left(self, exchange: Exchange, future: Any) -> None:
        """The connection is closed; granian says so of answered requests as well."""
        if exchange.caller is not None:
            if exchange in self._open or exchange in self._streams:
                exchange.caller.leave()
        elif self._claim(exchange):
            self._receiver.let_go(exchange)
