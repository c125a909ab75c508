"""Image classification: vectors, lists and ready classifications become one kind of answer."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from maxfw.errors import BadModelOutput
from maxfw.tasks.base import Label
from maxfw.tasks.image_classification import Classification, ImageClassification, best

LABELS = [Label(str(number), name) for number, name in enumerate(["cat", "???", "dog"])]


def answered(outcome: Any, **declared: Any) -> list[tuple[str, float]]:
    """What is answered for an outcome, as (label, probability)."""
    answer = ImageClassification(**declared).write([None], [outcome], LABELS)
    return [(found.label, found.probability) for found in answer.predictions]


@pytest.mark.parametrize(
    "outcome",
    [
        np.array([0.25, 0.5, 0.75], np.float32),
        np.array([0.25, 0.5, 0.75], np.float16),
        [0.25, 0.5, 0.75],
        (0.25, 0.5, 0.75),
        [np.float32(0.25), np.float32(0.5), np.float32(0.75)],
    ],
)
def test_numbers_in_a_row_are_ranked_and_named(outcome: Any) -> None:
    assert answered(outcome) == [("dog", 0.75), ("cat", 0.25)]
    assert answered(outcome, top=1) == [("dog", 0.75)]


@pytest.mark.parametrize(
    "outcome",
    [
        [13.0, 0.1, 0.2],
        np.array([-2.0, 0.5, 0.5]),
        np.array([200, 0, 0], np.uint8),
        np.array([np.nan, 0, 0]),
        [0.5],
        [[0.1], [0.2, 0.3]],
        "abc",
        [Classification("0", "cat", 13.0)],
        [Classification("0", "cat", -0.5)],
    ],
)
def test_what_is_no_probability_is_the_models_fault(outcome: Any) -> None:
    with pytest.raises(BadModelOutput, match="_post_process"):
        answered(outcome)


def test_the_refusal_names_the_value_and_its_label() -> None:
    with pytest.raises(BadModelOutput, match=r"13\.0 for 'dog'"):
        best([0.5, 0.5, 13.0], LABELS, 5)


def test_what_float32_rounds_beyond_one_is_still_a_probability() -> None:
    assert answered(np.array([np.nextafter(np.float32(1), np.float32(2)), 0, 0]))[0][0] == "cat"


def test_classifications_are_answered_best_first_and_all_unless_the_model_states_a_top() -> None:
    found = [Classification("0", "cat", number / 8) for number in (1, 7, 3, 5, 2, 6, 4)]

    assert [probability * 8 for _, probability in answered(found)] == [7, 6, 5, 4, 3, 2, 1]
    assert [probability * 8 for _, probability in answered(found, top=2)] == [7, 6]


def test_no_classification_at_all_is_an_answer() -> None:
    assert answered([]) == []
