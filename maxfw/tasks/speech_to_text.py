"""Speech to text: what is said in a sound, written down."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any

from msgspec import Meta

from maxfw.tasks.audio import AudioTask
from maxfw.tasks.base import Answer, Label
from maxfw.tasks.values import typed


class SpeechToTextAnswer(Answer, kw_only=True):
    """What was said; an empty text if nothing was understood."""

    prediction: Annotated[str, Meta(description="what was said")]


class SpeechToText(AudioTask):
    """A sound in; the words that are said in it out.

    `_post_process` returns the text.
    """

    name = "speech-to-text"
    title = "Speech to Text"
    answer = SpeechToTextAnswer

    template_imports = """\
import numpy as np

from maxfw.model import MAXModelWrapper
from maxfw.tasks.speech_to_text import SpeechToText"""
    template = '''\
    task = SpeechToText(rate=16_000)

    def _pre_process(self, waveform):
        """Waveform, float32 (n,), −1…1, mono, 16 kHz → how loud it is, float32 (1,), 0…1."""
        return np.sqrt(np.mean(waveform**2, keepdims=True))

    def _predict_batch(self, batch):
        """n × float32 (1,) → n texts."""
        return ["hello" if loudness[0] > 0.1 else "" for loudness in batch]

    def _post_process(self, text):
        """The text as it is answered."""
        return text
'''

    def write(
        self, items: Sequence[Any], outcomes: Sequence[Any], labels: Sequence[Label]
    ) -> SpeechToTextAnswer:
        """A text → the answer."""
        return SpeechToTextAnswer(prediction=typed(outcomes[0], str))
