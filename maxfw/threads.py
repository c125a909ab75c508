"""Threads that answer requests: as many as are needed, and the one that became free last goes first.

A queue that wakes whoever has waited longest keeps all threads warm and makes them fight for the interpreter; here a
server under little load works with one or two, whatever the most is. And as waking a thread takes longer than a small
piece of work, work that comes while one is being woken waits for it: it wakes the next before it begins, if what
waits is worth it.
"""

from __future__ import annotations

import logging
import threading
import time
from collections import deque
from collections.abc import Callable

log = logging.getLogger("maxfw")

Work = Callable[[], None]

WORTH_A_THREAD_S = 0.0002  # about twice what it costs to wake one
FIRST_GUESS_S = 0.01
LEARNING = 0.1  # how much the latest piece of work counts in the mean


class RequestThreads:
    """At most `most` threads, started when they are first needed; work beyond them waits in order."""

    def __init__(self, most: int, name: str) -> None:
        self._most = most
        self._name = name
        self._lock = threading.Lock()
        self._free: list[_Thread] = []
        self._waiting: deque[Work] = deque()
        self._started = 0
        self._rising = 0  # threads that were woken and have not taken anything yet
        self._mean_s = FIRST_GUESS_S  # of a piece of work

    def put(self, work: Work) -> None:
        """Have a thread do this, after what waits already."""
        with self._lock:
            self._waiting.append(work)
            if not self._rising:
                self._raise_one()

    def waiting(self) -> int:
        """How many pieces of work have no thread yet."""
        return len(self._waiting)

    def nudge(self) -> None:
        """Wake a thread for what waits; to be called now and then, as work can turn out longer than was expected."""
        with self._lock:
            if self._waiting and not self._rising:
                self._raise_one()

    def next_for(self, thread: _Thread, spent_s: float, *, is_rising: bool) -> Work | None:
        """The next piece of work for a thread that has spent so much on the last; None, and it is free, without one."""
        with self._lock:
            if is_rising:
                self._rising -= 1
            else:
                self._mean_s += LEARNING * (spent_s - self._mean_s)
            if not self._waiting:
                self._free.append(thread)
                return None
            work = self._waiting.popleft()
            if self._waiting and not self._rising and len(self._waiting) * self._mean_s > WORTH_A_THREAD_S:
                self._raise_one()
            return work

    def _raise_one(self) -> None:
        if self._free:
            self._rising += 1
            self._free.pop().wake()
        elif self._started < self._most:
            thread = _Thread(self, f"{self._name}-{self._started + 1}")
            try:
                thread.start()
            except RuntimeError:
                # The machine has none left; those that run go on, and the next look tries again.
                log.warning("no thread can be started beside %d of %s", self._started, self._name)
                return
            self._rising += 1
            self._started += 1


class _Thread(threading.Thread):
    def __init__(self, pool: RequestThreads, name: str) -> None:
        super().__init__(name=name, daemon=True)
        self._pool = pool
        self._gate = threading.Lock()
        self._gate.acquire()

    def wake(self) -> None:
        """There is something to do."""
        self._gate.release()

    def run(self) -> None:
        spent_s, is_rising = 0.0, True
        while True:
            work = self._pool.next_for(self, spent_s, is_rising=is_rising)
            is_rising = work is None
            if work is None:
                self._gate.acquire()
                continue
            started = time.perf_counter()
            try:
                work()
            except BaseException:  # the thread outlives whatever an app raises
                log.exception("a request thread met an error that the app did not catch")
            spent_s = time.perf_counter() - started
            del work  # nothing of a request stays in memory until the next one
