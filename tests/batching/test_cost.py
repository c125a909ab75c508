"""What the batcher learns about the time of a call."""

from __future__ import annotations

import random

import pytest

from maxfw.batching.cost import Cost


def taught(cost: Cost, sizes: list[int], seconds: float = 1.0) -> Cost:
    for size in sizes:
        cost.learn(size, seconds * (0.05 + 0.01 * size))
    return cost


def random_sizes(count: int) -> list[int]:
    draw = random.Random(1)
    return [draw.randint(1, 16) for _ in range(count)]


def test_the_cost_of_a_call_and_of_an_input_are_told_apart() -> None:
    cost = taught(Cost(), random_sizes(30))

    assert cost.per_call == pytest.approx(0.05, rel=0.02)
    assert cost.per_input == pytest.approx(0.01, rel=0.02)
    assert cost.seconds(8) == pytest.approx(0.13, rel=0.02)


def test_noise_averages_out() -> None:
    draw = random.Random(2)
    cost = Cost()
    for size in random_sizes(300):
        cost.learn(size, (0.05 + 0.01 * size) * draw.uniform(0.8, 1.2))

    assert cost.seconds(1) == pytest.approx(0.06, rel=0.2)
    assert cost.seconds(16) == pytest.approx(0.21, rel=0.1)


def test_nothing_is_known_from_the_first_call_which_warms_the_model_up() -> None:
    cost = Cost()
    cost.learn(1, 100.0)

    assert not cost.is_known
    assert cost.seconds(1) == 0

    taught(cost, [1])
    assert cost.is_known
    assert cost.seconds(1) == pytest.approx(0.06)


def test_a_single_slow_call_is_hardly_believed() -> None:
    cost = taught(Cost(), random_sizes(50))
    cost.learn(8, 100.0)

    assert cost.seconds(8) == pytest.approx(0.13, rel=0.1)


def test_a_model_that_has_become_slower_is_believed() -> None:
    cost = taught(Cost(), random_sizes(50))
    taught(cost, random_sizes(100), seconds=10)

    assert cost.seconds(8) == pytest.approx(1.3, rel=0.1)


def test_a_model_that_has_become_faster_is_believed() -> None:
    cost = taught(taught(Cost(), random_sizes(50), seconds=10), random_sizes(100))

    assert cost.seconds(8) == pytest.approx(0.13, rel=0.1)


def test_as_long_as_all_batches_have_one_size_nothing_is_promised_of_larger_ones() -> None:
    cost = taught(Cost(), [1] * 50)

    assert cost.seconds(1) == pytest.approx(0.06)
    assert cost.seconds(10) == pytest.approx(0.6)


def test_what_was_learnt_from_many_sizes_outlives_a_time_of_one_size() -> None:
    cost = taught(taught(Cost(), random_sizes(50)), [1] * 10_000)

    assert cost.seconds(1) == pytest.approx(0.06, rel=0.01)
    assert cost.seconds(16) == pytest.approx(0.21, rel=0.1)


def test_an_estimate_that_is_doubted_shrinks_until_calls_confirm_it() -> None:
    cost = taught(Cost(), random_sizes(50))
    for _ in range(100):
        cost.doubt()
    assert cost.seconds(8) < 0.02

    taught(cost, random_sizes(60))
    assert cost.seconds(8) == pytest.approx(0.13, rel=0.1)
