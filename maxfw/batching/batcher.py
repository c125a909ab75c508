"""The thread that owns the model, and the doors through which others reach it."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from maxfw.batching.batch import Batch
from maxfw.batching.events import Event
from maxfw.batching.failures import attempt
from maxfw.batching.inputs import bytes_of, parameters_key, shape_key
from maxfw.batching.pending import Pending
from maxfw.batching.schedule import FOREVER, Schedule
from maxfw.errors import MaxfwError, ModelFailed, Overloaded

log = logging.getLogger("maxfw")

Run = Callable[..., Sequence[Any]]


class Batcher:
    """Gathers inputs into batches for `run(xs, **parameters)`, which one thread calls.

    Only inputs of equal shape and equal parameters share a batch. If a batch fails it is halved until the guilty
    are alone, so a bad input spoils nobody else's answer; if memory runs out, it is halved until it fits.
    The queue is bounded in inputs and bytes, and a request that could not be answered before its deadline is refused.
    A request that was cancelled, or whose deadline has passed, leaves the queue without being run.

    The thread sleeps until someone asks, then takes whoever is waiting already. With `max_wait_s` it waits for
    company, for at most so long, where that pays.
    `observe` is told of every call of the model and of every request that the model will not see; on the thread that
    happens to know, so it must be quick.
    """

    def __init__(
        self,
        run: Run,
        *,
        max_batch_size: int = 16,
        max_wait_s: float = 0.0,
        max_queue: int = 256,
        max_queue_bytes: float = FOREVER,
        clock: Callable[[], float] = time.monotonic,
        observe: Callable[[Event], object] | None = None,
    ) -> None:
        self._run = run
        self._clock = clock
        self._observe = observe
        self._schedule = Schedule(
            max_batch_size=max(1, max_batch_size),
            max_wait_s=max_wait_s,
            max_queue=max_queue,
            max_queue_bytes=max_queue_bytes,
            is_observed=observe is not None,
        )
        # Held for microseconds, and never while the model runs, an observer is told or anyone waits.
        self._lock = threading.Lock()
        # The thread sleeps on a second `acquire` of this lock; who sets `_is_asleep` to False releases it.
        self._bed = threading.Lock()
        self._bed.acquire()
        self._is_asleep = False
        self._thread = threading.Thread(target=self._work, name="maxfw-batcher", daemon=True)
        self._thread.start()

    def submit(
        self,
        xs: Sequence[Any],
        parameters: Mapping[str, Any] | None = None,
        *,
        deadline: float = FOREVER,
        then: Callable[[Pending], None] | None = None,
    ) -> Pending:
        """Queue a request's inputs, all or none; `deadline` is on the batcher's clock.

        `then` is called once, when the request is done or given up, under the batcher's lock: it must be quick, must
        not raise, and must not call the batcher.

        Raises:
            Overloaded: the queue is full, the answer would come too late, or the batcher is closed.
        """
        parameters = parameters or {}
        asked = parameters_key(parameters)
        inputs = [(x, (asked, shape_key(x)), bytes_of(x)) for x in xs]
        now = self._clock()
        pending = Pending(len(inputs), parameters, deadline, now, self._cancel, then)
        pending.bytes = sum(size for _, _, size in inputs)
        wake = False
        try:
            with self._lock:
                if self._schedule.is_closed:
                    raise Overloaded("the server is shutting down")
                if not inputs:
                    pending.finish(now)
                elif self._schedule.add(pending, inputs, now) and self._is_asleep:
                    self._is_asleep = False
                    wake = True
        except Overloaded:
            self._tell()
            raise
        if wake:
            self._bed.release()
        return pending

    def is_alive(self) -> bool:
        """Whether the thread that owns the model still runs."""
        return self._thread.is_alive()

    def queue_length(self) -> int:
        """How many inputs wait."""
        return self._schedule.waiting

    def busy_s(self) -> float:
        """For how long the present call of the model has been running; 0 when there is none."""
        running = self._schedule.running
        return 0.0 if running is None else self._clock() - running.started

    def predicted_wait_s(self) -> float:
        """In how many seconds the model will be free for a request that comes now; 0 when it is free already."""
        return self._schedule.wait_s(self._clock())

    def close(self, timeout_s: float | None = None) -> None:
        """Answer what waits, take nothing new, end the thread; what is not answered in time gets an error."""
        with self._lock:
            self._schedule.is_closed = True
            wake, self._is_asleep = self._is_asleep, False
        if wake:
            self._bed.release()
        if threading.current_thread() is not self._thread:
            self._thread.join(timeout_s)
            self._give_up(Overloaded("the server is shutting down"))

    def _cancel(self, pending: Pending, error: MaxfwError | None) -> None:
        with self._lock:
            self._schedule.cancel(pending, error, self._clock())
        self._tell()

    def _work(self) -> None:
        """Serve until closed; nothing that goes wrong leaves anyone waiting."""
        try:
            while True:
                try:
                    return self._serve()
                except BaseException as error:
                    # Not the model's: no memory left for our own work, or a bug of ours.
                    log.exception("the batcher failed")
                    self._give_up(ModelFailed(f"the batcher failed: {type(error).__name__}"))
        finally:
            self._schedule.is_closed = True
            self._give_up(ModelFailed("the model's thread has ended"))

    def _serve(self) -> None:
        outcome: list[Any] | BaseException = []
        turn: Batch | float | None = None
        while True:
            with self._lock:
                now = self._clock()
                if isinstance(turn, Batch):
                    self._schedule.settle(turn, outcome, now)
                turn = self._schedule.next(now)
                if not isinstance(turn, Batch):
                    if turn is None and self._schedule.is_closed:
                        break
                    self._is_asleep = True
            # Nothing of the last batch may stay in memory until the next request comes.
            outcome = []
            if self._schedule.events:
                self._tell()
            if isinstance(turn, Batch):
                outcome = attempt(self._run, turn.xs, turn.items[0].pending.parameters)
            else:
                self._sleep(turn)
        self._tell()

    def _sleep(self, seconds: float | None) -> None:
        if self._bed.acquire(timeout=-1 if seconds is None else min(seconds, threading.TIMEOUT_MAX)):
            return
        with self._lock:
            was_woken, self._is_asleep = not self._is_asleep, False
        if was_woken:  # just now: the release that comes is ours
            self._bed.acquire()

    def _give_up(self, error: MaxfwError) -> None:
        with self._lock:
            self._schedule.fail_all(error, self._clock())
            if threading.current_thread() is self._thread:
                self._schedule.running = None
        self._tell()

    def _tell(self) -> None:
        """Hand over what happened; an observer that fails is the observer's problem."""
        if self._observe is None:
            return
        with self._lock:
            events, self._schedule.events = self._schedule.events, []
        for event in events:
            try:
                self._observe(event)
            except Exception:
                log.exception("the observer of the batcher failed")
