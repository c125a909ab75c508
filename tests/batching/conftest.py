"""A model, a clock and a schedule that tests step by hand, without threads."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import pytest

from maxfw.batching.batch import Batch
from maxfw.batching.failures import attempt
from maxfw.batching.inputs import bytes_of, parameters_key, shape_key
from maxfw.batching.pending import Pending
from maxfw.batching.schedule import FOREVER, Schedule

Run = Callable[..., Any]


class World:
    """Answers each input with ten times it, in `per_call + per_input · n` seconds of its own clock."""

    def __init__(
        self, run: Run | None = None, *, per_call: float = 0.0, per_input: float = 0.0, **limits: Any
    ) -> None:
        self.now = 1000.0
        self.per_call = per_call
        self.per_input = per_input
        self.batches: list[list[Any]] = []
        self._run = run or (lambda xs, **_: [x * 10 for x in xs])
        defaults = {"max_batch_size": 16, "max_wait_s": 0.0, "max_queue": 10**6, "max_queue_bytes": FOREVER}
        self.schedule = Schedule(**{**defaults, **limits}, is_observed=True)

    def ask(self, *xs: Any, deadline: float = FOREVER, **parameters: Any) -> Pending:
        """A request; raises what `add` raises."""
        inputs = [(x, (parameters_key(parameters), shape_key(x)), bytes_of(x)) for x in xs]
        pending = Pending(len(xs), parameters, deadline, self.now, self._cancel)
        self.schedule.add(pending, inputs, self.now)
        return pending

    def start(self) -> Batch | float | None:
        """What the thread would do now; a batch is with the model then, until `finish`."""
        turn = self.schedule.next(self.now)
        if isinstance(turn, Batch):
            self.batches.append(turn.xs)
        return turn

    def finish(self) -> None:
        """The model's answer to the batch that it has."""
        batch = self.schedule.running
        assert batch is not None
        self.now += self.per_call + self.per_input * len(batch.items)
        outcome = attempt(self._run, batch.xs, batch.items[0].pending.parameters)
        self.schedule.settle(batch, outcome, self.now)

    def step(self) -> Batch | float | None:
        """One call of the model, if there is anything to call it for."""
        turn = self.start()
        if isinstance(turn, Batch):
            self.finish()
        return turn

    def run_all(self) -> None:
        """Until nobody waits."""
        while (turn := self.step()) is not None:
            if not isinstance(turn, Batch):
                self.now += turn

    def teach(self, sizes: Sequence[int], **parameters: Any) -> None:
        """Let it learn what calls cost."""
        for size in sizes:
            self.ask(*range(size), **parameters)
            self.run_all()
        self.batches.clear()

    def _cancel(self, pending: Pending, error: Any) -> None:
        self.schedule.cancel(pending, error, self.now)


@pytest.fixture(scope="session")
def new_world() -> type[World]:
    """What makes a world: conftest modules cannot be imported."""
    return World
