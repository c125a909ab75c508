"""Keyword spotting: which of a few words is said in a sound."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from maxfw.tasks.audio import AudioTask
from maxfw.tasks.base import Answer, Label
from maxfw.tasks.image_classification import Classification, ranked

MOST = 5


class KeywordSpottingAnswer(Answer, kw_only=True):
    """The likeliest words, best first."""

    predictions: list[Classification]


class KeywordSpotting(AudioTask):
    """A sound in; the likeliest of a few words out, best first.

    `_post_process` returns the probabilities as a vector in the order of the labels, of which the five best are
    answered, or the `Classification`s themselves.
    """

    name = "keyword-spotting"
    title = "Keyword Spotting"
    answer = KeywordSpottingAnswer

    template_imports = """\
import numpy as np

from maxfw.model import MAXModelWrapper
from maxfw.tasks.keyword_spotting import KeywordSpotting"""
    template = '''\
    task = KeywordSpotting(labels=["aah", "sss"], rate=16_000)

    def _pre_process(self, waveform):
        """Waveform, float32 (n,), −1…1, mono, 16 kHz → how often it crosses zero, float32 (1,), 0…1."""
        crossings = np.diff(np.signbit(waveform), prepend=np.signbit(waveform[:1]))
        return np.mean(crossings, dtype=np.float32, keepdims=True)

    def _predict_batch(self, batch):
        """n × float32 (1,) → n × float32 (2,), the probabilities of the words."""
        hiss = np.stack(batch).clip(0, 1)
        return np.concatenate([1 - hiss, hiss], axis=1)

    def _post_process(self, probabilities):
        """float32 (2,) → the same; the task ranks them and names their labels."""
        return probabilities
'''

    def write(
        self, items: Sequence[Any], outcomes: Sequence[Any], labels: Sequence[Label]
    ) -> KeywordSpottingAnswer:
        """A vector of probabilities, or classifications → the best five."""
        return KeywordSpottingAnswer(predictions=ranked(outcomes[0], labels, top=MOST, most=MOST))
