"""Text classification: for each text the probability of every label."""

from __future__ import annotations

from typing import Any

import pytest

from maxfw.errors import BadModelOutput, TooLarge
from maxfw.settings import Settings
from maxfw.tasks.base import Inputs, Label
from maxfw.tasks.text_classification import TextClassification

LABELS = [Label("0", "calm"), Label("1", "???"), Label("2", "angry")]


def answered(outcome: Any, labels: list[Label]) -> dict[str, float]:
    return TextClassification().write(["a text"], [outcome], labels).predictions[0][0]


def test_a_vector_gets_the_names_of_the_labels() -> None:
    assert answered([0.25, 0.5, 0.75], LABELS) == {"calm": 0.25, "angry": 0.75}


def test_a_mapping_may_name_only_declared_labels() -> None:
    assert answered({"angry": 0.5}, LABELS) == {"angry": 0.5}
    with pytest.raises(BadModelOutput, match="'furious', which is not declared"):
        answered({"angry": 0.5, "furious": 0.5}, LABELS)


def test_without_declared_labels_a_mapping_may_name_any() -> None:
    assert answered({"furious": 0.5}, []) == {"furious": 0.5}


def test_more_texts_than_the_limit_are_too_large_and_the_limit_is_published() -> None:
    settings, task = Settings(max_texts=2), TextClassification()

    assert task.read(Inputs(body={"text": ["a", "b"]}), settings) == ["a", "b"]
    with pytest.raises(TooLarge, match="3 texts, at most 2"):
        task.read(Inputs(body={"text": ["a", "b", "c"]}), settings)
    assert task.limits(settings)["text"] == {"bytes": 100_000, "count": 2}
