"""Toxicity: which of several labels fit a text, each for itself."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any

from msgspec import Meta, Struct

from maxfw.tasks.base import Answer, Label, probabilities_by_name
from maxfw.tasks.texts import TextsTask


class Judged(Struct):
    """One text as it was sent, and what is said of it."""

    original_text: Annotated[str, Meta(description="the text as it was sent")]
    predictions: Annotated[
        dict[str, float], Meta(description="each label with its probability, 0…1; they need not sum to 1")
    ]


class ToxicityAnswer(Answer, kw_only=True):
    """The texts in their order, each with the probability of every label."""

    results: list[Judged]


class Toxicity(TextsTask):
    """Texts in; for each text the probability of every label out, of which any number may be high.

    `_post_process` returns `{label: probability}`, or the probabilities as a vector in the order of the labels.
    """

    name = "toxicity"
    title = "Toxicity"
    answer = ToxicityAnswer

    template_imports = """\
import numpy as np

from maxfw.model import MAXModelWrapper
from maxfw.tasks.toxicity import Toxicity"""
    template = '''\
    task = Toxicity(labels=["toxic", "insult"])

    def _pre_process(self, text):
        """One text, str → the shares of capitals and of exclamation marks in it, float32 (2,)."""
        length = max(len(text), 1)
        return np.array([sum(map(str.isupper, text)) / length, text.count("!") / length], dtype=np.float32)

    def _predict_batch(self, batch):
        """n × float32 (2,) → n × float32 (2,), the probability of each label for itself."""
        return np.stack(batch)

    def _post_process(self, probabilities):
        """float32 (2,) → the same."""
        return probabilities
'''

    def write(self, items: Sequence[Any], outcomes: Sequence[Any], labels: Sequence[Label]) -> ToxicityAnswer:
        """`{label: probability}` or vectors → one entry for each text."""
        pairs = zip(items, outcomes, strict=True)
        return ToxicityAnswer(
            results=[Judged(text, probabilities_by_name(outcome, labels)) for text, outcome in pairs]
        )
