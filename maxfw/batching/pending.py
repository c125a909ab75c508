"""A request that waits, its inputs, and the groups of inputs that may share a batch."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable, Mapping, Sequence
from types import TracebackType
from typing import Any

from maxfw.batching.cost import Cost
from maxfw.errors import MaxfwError

# After so many full batches that went well, a limit that memory has set is raised by one.
CLEAN_BATCHES = 8

NOTHING: Any = object()  # None may be an answer


class Item:
    """One input in the queue."""

    __slots__ = ("bytes", "group", "index", "is_waiting", "pending", "x")

    def __init__(self, pending: Pending, index: int, x: Any, group: Group, size: int) -> None:
        self.pending = pending
        self.index = index
        self.x = x
        self.group = group
        self.bytes = size
        self.is_waiting = False

    @property
    def is_wanted(self) -> bool:
        """Whether its answer still matters to anyone."""
        pending = self.pending
        return not pending.is_done and self.index < pending.failed_at


class Pending:
    """The inputs of one request, in their order, of which all are answered or the request has failed.

    `queue_s` and `predict_s` say, when it is done, how long it waited, and how long the calls took that it was part of.
    `bytes` is about how much memory the inputs hold; `error` is what the request failed with, if it did.
    """

    __slots__ = ("_cancel", "_finished", "_then", "_traceback", "answers", "bytes", "deadline", "error", "failed_at", "is_done",
                 "items", "last_call", "left", "number", "parameters", "predict_s", "queue_s",
                 "submitted")  # fmt: skip

    def __init__(
        self,
        size: int,
        parameters: Mapping[str, Any],
        deadline: float,
        submitted: float,
        cancel: Callable[[Pending, MaxfwError | None], None],
        then: Callable[[Pending], None] | None = None,
    ) -> None:
        self.parameters = parameters
        self.deadline = deadline
        self.submitted = submitted
        self.number = 0
        self.items: Sequence[Item] = ()
        self.bytes = 0
        self.answers = [NOTHING] * size
        self.left = size
        self.failed_at = size
        self.last_call = 0
        self.is_done = False
        self.error: BaseException | None = None
        self.queue_s = 0.0
        self.predict_s = 0.0
        self._traceback: TracebackType | None = None
        self._cancel = cancel
        self._then = then
        # A bare lock is the cheapest thing on which one thread can wait for another.
        self._finished = threading.Lock()
        self._finished.acquire()

    def results(self, timeout_s: float | None = None) -> list[Any]:
        """The answers in the order of the inputs; waits for them, for ever if no time is given.

        Raises:
            TimeoutError: there is no answer yet; the request still waits.
            BaseException: `error`, what the model raised for the first input that failed, or why the request was
                dropped.
        """
        if not self.is_done:
            wait_s = -1.0 if timeout_s is None else min(max(timeout_s, 0.0), threading.TIMEOUT_MAX)
            if not self._finished.acquire(timeout=wait_s):
                raise TimeoutError(f"the model has not answered within {timeout_s:g} s")
            self._finished.release()  # whoever else waits for the same
        if self.error is not None:
            # One error may belong to many requests, and each `raise` would add to its traceback.
            raise self.error.with_traceback(self._traceback)
        return self.answers

    def cancel(self, error: MaxfwError | None = None) -> None:
        """Nobody waits any more: what has not started never runs, and who is in `results()` gets the error.

        From any thread, at any time; does nothing when the request is done.
        """
        if not self.is_done:
            self._cancel(self, error)

    def finish(self, now: float) -> None:
        """Let go of everything and wake whoever waits; once, and only under the batcher's lock."""
        self.is_done = True
        self.items = ()
        if self.error is not None:
            self.answers = []
            self._traceback = self.error.__traceback__
        self.queue_s = max(0.0, now - self.submitted - self.predict_s)
        self._finished.release()
        if self._then is not None:
            self._then(self)
            self._then = None

    def answers_before(self, position: int) -> bool:
        """Whether all inputs before this one are answered."""
        return not any(answer is NOTHING for answer in self.answers[:position])


class Group:
    """A queue of inputs of equal shape and parameters; `limit` is how many of them fit into memory at once.

    The limit falls by half and grows by one, as TCP's window does (and Clipper's batches, NSDI 2017).
    """

    __slots__ = ("_clean", "_most", "_own_cost", "backlog_s", "cost", "gap_s", "items", "key", "last_arrival",
                 "limit")  # fmt: skip

    def __init__(self, key: Hashable, most: int, overall: Cost) -> None:
        self.key = key
        # A dict that remembers its order also when its first entries are removed again and again.
        self.items: OrderedDict[Item, None] = OrderedDict()
        self.limit = most
        # What its own calls teach, and until there were enough of them, what all calls have taught.
        self._own_cost = Cost()
        self.cost = overall
        self.backlog_s = 0.0
        self.gap_s = 0.0
        self.last_arrival: float | None = None
        self._most = most
        self._clean = 0

    @property
    def oldest(self) -> int:
        """The number of the request that has waited longest."""
        return next(iter(self.items)).pending.number

    def drain_s(self, more: int = 0) -> float:
        """The seconds of all calls for those who wait, and for so many more."""
        waiting = len(self.items) + more
        cost = self.cost
        return cost.per_input * waiting + cost.per_call * -(-waiting // self.limit)

    def learn(self, inputs: int, seconds: float) -> None:
        """A call went well."""
        self._own_cost.learn(inputs, seconds)
        if self._own_cost.is_known:
            self.cost = self._own_cost
        if self.limit < self._most and inputs >= self.limit:
            self._clean += 1
            if self._clean >= CLEAN_BATCHES:
                self.limit += 1
                self._clean = 0

    def shrink(self, inputs: int) -> None:
        """A call with so many inputs ran out of memory."""
        self.limit = max(1, min(self.limit, inputs // 2))
        self._clean = 0

    def arrive(self, now: float, longest_s: float) -> None:
        """Someone came: learn how long one waits for the next; a pause counts as no more than `longest_s`.

        `gap_s` is a geometric mean, since whoever is answered together comes again together: many short gaps, one
        long, and the short ones are what counts when some are here already.
        """
        if self.last_arrival is not None:
            gap_s = min(max(now - self.last_arrival, 1e-6), longest_s)
            self.gap_s = gap_s if not self.gap_s else self.gap_s * (gap_s / self.gap_s) ** 0.1
        self.last_arrival = now
