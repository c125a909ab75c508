"""Image embedding: a picture as a vector, near to those of pictures that look alike."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any

from msgspec import Meta

from maxfw.tasks.base import Answer, ImageTask, Label
from maxfw.tasks.values import finite_numbers


class ImageEmbeddingAnswer(Answer, kw_only=True):
    """The picture as a vector; a list of one vector, since one picture was sent."""

    predictions: Annotated[list[list[float]], Meta(description="one vector for each picture")]


class ImageEmbedding(ImageTask):
    """A picture in; a vector of fixed length out, for search, grouping, or a classifier of your own.

    `_post_process` returns the vector, a numpy array or a list of numbers.
    """

    name = "image-embedding"
    title = "Image Embedding"
    answer = ImageEmbeddingAnswer

    template_imports = """\
import numpy as np

from maxfw.model import MAXModelWrapper
from maxfw.tasks.image_embedding import ImageEmbedding"""
    template = '''\
    task = ImageEmbedding()

    def _pre_process(self, image):
        """PIL RGB image → sixteen colours of it, float32 (4, 4, 3), 0…1."""
        return np.asarray(image.resize((4, 4)), dtype=np.float32) / 255

    def _predict_batch(self, batch):
        """n × float32 (4, 4, 3) → n × float32 (48,), each of length 1."""
        vectors = np.stack(batch).reshape(len(batch), -1) + 1e-6
        return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)

    def _post_process(self, vector):
        """float32 (48,) → the same."""
        return vector
'''

    def __init__(self, *, decode_at: tuple[int, int] | None = None) -> None:
        super().__init__(decode_at=decode_at)

    def write(
        self, items: Sequence[Any], outcomes: Sequence[Any], labels: Sequence[Label]
    ) -> ImageEmbeddingAnswer:
        """Vectors, numbers (n,) each → lists."""
        return ImageEmbeddingAnswer(predictions=[finite_numbers(outcome) for outcome in outcomes])
