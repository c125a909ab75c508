"""The batcher: right answers to the right callers, whatever else is in the batch."""

from __future__ import annotations

import threading
import weakref
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from maxfw.batching import Batcher, Call, Dropped, shape_key
from maxfw.errors import (
    Abandoned,
    BadInput,
    BadModelOutput,
    DeadlineExceeded,
    ModelFailed,
    Overloaded,
)


class Gate:
    """A model that waits at a gate in its first batch, so that others queue up behind it."""

    def __init__(self, run: Any = None) -> None:
        self.entered = threading.Event()
        self.open = threading.Event()
        self.batches: list[list[Any]] = []
        self._run = run or (lambda xs, **_: [x * 10 for x in xs])

    def __call__(self, xs: list[Any], **parameters: Any) -> Any:
        self.batches.append(xs)
        self.entered.set()
        assert self.open.wait(10)
        return self._run(xs, **parameters)


def at_once(do: Callable[[int], object], callers: Iterable[int]) -> None:
    """Each caller in a thread of its own, until all are done."""
    threads = [threading.Thread(target=do, args=(caller,)) for caller in callers]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
        assert not thread.is_alive()


@pytest.fixture
def gate() -> Gate:
    return Gate()


@pytest.fixture
def batcher(gate: Gate) -> Iterator[Batcher]:
    batcher = Batcher(gate, max_batch_size=4, max_queue=8)
    yield batcher
    gate.open.set()
    batcher.close(10)


def test_a_lonely_request_is_run_at_once() -> None:
    batcher = Batcher(lambda xs: [x + 1 for x in xs])

    assert batcher.submit([41]).results(10) == [42]
    batcher.close(10)


def test_those_who_wait_share_a_batch(gate: Gate, batcher: Batcher) -> None:
    requests = [batcher.submit([1])]
    gate.entered.wait(10)
    requests += [batcher.submit([x]) for x in (2, 3, 4)]
    gate.open.set()

    assert [request.results(10) for request in requests] == [[10], [20], [30], [40]]
    assert gate.batches == [[1], [2, 3, 4]]


def test_a_batch_is_never_larger_than_the_model_allows(gate: Gate, batcher: Batcher) -> None:
    batcher.submit([0])
    gate.entered.wait(10)
    request = batcher.submit(list(range(1, 8)))
    gate.open.set()
    request.results(10)

    assert max(len(batch) for batch in gate.batches) == 4


def test_requests_with_different_parameters_never_share_a_batch(gate: Gate, batcher: Batcher) -> None:
    batcher.submit([0])
    gate.entered.wait(10)
    requests = [batcher.submit([x], {"threshold": x % 2}) for x in (1, 2, 3, 4)]
    gate.open.set()

    assert [request.results(10) for request in requests] == [[10], [20], [30], [40]]

    assert gate.batches == [[0], [1, 3], [2, 4]]


def test_inputs_of_different_shapes_never_share_a_batch() -> None:
    keys = {
        shape_key(x)
        for x in (
            np.zeros((2, 3)),
            np.zeros((3, 2)),
            np.zeros((2, 3), np.uint8),
            (np.zeros(2), np.zeros(3)),
            (np.zeros(3), np.zeros(2)),
            {"ids": np.zeros(2)},
            {"ids": np.zeros(3)},
            "text",
        )
    }

    assert len(keys) == 8


def test_one_bad_input_does_not_spoil_the_batch() -> None:
    def run(xs: list[int]) -> list[int]:
        if 3 in xs:
            raise ValueError("three")
        return xs

    gate = Gate(run)
    batcher = Batcher(gate, max_batch_size=8)
    batcher.submit([0])
    gate.entered.wait(10)
    requests = [batcher.submit([x]) for x in (1, 2, 3, 4, 5)]
    gate.open.set()

    assert [requests[i].results(10) for i in (0, 1, 3, 4)] == [[1], [2], [4], [5]]
    with pytest.raises(ValueError, match="three"):
        requests[2].results(10)
    batcher.close(10)


@pytest.mark.parametrize("error", [SystemExit(1), KeyboardInterrupt(), MemoryError(), BadInput("no")])
def test_the_thread_outlives_whatever_a_model_raises(error: BaseException) -> None:
    def run(xs: list[int]) -> list[int]:
        if xs == [1]:
            raise error
        return xs

    batcher = Batcher(run)
    failed = batcher.submit([1])

    with pytest.raises(type(error)):
        failed.results(10)
    assert failed.error is error
    assert batcher.submit([2]).results(10) == [2]
    batcher.close(10)


class Table:
    """Like a data frame: its length is rows, what it yields is columns."""

    def __len__(self) -> int:
        return 2

    def __iter__(self) -> Iterator[str]:
        return iter("abc")


@pytest.mark.parametrize("results", [Table(), [1], [1, 2, 3], None, 5, "ab", {"a": 1, "b": 2}, iter([1, 2])])
def test_a_wrong_number_of_results_names_the_authors_method(results: Any) -> None:
    batcher = Batcher(lambda xs: results, max_batch_size=2)

    with pytest.raises(BadModelOutput, match="_predict_batch"):
        batcher.submit([1, 2]).results(10)
    batcher.close(10)


def test_a_request_whose_client_has_left_never_runs(gate: Gate, batcher: Batcher) -> None:
    batcher.submit([1])
    gate.entered.wait(10)
    left = batcher.submit([2])
    stays = batcher.submit([3])
    left.cancel()
    gate.open.set()

    assert stays.results(10) == [30]
    assert gate.batches == [[1], [3]]
    with pytest.raises(Abandoned):
        left.results(0)


def test_a_request_whose_deadline_has_passed_never_runs() -> None:
    now = [0.0]
    gate = Gate()
    batcher = Batcher(gate, clock=lambda: now[0])
    batcher.submit([1])
    gate.entered.wait(10)
    late = batcher.submit([2], deadline=5.0)
    now[0] = 6.0
    gate.open.set()

    with pytest.raises(DeadlineExceeded):
        late.results(10)
    batcher.close(10)
    assert gate.batches == [[1]]


def test_a_full_queue_refuses_at_once_and_says_when_to_come_again(gate: Gate, batcher: Batcher) -> None:
    batcher.submit([0])
    gate.entered.wait(10)
    batcher.submit(list(range(8)))

    with pytest.raises(Overloaded) as refusal:
        batcher.submit([9])

    assert refusal.value.retry_after > 0
    assert batcher.queue_length() == 8


def test_what_waits_at_the_end_is_still_answered(gate: Gate) -> None:
    batcher = Batcher(gate, max_batch_size=1)
    request = batcher.submit([1, 2, 3])
    gate.entered.wait(10)
    gate.open.set()

    batcher.close(10)

    assert request.results(0) == [10, 20, 30]
    with pytest.raises(Overloaded):
        batcher.submit([4])


@settings(deadline=None)
@given(
    st.lists(st.tuples(st.integers(0, 50), st.sampled_from("abc")), max_size=40),
    st.integers(1, 8),
    st.sets(st.integers(0, 50), max_size=5),
)
def test_answer_i_belongs_to_request_i(
    requests: list[tuple[int, str]], max_batch_size: int, poison: set[int]
) -> None:
    def run(xs: list[int], *, parameter: str) -> list[str]:
        if poison & set(xs):
            raise ValueError(f"poison {sorted(poison & set(xs))}")
        return [f"{parameter}{x}" for x in xs]

    batcher = Batcher(run, max_batch_size=max_batch_size)
    pending = [batcher.submit([x], {"parameter": letter}) for x, letter in requests]

    for (x, letter), request in zip(requests, pending, strict=True):
        if x in poison:
            with pytest.raises(ValueError, match=str(x)):
                request.results(10)
        else:
            assert request.results(10) == [f"{letter}{x}"]
    batcher.close(10)


def test_who_waits_is_woken_when_the_request_is_cancelled(gate: Gate, batcher: Batcher) -> None:
    running = batcher.submit([1])
    gate.entered.wait(10)
    waiting = batcher.submit([2])
    told: list[BaseException] = []

    def wait(request: Any) -> None:
        try:
            request.results(10)
        except Abandoned as error:
            told.append(error)

    threads = [threading.Thread(target=wait, args=(request,)) for request in (running, waiting) * 2]
    for thread in threads:
        thread.start()
    running.cancel()
    waiting.cancel()
    for thread in threads:
        thread.join(10)

    assert len(told) == 4
    gate.open.set()
    assert batcher.submit([3]).results(10) == [30]
    assert gate.batches == [[1], [3]]


def test_a_wait_that_is_too_long_ends_and_the_request_goes_on(gate: Gate, batcher: Batcher) -> None:
    request = batcher.submit([1])

    with pytest.raises(TimeoutError, match="within 0"):
        request.results(0)

    gate.open.set()
    assert request.results(10) == [10]
    assert request.results() == [10]


def test_a_request_without_inputs_is_answered_without_the_model(gate: Gate, batcher: Batcher) -> None:
    assert batcher.submit([]).results(0) == []


def test_for_how_long_the_model_is_busy_and_will_be_can_be_asked() -> None:
    now = [0.0]
    gate = Gate()
    gate.open.set()
    batcher = Batcher(gate, clock=lambda: now[0])
    assert (batcher.busy_s(), batcher.predicted_wait_s()) == (0, 0)
    gate.open.clear()
    request = batcher.submit([1])
    gate.entered.wait(10)
    now[0] = 7.0

    assert (batcher.busy_s(), batcher.predicted_wait_s()) == (7, 7)

    gate.open.set()
    request.results(10)
    batcher.close(10)
    assert (batcher.busy_s(), batcher.predicted_wait_s()) == (0, 0)
    assert (request.queue_s, request.predict_s) == (0, 7)


@pytest.mark.parametrize("is_broken", [False, True])
def test_an_observer_is_told_and_cannot_break_anything(
    is_broken: bool, caplog: pytest.LogCaptureFixture
) -> None:
    told: list[Any] = []

    def observe(event: Any) -> None:
        told.append(event)
        if is_broken:
            raise RuntimeError("the observer")

    gate = Gate()
    batcher = Batcher(gate, max_queue=1, observe=observe)
    first = batcher.submit([1])
    gate.entered.wait(10)
    second = batcher.submit([2])
    with pytest.raises(Overloaded):
        batcher.submit([3])
    second.cancel()
    gate.open.set()
    assert first.results(10) == [10]
    batcher.close(10)

    assert told[:2] == [Dropped("refused", 1), Dropped("cancelled", 1)]
    assert isinstance(told[2], Call)
    assert (told[2].size, told[2].ended, len(told[2].queue_s)) == (1, "ok", 1)
    assert len(told) == 3
    assert ("the observer" in caplog.text) is is_broken


def test_a_model_that_hangs_at_the_end_leaves_nobody_waiting(gate: Gate, batcher: Batcher) -> None:
    requests = [batcher.submit([1])]
    gate.entered.wait(10)
    requests.append(batcher.submit([2]))

    batcher.close(0.01)

    for request in requests:
        with pytest.raises(Overloaded, match="shutting down"):
            request.results(0)


def test_a_fault_of_the_batcher_itself_leaves_nobody_waiting(caplog: pytest.LogCaptureFixture) -> None:
    healthy = threading.Event()
    healthy.set()

    def clock() -> float:
        if not healthy.is_set() and threading.current_thread().name == "maxfw-batcher":
            healthy.set()
            raise MemoryError
        return 0.0

    gate = Gate()
    batcher = Batcher(gate, clock=clock)
    requests = [batcher.submit([1])]
    gate.entered.wait(10)
    requests.append(batcher.submit([2]))
    healthy.clear()
    gate.open.set()

    for request in requests:
        with pytest.raises(ModelFailed, match="MemoryError"):
            request.results(10)
    assert batcher.submit([3]).results(10) == [30]
    assert "the batcher failed" in caplog.text
    batcher.close(10)


def test_the_thread_wakes_up_from_waiting_for_company_and_nobody_is_lost() -> None:
    calls: list[int] = []
    batcher = Batcher(lambda xs: calls.append(len(xs)) or xs, max_wait_s=0.001, max_batch_size=4)
    answers: dict[int, list[int]] = {}

    def ask(caller: int) -> None:
        answers[caller] = [batcher.submit([caller * 1000 + x]).results(10)[0] for x in range(100)]

    at_once(ask, range(8))
    batcher.close(10)

    assert answers == {caller: [caller * 1000 + x for x in range(100)] for caller in range(8)}
    assert sum(calls) == 800


def test_many_threads_that_ask_and_leave_get_their_own_answers_or_none() -> None:
    def run(xs: list[Any], *, factor: int) -> list[Any]:
        if any(x % 17 == 0 for x in xs):
            raise ValueError("seventeen")
        return [x * factor for x in xs]

    batcher = Batcher(run, max_batch_size=8)
    wrong: list[Any] = []

    def ask(caller: int) -> None:
        for x in range(200):
            value = caller * 1000 + x
            request = batcher.submit([value, value + 5000], {"factor": x % 3})
            if x % 7 == 0:
                request.cancel()
            try:
                if request.results(10) != [value * (x % 3), (value + 5000) * (x % 3)]:
                    wrong.append(value)
            except ValueError:
                if value % 17 and (value + 5000) % 17:
                    wrong.append(value)
            except Abandoned:
                if x % 7:
                    wrong.append(value)

    at_once(ask, range(8))
    batcher.close(10)

    assert wrong == []
    assert batcher.queue_length() == 0


def test_nothing_of_an_answered_request_stays_in_memory() -> None:
    class Picture:
        pass

    batcher = Batcher(lambda xs: [None for _ in xs])
    picture = Picture()
    kept = weakref.ref(picture)
    batcher.submit([picture]).results(10)
    batcher.submit([1]).results(10)
    del picture
    batcher.close(10)

    assert kept() is None
