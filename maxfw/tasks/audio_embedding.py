"""Audio embedding: a sound as vectors, one for each moment, near to those of sounds alike."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any

from msgspec import Meta

from maxfw.tasks.audio import AudioTask
from maxfw.tasks.base import Answer, Label
from maxfw.tasks.values import number_rows


class AudioEmbeddingAnswer(Answer, kw_only=True):
    """The sound as rows of numbers, one for each moment of about a second."""

    embedding: Annotated[list[list[float]], Meta(description="one row for each moment of 0.96 s, in order")]


class AudioEmbedding(AudioTask):
    """A sound in; a vector of fixed length for each moment of about a second out, in their order.

    `_post_process` returns the rows, a numpy array of two dimensions or lists of numbers.
    """

    name = "audio-embedding"
    title = "Audio Embedding"
    answer = AudioEmbeddingAnswer

    template_imports = """\
import numpy as np

from maxfw.model import MAXModelWrapper
from maxfw.tasks.audio import windows
from maxfw.tasks.audio_embedding import AudioEmbedding"""
    template = '''\
    task = AudioEmbedding(rate=16_000)

    def _pre_process(self, waveform):
        """Waveform, float32 (n,), −1…1, mono, 16 kHz → moments of 0.96 s, float32 (k, 15360)."""
        return windows(waveform, 15_360, hop=15_360)

    def _predict(self, moments):
        """float32 (k, 15360) → the strength of eight bands of frequencies, float32 (k, 8)."""
        spectrum = np.abs(np.fft.rfft(moments))[:, 1:]
        return spectrum.reshape(len(moments), 8, -1).mean(axis=2)

    def _post_process(self, rows):
        """float32 (k, 8) → the same."""
        return rows
'''

    def write(
        self, items: Sequence[Any], outcomes: Sequence[Any], labels: Sequence[Label]
    ) -> AudioEmbeddingAnswer:
        """Rows, numbers (k, n) → lists."""
        return AudioEmbeddingAnswer(embedding=number_rows(outcomes[0]))
