"""Threads that answer requests: as many as are needed, and the one that became free last goes first.

A queue that wakes whoever has waited longest keeps all threads warm and makes them fight for the interpreter; here a
server under little load works with one or two, whatever the most is.
"""

from __future__ import annotations

import logging
import threading
from collections import deque
from collections.abc import Callable

log = logging.getLogger("maxfw")

Work = Callable[[], None]


class RequestThreads:
    """At most `most` threads, started when they are first needed; work beyond them waits in order."""

    def __init__(self, most: int, name: str) -> None:
        self._most = most
        self._name = name
        self._lock = threading.Lock()
        self._free: list[_Thread] = []
        self._waiting: deque[Work] = deque()
        self._started = 0

    def put(self, work: Work, *, first: bool = False) -> None:
        """Have a thread do this, after what waits already or before it."""
        with self._lock:
            if self._free:
                self._free.pop().wake(work)
            elif self._started < self._most:
                self._started += 1
                _Thread(self, f"{self._name}-{self._started}", work).start()
            elif first:
                self._waiting.appendleft(work)
            else:
                self._waiting.append(work)

    def waiting(self) -> int:
        """How many pieces of work have no thread yet."""
        return len(self._waiting)

    def next_for(self, thread: _Thread) -> Work | None:
        """The next piece of work; None, and the thread counts as free, where there is none."""
        with self._lock:
            if self._waiting:
                return self._waiting.popleft()
            self._free.append(thread)
            return None


class _Thread(threading.Thread):
    def __init__(self, pool: RequestThreads, name: str, work: Work) -> None:
        super().__init__(name=name, daemon=True)
        self._pool = pool
        self._work = work
        self._gate = threading.Lock()
        self._gate.acquire()

    def wake(self, work: Work) -> None:
        """Give the free thread something to do."""
        self._work = work
        self._gate.release()

    def run(self) -> None:
        while True:
            try:
                self._work()
            except BaseException:  # the thread outlives whatever an app raises
                log.exception("a request thread met an error that the app did not catch")
            work = self._pool.next_for(self)
            if work is None:
                self._gate.acquire()
            else:
                self._work = work
