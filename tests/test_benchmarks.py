"""The arithmetic of the benchmarks: a ratio that is wrong would make every page about speed wrong."""

from __future__ import annotations

import importlib.util
import json
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

FOLDER = Path(__file__).resolve().parent.parent / "benchmarks"


def module(name: str) -> ModuleType:
    """A module of `benchmarks/`, which belongs to no installed package."""
    spec = importlib.util.spec_from_file_location(f"benchmarks_{name}", FOLDER / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    loaded = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(loaded)
    return loaded


ratios = module("ratios")
answers = module("answers")


def test_a_ratio_is_made_within_each_round_and_not_between_rounds() -> None:
    quiet, busy = 0, 1
    mine = {quiet: 1000.0, busy: 300.0}
    theirs = {quiet: 500.0, busy: 100.0}

    found = ratios.ratios(mine, theirs)

    assert (found.low, found.median, found.high, found.rounds) == (2.0, 2.5, 3.0, 2)


def test_a_round_that_only_one_of_them_has_does_not_count() -> None:
    found = ratios.ratios({0: 4.0, 1: 9.0}, {0: 2.0, 2: 1.0})

    assert (found.median, found.rounds) == (2.0, 1)


def test_without_a_common_round_there_is_no_ratio() -> None:
    with pytest.raises(ValueError, match="no round"):
        ratios.ratios({0: 1.0}, {1: 1.0})


def test_a_difference_is_made_within_each_round() -> None:
    found = ratios.differences({0: 5.5, 1: 9.0, 2: 6.0}, {0: 5.0, 1: 8.0, 2: 5.8})

    assert found.median == pytest.approx(0.5)
    assert found.low == pytest.approx(0.2)
    assert found.text(1, " ms") == "0.5 ms (0.2–1.0)"


def test_the_best_peer_may_be_another_one_in_each_round() -> None:
    assert ratios.best_of({"a": {0: 10.0, 1: 1.0}, "b": {0: 5.0, 1: 7.0}}) == {0: 10.0, 1: 7.0}


@pytest.mark.parametrize(("share", "value"), [(0.5, 51.0), (0.99, 100.0), (1.0, 100.0), (0.0, 1.0)])
def test_a_percentile_is_a_value_that_was_seen(share: float, value: float) -> None:
    assert ratios.percentile([float(number) for number in range(100, 0, -1)], share) == value


def classified(**probabilities: float) -> dict[str, Any]:
    found = [{"label_id": "1", "label": name, "probability": p} for name, p in probabilities.items()]
    return {"status": "ok", "predictions": found}


EXPECTED = classified(dog=0.6, cat=0.3)
SCORES = {"positive": 0.52, "negative": 0.48}


@pytest.mark.parametrize(
    ("task", "expected", "body"),
    [
        ("image", EXPECTED, EXPECTED),
        ("image", EXPECTED, classified(dog=0.605, cat=0.295)),
        ("batch", {"predictions": [[SCORES]]}, [SCORES]),  # BentoML's list has no envelope
        ("batch", {"predictions": [[SCORES]]}, {"predictions": [[dict(reversed(SCORES.items()))]]}),
    ],
)
def test_a_right_answer_is_taken_for_right(task: str, expected: Any, body: Any) -> None:
    assert answers.wrong_answer(task, expected, json.dumps(body).encode()) == ""


@pytest.mark.parametrize(
    ("task", "expected", "body"),
    [
        ("image", EXPECTED, b"<html>"),
        ("image", EXPECTED, b"{}"),
        ("image", EXPECTED, b'{"status": "ok", "predictions": []}'),
        ("image", EXPECTED, json.dumps(classified(cat=0.6, dog=0.3)).encode()),
        ("image", EXPECTED, json.dumps(classified(dog=0.7, cat=0.3)).encode()),
        (
            "batch",
            {"predictions": [[SCORES]]},
            b'{"predictions": [[{"positive": 0.521, "negative": 0.479}]]}',
        ),
    ],
)
def test_a_wrong_answer_is_noticed(task: str, expected: Any, body: bytes) -> None:
    assert answers.wrong_answer(task, expected, body)
