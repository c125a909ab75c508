"""Many inputs through one model: some threads read and write, the model's own thread never waits for them.

However many inputs there are, only a window of them is in memory, and a budget of bytes.
"""

from __future__ import annotations

import heapq
import os
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator

from msgspec import Struct

from maxfw.offline.answering import Answering, Asked, Line
from maxfw.offline.inputs import Job
from maxfw.offline.results import Results

BUDGET_BYTES = 512_000_000
"""Memory of inputs that are with the model, beyond which no further one is read."""

WRITE_S = 5.0
"""How long a write that has begun may take when everything is to end now."""

LOOK_S = 0.5

SLOWEST = 5


class Summary(Struct):
    """What a job has done: lines, errors by code, seconds, and the inputs that took longest, in seconds."""

    before: int = 0
    answered: int = 0
    errors: dict[str, int] = {}
    seconds: float = 0.0
    slowest: list[tuple[float, str]] = []

    @property
    def failed(self) -> int:
        """Lines that are errors."""
        return sum(self.errors.values())

    @property
    def rate(self) -> float:
        """Lines a second."""
        return (self.answered + self.failed) / self.seconds if self.seconds else 0.0

    def add(self, line: Line) -> None:
        """One more line is written."""
        if line.code:
            self.errors[line.code] = self.errors.get(line.code, 0) + 1
        else:
            self.answered += 1
        timed = (line.seconds, line.name)
        if len(self.slowest) < SLOWEST:
            heapq.heappush(self.slowest, timed)
        else:
            heapq.heappushpop(self.slowest, timed)


OnLine = Callable[[Line], None]


class EndNow(KeyboardInterrupt):
    """A second interrupt: nothing more is written, and what the model still has is let go."""


def run(
    answering: Answering,
    results: Results | None,
    jobs: Iterator[Job],
    *,
    before: int = 0,
    on_line: OnLine = lambda line: None,
    on_interrupt: Callable[[], object] = lambda: None,
    budget: int = BUDGET_BYTES,
) -> Summary:
    """Answer all jobs, and write their lines behind the first `before`; without results, only `on_line` gets them.

    An interrupt (KeyboardInterrupt) ends it when what was begun has its line, a second one at once.

    Raises:
        EndNow: at the second interrupt; threads may still be with the model.
        BadInput: the results cannot be written, or the inputs no longer be listed.
    """
    crew = _Crew(answering, results, jobs, before, on_line, on_interrupt, budget)
    started = time.monotonic()
    try:
        crew.work()
    finally:
        summary = crew.summary
        summary.seconds = time.monotonic() - started
        summary.slowest.sort(reverse=True)
    return summary


class _Crew:
    """Threads that take whatever is to be done next: what the model is through with first, then new inputs."""

    def __init__(
        self,
        answering: Answering,
        results: Results | None,
        jobs: Iterator[Job],
        before: int,
        on_line: OnLine,
        on_interrupt: Callable[[], object],
        budget: int,
    ) -> None:
        self.summary = Summary(before=before)
        self._answering = answering
        self._results = results
        self._jobs = enumerate(jobs, start=before)
        self._on_line = on_line
        self._on_interrupt = on_interrupt
        self._budget = budget
        self._threads = min(16, (os.cpu_count() or 1) + 2)
        batch = answering.predictor.model.max_batch_size
        self._window = 4 * batch + 2 * self._threads
        self._listing = threading.Lock()
        self._writing = threading.Lock()
        # Guards what follows; never held while anything is read, answered or written.
        self._changed = threading.Condition()
        self._through: deque[Asked] = deque()
        self._ready: dict[int, Line] = {}
        self._held: dict[int, int] = {}
        self._held_bytes = 0
        self._begun = 0
        self._written = 0
        self._is_listed = False
        self._failure: BaseException | None = None
        self._next_line = before
        self._is_over = False
        self._over = threading.Lock()
        self._over.acquire()

    def work(self) -> None:
        """Until every job has its line."""
        interrupt = None
        try:
            try:
                self._start()
                self._wait()
            except KeyboardInterrupt as error:
                interrupt = error
                self._list_no_more()
                self._on_interrupt()
                self._wait()
        except KeyboardInterrupt:
            self._fail(EndNow())
        # A line that is being written is written whole, unless the disk hangs.
        if self._writing.acquire(timeout=WRITE_S):
            self._writing.release()
        if self._failure is not None:
            raise self._failure
        if interrupt is not None:
            raise interrupt

    def _start(self) -> None:
        for number in range(self._threads):
            threading.Thread(target=self._thread, name=f"maxfw-job-{number}", daemon=True).start()

    def _wait(self) -> None:
        # Neither a thread nor a condition: an interrupt can leave those half waited for. Again and again: one that
        # comes just before the wait is noticed behind it.
        while not self._is_over:
            self._over.acquire(timeout=LOOK_S)

    def _thread(self) -> None:
        try:
            while step := self._next():
                step()
        except BaseException as error:
            self._fail(error)

    def _next(self) -> Callable[[], None] | None:
        with self._changed:
            while self._failure is None:
                if self._through:
                    asked = self._through.popleft()
                    return lambda: self._put(asked.position, self._answering.end(asked))
                if self._is_through_with_all():
                    return None
                if not self._is_listed and self._has_room():
                    self._begun += 1
                    return self._begin
                self._changed.wait()
            return None

    def _has_room(self) -> bool:
        waiting = self._begun - self._written
        return waiting == 0 or (waiting < self._window and self._held_bytes < self._budget)

    def _begin(self) -> None:
        with self._listing:
            position, job = next(self._jobs, (-1, None))
        if job is None:
            with self._changed:
                self._begun -= 1
            self._list_no_more()
            return
        with self._changed:
            self._held[position] = 0
        try:
            size = self._answering.begin(position, job, self._is_through)
        except Exception as error:
            self._put(position, self._answering.failed(job, error))
            return
        with self._changed:
            if position in self._held:
                self._held[position] = size
                self._held_bytes += size

    def _is_through(self, asked: Asked) -> None:
        with self._changed:  # called on the model's thread, under the batcher's lock
            self._through.append(asked)
            self._changed.notify()

    def _put(self, position: int, line: Line) -> None:
        """Write the line, and those that waited for it; or keep it until those before it are there."""
        with self._writing:
            if self._failure is not None:
                return
            lines = []
            with self._changed:
                self._ready[position] = line
                self._held_bytes -= self._held.pop(position)
                while (next_line := self._ready.pop(self._next_line, None)) is not None:
                    lines.append(next_line)
                    self._next_line += 1
            if lines and self._results is not None:
                try:
                    self._results.append(b"".join(line.content for line in lines))
                except BaseException as error:
                    self._fail(error)  # before anybody writes behind what may be half a line
                    raise
            for line in lines:
                self.summary.add(line)
                self._on_line(line)
        with self._changed:
            self._written += len(lines)
            self._tell()

    def _list_no_more(self) -> None:
        with self._changed:
            self._is_listed = True
            self._tell()

    def _fail(self, error: BaseException) -> None:
        with self._changed:
            self._failure = self._failure or error
            self._tell()

    def _is_through_with_all(self) -> bool:
        return self._is_listed and self._begun == self._written

    def _tell(self) -> None:
        self._changed.notify_all()
        if not self._is_over and (self._failure is not None or self._is_through_with_all()):
            self._is_over = True
            self._over.release()
