"""Text classification: how well each label fits a text."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from maxfw.tasks.base import Answer, Label, probabilities_by_name
from maxfw.tasks.texts import TextsTask


class TextClassificationAnswer(Answer, kw_only=True):
    """One list for each text, holding one object `{label: probability}`."""

    predictions: list[list[dict[str, float]]]


class TextClassification(TextsTask):
    """Texts in; for each text the probability of every label.

    `_post_process` returns `{label: probability}`, or the probabilities as a vector in the order of the labels.
    """

    name = "text-classification"
    title = "Text Classification"
    answer = TextClassificationAnswer

    template_imports = """\
import numpy as np

from maxfw.model import MAXModelWrapper
from maxfw.tasks.text_classification import TextClassification"""
    template = '''\
    task = TextClassification(labels=["shouting", "talking"])

    def _pre_process(self, text):
        """One text, str → the share of its letters that are capitals, float32 (1,)."""
        letters = [letter for letter in text if letter.isalpha()]
        capitals = sum(letter.isupper() for letter in letters)
        return np.array([capitals / max(len(letters), 1)], dtype=np.float32)

    def _predict_batch(self, batch):
        """n × float32 (1,) → n × float32 (2,), the probabilities of the labels."""
        shouting = np.stack(batch)
        return np.concatenate([shouting, 1 - shouting], axis=1)

    def _post_process(self, probabilities):
        """float32 (2,) → {label: probability}."""
        return {label.name: p for label, p in zip(self.labels, probabilities)}
'''

    def write(
        self, items: Sequence[Any], outcomes: Sequence[Any], labels: Sequence[Label]
    ) -> TextClassificationAnswer:
        """`{label: probability}` or vectors → one list for each text, labels in the order given."""
        return TextClassificationAnswer(
            predictions=[[probabilities_by_name(outcome, labels)] for outcome in outcomes]
        )
