"""One thread owns the model: requests queue here, leave in batches, and get their answers as futures.

The batcher is work-conserving: it sleeps until someone asks, then takes whoever is already waiting.
It knows functions, not models.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future
from typing import Any

from maxfw.errors import BadModelOutput, DeadlineExceeded, Overloaded

Run = Callable[..., Sequence[Any]]


class Job:
    """One input that waits for its result; `deadline` is on the batcher's clock."""

    __slots__ = ("deadline", "future", "group", "parameters", "x")

    def __init__(self, x: Any, parameters: Mapping[str, Any], deadline: float) -> None:
        self.x = x
        self.parameters = parameters
        self.deadline = deadline
        self.group = (parameters_key(parameters), shape_key(x))
        self.future: Future[Any] = Future()


class Batcher:
    """Gathers inputs into batches for `run(xs, **parameters)`, which one thread calls.

    Only inputs of equal shape and equal parameters share a batch. If a batch fails it is halved until the guilty
    are alone, so a bad input spoils nobody else's answer. At most `max_queue` inputs wait; inputs of a request
    that was cancelled or whose deadline has passed leave the queue without being run.
    """

    def __init__(
        self,
        run: Run,
        *,
        max_batch_size: int = 16,
        max_wait_s: float = 0.0,
        max_queue: int = 256,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._run = run
        self._max_batch_size = max(1, max_batch_size)
        self._max_wait_s = max_wait_s
        self._max_queue = max_queue
        self._clock = clock
        self._waiting: deque[Job] = deque()
        self._changed = threading.Condition()
        self._closed = False
        self._seconds_per_input = 0.0
        self._thread = threading.Thread(target=self._work, name="maxfw-batcher", daemon=True)
        self._thread.start()

    def submit(
        self,
        xs: Sequence[Any],
        parameters: Mapping[str, Any] | None = None,
        *,
        deadline: float = float("inf"),
    ) -> list[Future[Any]]:
        """Queue a request's inputs, all or none → one future for each, in the same order.

        Raises:
            Overloaded: the queue is full, or the batcher is closed.
        """
        jobs = [Job(x, parameters or {}, deadline) for x in xs]
        with self._changed:
            if self._closed:
                raise Overloaded("the server is shutting down")
            waiting = len(self._waiting)
            # A request larger than the whole queue is still let in when nobody waits.
            if waiting and waiting + len(jobs) > self._max_queue:
                wait_s = max(waiting * self._seconds_per_input, 0.1)
                raise Overloaded(f"{waiting} inputs wait for the model already", retry_after=wait_s)
            self._waiting.extend(jobs)
            self._changed.notify()
        return [job.future for job in jobs]

    def is_alive(self) -> bool:
        """Whether the thread that owns the model still runs."""
        return self._thread.is_alive()

    def queue_length(self) -> int:
        """How many inputs wait."""
        return len(self._waiting)

    def close(self, timeout_s: float | None = None) -> None:
        """Answer what waits, take nothing new, end the thread."""
        with self._changed:
            self._closed = True
            self._changed.notify()
        self._thread.join(timeout_s)

    def _work(self) -> None:
        while batch := self._next_batch():
            started = self._clock()
            self._answer(batch)
            spent = (self._clock() - started) / len(batch)
            self._seconds_per_input = 0.8 * self._seconds_per_input + 0.2 * spent

    def _next_batch(self) -> list[Job]:
        """The next batch to run; empty when the batcher is closed and nothing waits."""
        with self._changed:
            while True:
                while not self._waiting and not self._closed:
                    self._changed.wait()
                if self._max_wait_s and not self._closed:
                    self._changed.wait_for(
                        lambda: self._closed or len(self._waiting) >= self._max_batch_size, self._max_wait_s
                    )
                batch = self._take()
                if batch or (self._closed and not self._waiting):
                    return batch

    def _take(self) -> list[Job]:
        """Whoever waits longest, and those waiting who may share a batch with them."""
        now = self._clock()
        batch: list[Job] = []
        passed_over: list[Job] = []
        while self._waiting and len(batch) < self._max_batch_size:
            job = self._waiting.popleft()
            if batch and job.group != batch[0].group:
                passed_over.append(job)
            elif not job.future.set_running_or_notify_cancel():
                continue
            elif job.deadline <= now:
                job.future.set_exception(DeadlineExceeded("the request waited too long for the model"))
            else:
                batch.append(job)
        self._waiting.extendleft(reversed(passed_over))
        return batch

    def _answer(self, batch: list[Job]) -> None:
        try:
            results = self._run([job.x for job in batch], **batch[0].parameters)
            count = _length(results)
            # What a strange sequence raises while it is taken apart is the model's fault as well.
            results = list(results) if isinstance(count, int) else []
            count = len(results) if isinstance(count, int) else count
        except BaseException as error:  # the thread must outlive whatever a model raises, sys.exit included
            self._isolate(batch, error)
            return
        if count != len(batch):
            # No input is guilty: nobody can tell which result belongs to whom.
            mismatch = f"_predict_batch returned {count} results for {len(batch)} inputs"
            for job in batch:
                job.future.set_exception(BadModelOutput(mismatch))
            return
        for job, result in zip(batch, results, strict=True):
            job.future.set_result(result)

    def _isolate(self, batch: list[Job], error: BaseException) -> None:
        """Halve a batch that failed, so that only the guilty inputs get the error."""
        if len(batch) == 1:
            batch[0].future.set_exception(error)
            return
        middle = len(batch) // 2
        self._answer(batch[:middle])
        self._answer(batch[middle:])


def parameters_key(parameters: Mapping[str, Any]) -> tuple[tuple[str, str], ...]:
    """A key that is equal only for equal parameters."""
    return tuple((name, repr(value)) for name, value in sorted(parameters.items()))


def shape_key(x: Any) -> Any:
    """A key that is equal only for inputs that can be stacked: type, dtype and shape, through tuples and dicts."""
    if hasattr(x, "shape") and hasattr(x, "dtype"):  # an array, or a framework's tensor
        return (str(x.dtype), tuple(x.shape))
    if isinstance(x, tuple):
        return tuple(shape_key(part) for part in x)
    if isinstance(x, Mapping):
        return tuple((name, shape_key(part)) for name, part in sorted(x.items()))
    return type(x)


def _length(results: Any) -> int | str:
    """How many results there are, or what came instead of a sequence."""
    if isinstance(results, str | bytes | Mapping) or not hasattr(results, "__len__"):
        return f"a {type(results).__name__} instead of"
    return len(results)
