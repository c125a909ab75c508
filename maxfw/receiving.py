"""From granian's callbacks to complete requests: heads are let in or refused, bodies are received within limits.

All of it happens on the one thread on which granian calls; nothing here waits.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from functools import partial
from typing import Any

from maxfw.admission import Admission, Head, Kind
from maxfw.errors import BadInput, MaxfwError, ServiceError, TooLarge
from maxfw.predictor import Caller

log = logging.getLogger("maxfw")

# A body of a stated length up to this is gathered by granian; what is longer, or of no stated length, is counted
# piece by piece while it comes.
WHOLE_BYTES = 65_536

DISCARD_BYTES = 100_000_000
DISCARD_S = 2.0

_NO_HEAD = Head("", "", "", [], lambda _: "")


class Exchange:
    """A request between its head and its answer."""

    __slots__ = ("body", "caller", "head", "proto", "reading", "scope", "started", "watched")

    def __init__(self, scope: Any, proto: Any) -> None:
        self.scope = scope
        self.proto = proto
        self.head: Head = _NO_HEAD
        self.caller: Caller | None = None
        self.body = bytearray()
        self.reading = False
        self.started = time.monotonic()
        self.watched = False

    @property
    def client(self) -> str:
        """The address that the request came from."""
        return str(self.scope.client).rpartition(":")[0].strip("[]")


class Receiver:
    """Receives requests and delivers those that are complete."""

    def __init__(
        self,
        admission: Admission,
        id_of: Callable[[str], str],
        *,
        deliver: Callable[[Exchange, bytes], None],
        refuse: Callable[[Exchange, MaxfwError], None],
        is_open: Callable[[Exchange], bool],
    ) -> None:
        """Complete requests go to `deliver`, with their body; who may not come in, to `refuse`.

        `id_of` makes the id of a request from the one that it offers; `is_open` tells whether it still has no answer.
        """
        self._admission = admission
        self._id_of = id_of
        self._deliver = deliver
        self._refuse = refuse
        self._is_open = is_open
        # Who waits for what of granian's. The exchange itself must not hold it: Python cannot see the way back from it,
        # and would keep both for ever.
        self._awaited: dict[Exchange, Any] = {}
        self._discarded: dict[Any, float] = {}  # pieces of refused bodies, and until when they are waited for

    def take(self, exchange: Exchange) -> None:
        """A request's head is here."""
        proto = exchange.proto
        try:
            self._begin(exchange)
        except MaxfwError as error:
            self._refuse(exchange, error)
        except BaseException:
            log.exception("a request could not be taken")
            self._refuse(exchange, ServiceError("the server failed to take this request"))
        if exchange.head.has_body and not exchange.reading:  # refused, or there is nothing at its address
            proto.__aiter__()
            self._discard(proto)

    def let_go(self, exchange: Exchange) -> None:
        """It is answered before it was complete: nothing more of it is received, so that its connection can end."""
        self._admission.forget(exchange.head)
        future = self._awaited.pop(exchange, None)
        if future is not None:
            future.cancel()
        exchange.proto = None  # it has the rest of the body, for which the connection would be kept

    def tick(self, now: float) -> None:
        """Let go of those who have been refused and do not leave."""
        for piece, until in tuple(self._discarded.items()):
            if now > until and self._discarded.pop(piece, None) is not None:
                piece.cancel()  # with it goes the last that holds the connection open

    def _begin(self, exchange: Exchange) -> None:
        scope = exchange.scope
        head = exchange.head = Head(
            scope.method, scope.path, scope.query_string, scope.headers.items(), self._id_of
        )
        self._admission.check(head)
        if not head.has_body or head.kind is Kind.UNROUTED:
            self._deliver(exchange, b"")
        elif head.length is not None and head.length <= WHOLE_BYTES:
            self._admission.receive(head, head.length)
            self._await(exchange, exchange.proto(), self._on_whole)
        else:
            exchange.proto.__aiter__()
            self._await(exchange, exchange.proto.__anext__(), self._on_piece)

    def _await(self, exchange: Exchange, future: Any, then: Callable[[Exchange, Any], None]) -> None:
        exchange.reading = True
        self._awaited[exchange] = future
        future.add_done_callback(partial(self._continue, exchange, then), context=None)

    def _continue(self, exchange: Exchange, then: Callable[[Exchange, Any], None], future: Any) -> None:
        self._awaited.pop(exchange, None)
        if not self._is_open(exchange):
            return  # it came too late
        proto = exchange.proto
        try:
            then(exchange, future)
        except MaxfwError as error:
            self._refuse(exchange, error)
            if isinstance(error, TooLarge):
                self._discard(proto)
        except BaseException:
            log.exception("the body of a request could not be taken")
            self._refuse(exchange, ServiceError("the server failed to take this request"))

    def _discard(self, proto: Any, left: int = DISCARD_BYTES, until: float = 0.0) -> None:
        """Receive a refused body for a while: many clients read their answer only when they have sent everything."""
        until = until or time.monotonic() + DISCARD_S
        piece = proto.__anext__()
        self._discarded[piece] = until

        def receive(piece: Any) -> None:
            if self._discarded.pop(piece, None) is None:
                return  # its time is over
            size = len(piece.result())
            if size and left > size:
                self._discard(proto, left - size, until)

        piece.add_done_callback(receive, context=None)

    def _on_whole(self, exchange: Exchange, future: Any) -> None:
        try:
            body = future.result()
        except Exception:
            raise BadInput("the request was cut off before it was complete") from None
        if len(body) != exchange.head.length:
            raise BadInput(f"the request was cut off after {len(body)} bytes")
        self._deliver(exchange, body)

    def _on_piece(self, exchange: Exchange, future: Any) -> None:
        piece = future.result()
        if piece:
            self._admission.receive(exchange.head, len(piece))
            if not self._is_open(exchange):  # it was refused just now, and its bytes forgotten
                self._admission.forget(exchange.head)
                return
            exchange.body += piece
            self._admission.check_length(exchange.head, len(exchange.body))
            self._await(exchange, exchange.proto.__anext__(), self._on_piece)
            return
        self._check_end(exchange)
        self._admission.check_load(exchange.head)
        body, exchange.body = bytes(exchange.body), bytearray()
        self._deliver(exchange, body)

    @staticmethod
    def _check_end(exchange: Exchange) -> None:
        """Refuse a body that was cut: granian ends it with an empty piece as well, but does not call it the end."""
        received = len(exchange.body)
        if exchange.head.length is not None:
            complete = received == exchange.head.length
        else:
            try:
                exchange.proto.__anext__()
                complete = False
            except StopAsyncIteration:
                complete = True
        if not complete:
            raise BadInput(f"the request was cut off after {received} bytes")
