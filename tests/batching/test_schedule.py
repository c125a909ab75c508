"""What the model does next, on a clock that the tests tell: no threads, no waiting."""

from __future__ import annotations

import gc
import itertools
import math
import random
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from maxfw.batching.events import Call, Dropped
from maxfw.batching.inputs import bytes_of, shape_key
from maxfw.batching.pending import Group
from maxfw.errors import Abandoned, BadInput, BadModelOutput, DeadlineExceeded, Overloaded

NewWorld = Callable[..., Any]


def failing(is_bad: Callable[[Any], bool], error: type[BaseException] = ValueError) -> Callable[..., Any]:
    """A model that raises if one of its inputs is bad, naming the first."""

    def run(xs: list[Any], **_: Any) -> list[Any]:
        for x in xs:
            if is_bad(x):
                raise error(f"bad {x}")
        return [x * 10 for x in xs]

    return run


def narrow(capacity: int, error: BaseException) -> Callable[..., Any]:
    """A model with memory for so many inputs."""

    def run(xs: list[Any], **_: Any) -> list[Any]:
        if len(xs) > capacity:
            raise error
        return [x * 10 for x in xs]

    return run


def sizes(world: Any) -> list[int]:
    return [len(batch) for batch in world.batches]


# Whose turn it is


def test_whoever_has_waited_longest_is_first_and_takes_along_who_fits(new_world: NewWorld) -> None:
    world = new_world(max_batch_size=3)
    for x in range(8):
        world.ask(x, even=x % 2 == 0)
    world.run_all()

    assert world.batches == [[0, 2, 4], [1, 3, 5], [6], [7]]


def test_a_rare_kind_of_request_is_not_starved_by_a_frequent_one(new_world: NewWorld) -> None:
    world = new_world(max_batch_size=4)
    for x in range(8):
        world.ask(x)
    rare = world.ask("rare")
    for step in range(3):
        assert not rare.is_done
        world.step()
        for x in range(4):
            world.ask(100 + 10 * step + x)

    assert rare.is_done


def test_arrays_of_different_shapes_in_one_request_come_back_in_their_order(new_world: NewWorld) -> None:
    world = new_world()
    xs = [np.full(1 + i % 3, i) for i in range(9)]
    request = world.ask(*xs)
    world.run_all()

    assert sizes(world) == [3, 3, 3]
    assert [result[0] for result in request.results(0)] == [10 * i for i in range(9)]


def test_a_batch_is_as_large_as_the_earliest_deadline_allows(new_world: NewWorld) -> None:
    world = new_world(per_call=1.0, per_input=0.1)
    world.teach([1, 4, 16, 8, 2, 16])
    hurried = world.ask(0, deadline=world.now + 1.8)  # 90 % of it are enough for six inputs
    for x in range(1, 10):
        world.ask(x)
    world.run_all()

    assert sizes(world) == [6, 4]
    assert hurried.results(0) == [0]


def test_who_is_late_whatever_we_do_does_not_make_batches_small(new_world: NewWorld) -> None:
    world = new_world(per_call=1.0, per_input=0.1)
    world.teach([1, 4, 16, 8, 2, 16])
    world.ask(0, deadline=world.now + 0.5)
    for x in range(1, 10):
        world.ask(x)
    world.run_all()

    assert sizes(world) == [10]


# Who is not let in, and who leaves


def test_a_request_that_cannot_be_answered_in_time_is_refused_and_told_when_to_come(
    new_world: NewWorld,
) -> None:
    world = new_world(max_batch_size=4, per_call=1.0, per_input=0.25)
    world.teach([1, 4, 2, 4, 3])
    for x in range(10):
        world.ask(x)  # 2 + 2 + 1.5 seconds
    world.ask(10, deadline=world.now + 6.0)  # rides along with the last two

    with pytest.raises(Overloaded) as refusal:
        world.ask(11, deadline=world.now + 5.9)

    assert refusal.value.retry_after == pytest.approx(5.75, rel=0.01)
    assert world.schedule.events[-1] == Dropped("refused", 1)


def test_the_rest_of_the_running_call_counts(new_world: NewWorld) -> None:
    world = new_world(max_batch_size=1, per_call=4.0)
    world.teach([1, 1, 1])
    world.ask(0)
    world.start()
    assert world.schedule.wait_s(world.now) == pytest.approx(4.0)
    world.now += 3.0

    assert world.schedule.wait_s(world.now) == pytest.approx(1.0)
    with pytest.raises(Overloaded):
        world.ask(1, deadline=world.now + 4.9)
    world.ask(2, deadline=world.now + 5.1)


def test_a_call_that_hangs_is_expected_to_hang_on(new_world: NewWorld) -> None:
    world = new_world(per_call=1.0)
    world.teach([1, 1, 1])
    world.ask(0)
    world.start()
    world.now += 41.0

    assert world.schedule.wait_s(world.now) == pytest.approx(40.0)


def test_a_free_model_refuses_nobody_however_slow_it_is_thought_to_be(new_world: NewWorld) -> None:
    world = new_world(per_call=100.0)
    world.teach([1, 1, 1])

    world.ask(1, deadline=world.now + 1.0)


def test_a_wrong_estimate_cannot_lock_a_kind_of_request_out(new_world: NewWorld) -> None:
    world = new_world(per_call=100.0)
    world.teach([1, 1, 1], kind="a")
    world.per_call = 0.1
    world.teach([1, 1, 1], kind="b")
    world.ask(0, kind="b")
    world.start()
    refused = 0
    while True:
        try:
            world.ask(1, deadline=world.now + 30, kind="a")
            break
        except Overloaded:
            refused += 1
            assert refused < 100
    assert refused > 0


def test_the_queue_is_bounded_in_inputs_and_says_so(new_world: NewWorld) -> None:
    world = new_world(max_queue=4)
    world.ask(*range(100))  # more than the whole queue, but nobody waits

    with pytest.raises(Overloaded, match="100 inputs"):
        world.ask(1)

    world.run_all()
    world.ask(1)
    assert world.schedule.waiting == 1


def test_the_queue_is_bounded_in_bytes(new_world: NewWorld) -> None:
    world = new_world(max_queue_bytes=10_000_000)
    picture = np.zeros((1000, 1000, 4), np.uint8)
    kept = [world.ask(picture), world.ask((picture, {"mask": "x"}))]

    with pytest.raises(Overloaded, match=r"8\.0 MB"):
        world.ask(picture)

    kept[0].cancel()
    world.ask(picture)
    world.run_all()
    assert world.schedule.waiting_bytes == 0


@pytest.mark.parametrize(
    ("x", "least", "most"),
    [
        (np.zeros((10, 10), np.float32), 400, 400),
        ((np.zeros(10), {"a": np.zeros(5), "b": "x" * 1000}), 1120, 1300),
        ([np.zeros(100)] * 1000, 800_000, 800_000),
        (b"x" * 5000, 5000, 5100),
        (None, 0, 100),
    ],
)
def test_an_input_is_weighed_through_tuples_lists_and_dicts(x: Any, least: int, most: int) -> None:
    assert least <= bytes_of(x) <= most


def test_keys_of_inputs_can_be_kept(new_world: NewWorld) -> None:
    for x in ((np.zeros(2), "x"), {"a": np.zeros(2)}, [1, 2], None, 1.5):
        assert hash(shape_key(x)) == hash(shape_key(x))


def test_callers_who_invent_parameters_do_not_fill_the_memory(new_world: NewWorld) -> None:
    world = new_world(max_batch_size=4)
    before = sum(isinstance(thing, Group) for thing in gc.get_objects())
    for value in range(2000):
        world.ask(value, seed=value)
        world.run_all()

    assert sum(isinstance(thing, Group) for thing in gc.get_objects()) - before <= 64


def test_who_has_left_and_who_is_late_never_run(new_world: NewWorld) -> None:
    world = new_world()
    left, late, stays = world.ask(1, 2), world.ask(3, deadline=world.now + 5), world.ask(4)
    left.cancel()
    left.cancel()
    world.now += 5
    world.run_all()

    assert world.batches == [[4]]
    assert stays.results(0) == [40]
    with pytest.raises(Abandoned):
        left.results(0)
    with pytest.raises(DeadlineExceeded):
        late.results(0)
    drops = [event for event in world.schedule.events if isinstance(event, Dropped)]
    assert drops == [Dropped("cancelled", 2), Dropped("expired", 1)]


def test_who_leaves_while_a_batch_is_taken_apart_is_not_run_again(new_world: NewWorld) -> None:
    world = new_world(failing(lambda x: x == 0))
    requests = [world.ask(x) for x in range(4)]
    world.step()
    requests[1].cancel()
    world.run_all()

    assert world.batches == [[0, 1, 2, 3], [0], [2, 3]]


def test_a_request_fails_with_its_first_bad_input_and_the_others_behind_it_do_not_run(
    new_world: NewWorld,
) -> None:
    world = new_world(failing(lambda x: x in (3, 5)), max_batch_size=4)
    request = world.ask(*range(12))
    world.run_all()

    with pytest.raises(ValueError, match="bad 3"):
        request.results(0)
    assert not {x for batch in world.batches for x in batch} & set(range(4, 12))


def test_the_times_of_a_request_add_up(new_world: NewWorld) -> None:
    world = new_world(max_batch_size=2, per_call=1.0)
    first, second = world.ask(1), world.ask(2, 3)
    world.now += 10
    world.run_all()

    assert (first.queue_s, first.predict_s) == (10, 1)
    assert (second.queue_s, second.predict_s) == (10, 2)


# One bad input


@pytest.mark.parametrize("guilty", range(16))
def test_one_bad_input_of_sixteen_costs_at_most_eight_extra_calls(new_world: NewWorld, guilty: int) -> None:
    world = new_world(failing(lambda x: x == guilty))
    requests = [world.ask(x) for x in range(16)]
    world.run_all()

    assert len(world.batches) <= 1 + 2 * math.log2(16)
    assert [request.error is None for request in requests] == [x != guilty for x in range(16)]
    assert sum(event.poisoned for event in world.schedule.events) == 1


def test_one_poisoned_request_in_a_hundred_is_one_failure_in_a_hundred(new_world: NewWorld) -> None:
    draw = random.Random(3)
    poison = set(draw.sample(range(5000), 50))
    world = new_world(failing(lambda x: x in poison))
    requests = []
    for x in range(5000):
        requests.append(world.ask(x))
        if draw.random() < 0.1:
            world.step()
    world.run_all()

    assert {x for x, request in enumerate(requests) if request.error} == poison


def test_a_broken_model_is_not_asked_again_and_again_for_each_input(new_world: NewWorld) -> None:
    world = new_world(failing(lambda x: True))
    requests = [world.ask(x) for x in range(1600)]
    world.run_all()

    assert all(isinstance(request.error, ValueError) for request in requests)
    assert len(world.batches) < 32 + 5 * 100


def test_a_model_that_is_mended_is_noticed_with_the_next_batch(new_world: NewWorld) -> None:
    broken = True
    world = new_world(failing(lambda x: broken or x == 7))
    for x in range(200):
        world.ask(x)
    world.run_all()
    broken = False
    requests = [world.ask(x) for x in range(16)]
    world.run_all()

    assert [x for x, request in enumerate(requests) if request.error] == [7]


def test_a_burst_of_bad_requests_does_not_condemn_the_good_ones_behind_it(new_world: NewWorld) -> None:
    world = new_world(failing(lambda x: x < 40))
    requests = [world.ask(x) for x in range(48)]
    world.run_all()

    assert [request.error is None for request in requests] == [x >= 40 for x in range(48)]


def test_who_sends_nothing_but_refused_inputs_does_not_make_the_model_look_broken(
    new_world: NewWorld,
) -> None:
    world = new_world(failing(lambda x: x % 5 != 4, BadInput), max_batch_size=5)
    requests = [world.ask(x) for x in range(500)]
    world.run_all()

    assert [request.error is None for request in requests] == [x % 5 == 4 for x in range(500)]


def test_a_wrong_number_of_results_fails_all_at_once(new_world: NewWorld) -> None:
    world = new_world(lambda xs: xs[1:])
    requests = [world.ask(x) for x in range(8)]
    world.run_all()

    assert sizes(world) == [8]
    assert all(isinstance(request.error, BadModelOutput) for request in requests)
    assert world.schedule.events[-1].ended == "bad_output"


# Not enough memory


class OutOfMemoryError(RuntimeError):
    """Named like PyTorch's."""


class ResourceExhaustedError(Exception):
    """Named like TensorFlow's."""


def wrapped(error: BaseException) -> BaseException:
    outer = RuntimeError("the graph failed")
    outer.__cause__ = error
    return outer


@pytest.mark.parametrize(
    "error",
    [
        MemoryError(),
        OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB"),
        ResourceExhaustedError("OOM when allocating tensor"),
        RuntimeError(
            "BFCArena::AllocateRawInternal Failed to allocate memory for requested buffer of size 9"
        ),
        RuntimeError("RESOURCE_EXHAUSTED: Out of memory while trying to allocate"),
        wrapped(MemoryError()),
    ],
    ids=lambda error: f"{type(error).__name__}: {error}",
)
def test_a_batch_that_does_not_fit_into_memory_is_halved_until_it_does(
    new_world: NewWorld, error: BaseException
) -> None:
    world = new_world(narrow(5, error))
    requests = [world.ask(x) for x in range(40)]
    world.run_all()

    assert [request.results(0) for request in requests] == [[10 * x] for x in range(40)]
    assert sizes(world)[:4] == [16, 8, 4, 4]
    assert world.schedule.events[0].ended == "out_of_memory"


def test_the_batches_grow_again_one_by_one_and_never_beyond_the_most(new_world: NewWorld) -> None:
    capacity = 5

    def run(xs: list[Any]) -> list[Any]:
        if len(xs) > capacity:
            raise MemoryError
        return xs

    world = new_world(run)
    for x in range(60):
        world.ask(x)
    world.run_all()
    capacity = 100
    world.batches.clear()
    for x in range(2000):
        world.ask(x)
    world.run_all()

    grown = sizes(world)[:-1]
    assert grown == sorted(grown)
    assert {later - earlier for earlier, later in itertools.pairwise(grown)} == {0, 1}
    assert grown[-1] == 16


def test_an_input_that_alone_is_too_large_fails_alone(new_world: NewWorld) -> None:
    world = new_world(failing(lambda x: x == 2, MemoryError))
    requests = [world.ask(x) for x in range(4)]
    world.run_all()

    assert [type(request.error) for request in requests] == [type(None), type(None), MemoryError, type(None)]


def test_a_failed_call_holds_no_memory_while_the_smaller_one_runs(new_world: NewWorld) -> None:
    class Tensor:
        pass

    alive: list[int] = []

    def run(xs: list[Any]) -> list[Any]:
        alive.append(sum(isinstance(thing, Tensor) for thing in gc.get_objects()))
        tensor = Tensor()
        if len(xs) > 1:
            raise MemoryError(str(type(tensor)))
        return xs

    world = new_world(run)
    world.ask(1, 2, 3, 4)
    world.run_all()

    assert alive == [0] * len(alive)


# Waiting for company


def closed_loop(world: Any, clients: int, rounds: int) -> float:
    """Clients who ask again 1 to 2 ms after their answer → answers per second."""
    draw = random.Random(4)
    arrivals = sorted((world.now + draw.uniform(0.001, 0.002), client) for client in range(clients))
    asked: list[Any] = []
    answered, begin, busy_until = 0, world.now, None
    while answered < rounds * clients:
        turn = world.schedule.next(world.now) if busy_until is None else None
        if busy_until is None and turn is not None and not isinstance(turn, float):
            busy_until = world.now + world.per_call + world.per_input * len(turn.items)
            world.batches.append(turn.xs)
        moments = [arrivals[0][0] if arrivals else math.inf, busy_until or math.inf]
        moments += [world.now + turn] if isinstance(turn, float) else []
        world.now = max(world.now, min(moments))
        if busy_until is not None and world.now >= busy_until:
            batch = world.schedule.running
            world.schedule.settle(batch, batch.xs, world.now)
            busy_until = None
        while arrivals and arrivals[0][0] <= world.now:
            asked.append((world.ask(1), arrivals.pop(0)[1]))
        done = [client for request, client in asked if request.is_done]
        asked = [pair for pair in asked if not pair[0].is_done]
        answered += len(done)
        arrivals = sorted(arrivals + [(world.now + draw.uniform(0.001, 0.002), client) for client in done])
    return answered / (world.now - begin)


def test_company_is_waited_for_where_a_call_costs_much_more_than_an_input(new_world: NewWorld) -> None:
    eager = new_world(max_batch_size=32, per_call=0.020, per_input=0.0001)
    patient = new_world(max_batch_size=32, per_call=0.020, per_input=0.0001, max_wait_s=0.010)
    for world in (eager, patient):
        world.teach([1, 4, 16, 2, 8])

    assert closed_loop(patient, 16, 50) > 1.5 * closed_loop(eager, 16, 50)


def test_nobody_waits_for_company_where_it_saves_nothing(new_world: NewWorld) -> None:
    eager = new_world(max_batch_size=32, per_input=0.005)
    patient = new_world(max_batch_size=32, per_input=0.005, max_wait_s=0.010)
    for world in (eager, patient):
        world.teach([1, 4, 16, 2, 8])

    assert closed_loop(patient, 16, 20) == pytest.approx(closed_loop(eager, 16, 20), rel=0.01)


def test_a_lonely_caller_never_waits_for_company(new_world: NewWorld) -> None:
    world = new_world(max_batch_size=32, per_call=0.020, max_wait_s=0.010)
    world.teach([1, 4, 16, 2, 8, 1])
    for pause in (0.0001, 0.001, 1.0) * 20:
        world.now += pause
        request = world.ask(1)
        world.step()

        assert request.is_done
        assert request.queue_s == 0


def crowd(new_world: NewWorld) -> Any:
    """A busy model that waits for company, with 18 inputs there."""
    world = new_world(max_batch_size=32, per_call=0.018, max_wait_s=0.010)
    world.teach([1, 4, 16, 2, 8])
    for _ in range(50):
        world.now += 0.0001
        world.ask(1)
    world.step()
    return world


def test_all_wait_no_longer_than_the_call_that_is_saved_would_take(new_world: NewWorld) -> None:
    world = crowd(new_world)

    assert world.start() == pytest.approx(0.018 / 18, rel=0.01)
    assert world.batches[-1] == [1] * 32


def test_the_wait_for_company_ends_before_a_deadline_is_in_danger(new_world: NewWorld) -> None:
    world = crowd(new_world)
    world.start()
    world.ask(2, deadline=world.now + 0.018 / 0.9 + 0.0004)

    assert world.start() == pytest.approx(0.0004, rel=0.1)


def test_nobody_waits_for_company_when_the_batch_is_full_or_the_end_has_come(new_world: NewWorld) -> None:
    full, closed = crowd(new_world), crowd(new_world)
    for world in (full, closed):
        assert isinstance(world.start(), float)
    for _ in range(14):
        full.ask(1)
    closed.schedule.is_closed = True
    full.step()
    closed.step()

    assert [sizes(full), sizes(closed)] == [[32, 32], [32, 18]]


# Everything at once


class Storm:
    """Random requests, failures, departures and deadlines, and what must be true all the time."""

    def __init__(self, new_world: NewWorld, draw: Callable[[], float]) -> None:
        self.draw = draw
        self.live: list[tuple[Any, list[Any], dict[str, Any]]] = []
        self.asked = self.answered = 0
        self.cancelled: set[int] = set()
        self.patience: list[float] = [0.1]
        self.batch: Any = None
        self.world = new_world(
            self.run, max_batch_size=8, max_queue=64, max_queue_bytes=20_000, per_call=1.0, per_input=0.1
        )

    def run(self, xs: list[Any], **parameters: Any) -> Any:
        assert len(xs) <= 8
        for item in self.batch.items:
            assert item.pending.parameters == parameters
        if any(kind == "poison" for _, kind, _ in xs):
            raise ValueError(next(x for x in xs if x[1] == "poison"))
        if len(xs) > 3 and self.draw() < 0.02:
            raise MemoryError
        if self.draw() < 0.01:
            return xs[1:] or None
        return [(parameters.get("p"), x) for x in xs]

    def ask(self) -> None:
        kinds = ["ok"] * 30 + ["poison"]
        count = 1 + int(4 * self.draw() ** 3)
        xs = [
            (self.asked * 10 + index, kinds[int(self.draw() * len(kinds))], "x" * int(3 * self.draw()))
            for index in range(count)
        ]
        xs = [x if self.draw() < 0.7 else (x[0], x[1], x[2].encode()) for x in xs]
        parameters = {"p": int(3 * self.draw())} if self.draw() < 0.8 else {}
        patience = (math.inf, 100.0, 5.0, 2.0)[int(4 * self.draw())]
        self.asked += 1
        try:
            request = self.world.ask(*xs, deadline=self.world.now + patience, **parameters)
        except Overloaded as refusal:
            self.patience.append(refusal.retry_after)
            return
        self.live.append((request, xs, parameters))

    def begin(self) -> None:
        self.batch = self.world.start()
        if self.batch is not None:
            for item in self.batch.items:
                assert not item.pending.is_done
                assert item.pending.deadline > self.world.now

    def act(self) -> None:
        chance = self.draw()
        if chance < 0.45:
            self.ask()
        elif chance < 0.55 and self.live:
            request = self.live[int(self.draw() * len(self.live))][0]
            if not request.is_done:
                self.cancelled.add(id(request))
            request.cancel()
            assert request.is_done
        elif chance < 0.6:
            self.world.now += 3 * self.draw()
        elif self.world.schedule.running is None:
            self.begin()
        else:
            self.world.finish()
        if len(self.live) > 200:
            self.check()

    def check(self) -> None:
        """Every request that is done has its own answers, or a good reason."""
        for request, xs, parameters in self.live:
            if not request.is_done:
                continue
            self.answered += 1
            if request.error is None:
                assert request.results(0) == [(parameters.get("p"), x) for x in xs]
            elif isinstance(request.error, ValueError):
                assert request.error.args[0] == next(x for x in xs if x[1] == "poison")
            elif isinstance(request.error, DeadlineExceeded):
                assert request.deadline <= self.world.now
            elif isinstance(request.error, Abandoned):
                assert id(request) in self.cancelled
            else:
                assert isinstance(request.error, BadModelOutput)
        self.cancelled = {id(request) for request, _, _ in self.live if not request.is_done} & self.cancelled
        self.live = [entry for entry in self.live if not entry[0].is_done]
        self.world.batches.clear()
        self.world.schedule.events.clear()

    def end(self) -> None:
        if self.world.schedule.running is not None:
            self.world.finish()
        while True:
            self.begin()
            if self.batch is None:
                break
            self.world.finish()
        self.check()
        assert not self.live
        assert min(self.patience) > 0
        assert max(self.patience) < 100
        schedule = self.world.schedule
        assert (schedule.waiting, schedule.waiting_bytes, schedule.wait_s(self.world.now)) == (0, 0, 0)


@settings(deadline=None, max_examples=30)
@given(st.randoms(use_true_random=False), st.integers(0, 80))
def test_answer_i_belongs_to_request_i_whatever_happens(
    new_world: NewWorld, draw: random.Random, operations: int
) -> None:
    storm = Storm(new_world, draw.random)
    for _ in range(operations):
        storm.act()
    storm.end()


@pytest.mark.parametrize("operations", [10_000, pytest.param(1_000_000, marks=pytest.mark.long)])
def test_nobody_is_forgotten_in_a_storm(new_world: NewWorld, operations: int) -> None:
    storm = Storm(new_world, random.Random(operations).random)
    for _ in range(operations):
        storm.act()
    storm.end()

    assert storm.answered > operations / 10


def test_an_observer_is_told_of_each_call(new_world: NewWorld) -> None:
    world = new_world(failing(lambda x: x == 1), per_call=2.0)
    world.ask(0)
    world.now += 1
    world.ask(1)
    world.now += 1
    world.run_all()

    assert world.schedule.events == [
        Call(2, 2.0, (2.0, 1.0), "failed"),
        Call(1, 2.0, (), "ok"),
        Call(1, 2.0, (), "failed", 1),
    ]
