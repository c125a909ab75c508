"""Text embedding: a text as a vector, near to those of texts that mean the same."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any

from msgspec import Meta

from maxfw.tasks.base import Answer, Label
from maxfw.tasks.texts import TextsTask
from maxfw.tasks.values import finite_numbers


class TextEmbeddingAnswer(Answer, kw_only=True):
    """The texts as vectors, in their order."""

    predictions: Annotated[list[list[float]], Meta(description="one vector for each text")]


class TextEmbedding(TextsTask):
    """Texts in; for each a vector of fixed length out, for search, grouping, or a classifier of your own.

    `_post_process` returns the vector, a numpy array or a list of numbers.
    """

    name = "text-embedding"
    title = "Text Embedding"
    answer = TextEmbeddingAnswer

    template_imports = """\
import numpy as np

from maxfw.model import MAXModelWrapper
from maxfw.tasks.text_embedding import TextEmbedding"""
    template = '''\
    task = TextEmbedding()

    def _pre_process(self, text):
        """One text, str → how often each of 26 letters stands in it, float32 (26,)."""
        letters = [text.lower().count(chr(ord("a") + number)) for number in range(26)]
        return np.array(letters, dtype=np.float32)

    def _predict_batch(self, batch):
        """n × float32 (26,) → n × float32 (26,), each of length 1."""
        vectors = np.stack(batch) + 1e-6
        return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)

    def _post_process(self, vector):
        """float32 (26,) → the same."""
        return vector
'''

    def write(
        self, items: Sequence[Any], outcomes: Sequence[Any], labels: Sequence[Label]
    ) -> TextEmbeddingAnswer:
        """Vectors, numbers (n,) each → lists."""
        return TextEmbeddingAnswer(predictions=[finite_numbers(outcome) for outcome in outcomes])
