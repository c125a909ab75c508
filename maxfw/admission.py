"""Who may come in: decided from a request's head, before its body is read and before a thread is spent on it."""

from __future__ import annotations

import enum
import threading
import time
from collections.abc import Callable, Sequence

from flask import Flask
from werkzeug.exceptions import HTTPException

from maxfw.errors import HeadTooLarge, Overloaded, TooLarge
from maxfw.predictor import Predictor
from maxfw.settings import Settings
from maxfw.web.guards import MAX_HEADER_BYTES

# No request but a prediction has a body worth speaking of.
MAX_LIGHT_BYTES = 64 * 1024
MOST_LIGHT = 256  # requests for pages and the like that may wait
MOST_ROUTES = 256  # of which it is remembered that they exist

LATE_S = 2.0  # beyond its deadline, after which a request is thought to be stuck

BODILESS = frozenset({"GET", "HEAD", "OPTIONS", "TRACE"})
WATCHERS = frozenset({"/health", "/health/live", "/health/ready", "/metrics"})


class Kind(enum.Enum):
    """Which threads answer a request."""

    PREDICT = "predict"
    LIGHT = "light"
    WATCH = "watch"  # health and metrics: never behind others
    UNROUTED = "unrouted"  # there is nothing at its address; the app says so, and its body is not read


class Head:
    """What the first lines of a request say; header names are in lower case."""

    __slots__ = (
        "bytes",
        "chunked",
        "entered",
        "headers",
        "kind",
        "length",
        "method",
        "path",
        "query",
        "request_id",
        "route",
    )

    def __init__(
        self,
        method: str,
        path: str,
        query: str,
        headers: Sequence[tuple[str, str]],
        id_of: Callable[[str], str],
    ) -> None:
        self.method = method
        self.path = path
        self.query = query
        self.headers = headers
        self.kind = Kind.LIGHT
        self.route = ""  # the app's rule, where it was looked up
        self.length: int | None = None
        self.chunked = False
        self.entered = 0.0  # when it was complete
        self.bytes = 0  # of its body that count as in flight
        offered = ""
        for name, value in headers:
            if name == "content-length" and value.isdecimal():
                self.length = int(value) if len(value) < 20 else 10**20
            elif name == "transfer-encoding":
                self.chunked = True
            elif name == "x-request-id":
                offered = value
        if self.chunked:
            self.length = None  # says RFC 9112, section 6.3
        self.request_id = id_of(offered)

    @property
    def has_body(self) -> bool:
        """Whether bytes follow the head."""
        return self.chunked or bool(self.length)

    def is_plain_post(self, path: str) -> bool:
        """Whether it posts to this address, once says of what type, and does not compress its body."""
        if self.path != path or self.method != "POST":
            return False
        names = [name for name, _ in self.headers]
        return "content-encoding" not in names and names.count("content-type") < 2

    def get(self, name: str) -> str:
        """The value of a header; empty without it."""
        return next((value for known, value in self.headers if known == name), "")


class Admission:
    """The limits of one process, and what counts towards them."""

    def __init__(self, app: Flask, settings: Settings, *, threads: int) -> None:
        self._routes = app.url_map.bind("")
        self._door = app.extensions["maxfw.door"]
        predictor = app.extensions.get("maxfw")
        self._predictor = predictor if isinstance(predictor, Predictor) else None
        self._timeout_s = settings.predict_timeout_s
        self._max_body = int(app.config.get("MAX_CONTENT_LENGTH") or settings.max_old_body_mb * 1_000_000)
        self._max_bytes = max(int(settings.max_in_flight_mb * 1_000_000), self._max_body)
        self._threads = threads
        self._max_predicts = threads + settings.max_queue
        self._known: dict[tuple[str, str], str] = {}
        self._lock = threading.Lock()
        self._bytes = 0  # of the bodies that are being read or answered
        self._predicts: dict[Head, None] = {}  # complete requests that wait for a thread or have one

    def check(self, head: Head) -> None:
        """Decide what a request is, and whether it may send its body.

        Raises:
            HeadTooLarge: more bytes of headers than allowed.
            Unauthorized: the key is missing or unknown.
            TooLarge: it states a body that is longer than allowed.
            Overloaded: there is no room, or no time.
        """
        size = (
            len(head.path) + len(head.query) + sum(len(name) + len(value) + 4 for name, value in head.headers)
        )
        if size > MAX_HEADER_BYTES:
            raise HeadTooLarge(
                f"the head of the request has {size} bytes, at most {MAX_HEADER_BYTES} are allowed"
            )
        head.kind = self._kind_of(head)
        self._door.check_key(head.method, head.path, head.get)
        if head.length is not None and head.kind is not Kind.UNROUTED:
            self.check_length(head, head.length)
        self.check_load(head)

    def check_length(self, head: Head, length: int) -> None:
        """Refuse a body that is too long, stated or received."""
        limit = self._max_body if head.kind is Kind.PREDICT else MAX_LIGHT_BYTES
        if length > limit:
            raise TooLarge(
                f"the request has {length} bytes or more, at most {limit} are allowed", hint="send less"
            )

    def check_load(self, head: Head) -> None:
        """Refuse a prediction for which there is no room, or that would not be answered in time."""
        if head.kind is not Kind.PREDICT:
            return
        if len(self._predicts) >= self._max_predicts:
            raise Overloaded(
                f"{len(self._predicts)} requests are being answered already", retry_after=self._wait_s()
            )
        if (wait_s := self._wait_s()) > self._timeout_s:
            raise Overloaded(f"an answer would take {wait_s:.0f} s", retry_after=wait_s)

    def is_stuck(self, more_s: float = 0.0) -> bool:
        """Whether as many requests as there are threads should have been answered long ago, and so much longer."""
        late = time.monotonic() - self._timeout_s - LATE_S - more_s
        return sum(head.entered < late for head in tuple(self._predicts)) >= self._threads

    def receive(self, head: Head, size: int) -> None:
        """Count bytes of a body.

        Raises:
            Overloaded: all requests together have too many.
        """
        with self._lock:
            if self._bytes + size > self._max_bytes:
                raise Overloaded("too many bytes are being received already", retry_after=self._wait_s())
            self._bytes += size
            head.bytes += size

    def enter(self, head: Head) -> None:
        """Count a complete request for a prediction."""
        head.entered = time.monotonic()
        self._predicts[head] = None

    def leave(self, head: Head) -> None:
        """It is answered."""
        self._predicts.pop(head, None)
        self.forget(head)

    def forget(self, head: Head) -> None:
        """Its body is gone."""
        if head.bytes:
            with self._lock:
                self._bytes -= head.bytes
                head.bytes = 0

    def _wait_s(self) -> float:
        return self._predictor.batcher.predicted_wait_s() if self._predictor else 1.0

    def _kind_of(self, head: Head) -> Kind:
        if head.path in WATCHERS and not head.has_body:
            return Kind.WATCH
        predicts = head.method not in BODILESS or (head.method == "GET" and head.path.endswith("/predict"))
        if not predicts and not head.has_body:
            return Kind.LIGHT
        return (Kind.PREDICT if predicts else Kind.LIGHT) if self._is_routed(head) else Kind.UNROUTED

    def _is_routed(self, head: Head) -> bool:
        known = self._known.get((head.method, head.path))
        if known is None:
            try:
                rule, _ = self._routes.match(head.path, head.method, return_rule=True)
            except HTTPException:  # no such place, another method, or a redirect: the app says it better
                return False
            known = str(rule.rule)
            if len(self._known) < MOST_ROUTES:
                self._known[head.method, head.path] = known
        head.route = known
        return True
