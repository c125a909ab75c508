"""Image classification: what a picture shows."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from msgspec import Struct

from maxfw.errors import BadModelOutput
from maxfw.tasks.base import Answer, ImageTask, Label, typed


class Classification(Struct):
    """One label with its probability, 0…1."""

    label_id: str
    label: str
    probability: float


class ImageClassificationAnswer(Answer, kw_only=True):
    """The likeliest labels, best first."""

    predictions: list[Classification]


class ImageClassification(ImageTask):
    """A picture in; the likeliest labels out, best first.

    `_post_process` returns the probabilities as a vector in the order of the labels, of which the `top` best
    are answered, or the `Classification`s themselves.
    """

    name = "image-classification"
    title = "Image Classification"
    answer = ImageClassificationAnswer

    template_imports = """\
import numpy as np

from maxfw.model import MAXModelWrapper
from maxfw.tasks.image_classification import ImageClassification"""
    template = '''\
    task = ImageClassification(labels=["red", "green", "blue"])

    def _pre_process(self, image):
        """PIL RGB image → its mean colour, float32 (3,), 0…255."""
        return np.asarray(image, dtype=np.float32).mean(axis=(0, 1))

    def _predict_batch(self, batch):
        """n × float32 (3,) → n × float32 (3,), the share of each colour."""
        colours = np.stack(batch) + 1e-6
        return colours / colours.sum(axis=1, keepdims=True)

    def _post_process(self, probabilities):
        """float32 (3,) → the same; the task ranks them and names their labels."""
        return probabilities
'''

    def __init__(
        self,
        *,
        labels: str | Sequence[str | Label] = (),
        first_label_id: int = 0,
        decode_at: tuple[int, int] | None = None,
        top: int = 5,
    ) -> None:
        super().__init__(labels=labels, first_label_id=first_label_id, decode_at=decode_at)
        self.top = top

    def write(
        self, items: Sequence[Any], outcomes: Sequence[Any], labels: Sequence[Label]
    ) -> ImageClassificationAnswer:
        """A vector of probabilities, or classifications → the best `top`."""
        outcome = outcomes[0]
        if isinstance(outcome, np.ndarray):
            return ImageClassificationAnswer(predictions=best(outcome, labels, self.top))
        return ImageClassificationAnswer(predictions=typed(outcome, list[Classification]))


def best(probabilities: np.ndarray, labels: Sequence[Label], top: int) -> list[Classification]:
    """Probabilities in the order of the labels, float (n,) → the `top` best; a label `???` is passed over.

    Raises:
        BadModelOutput: there are not as many probabilities as labels, or one is not finite.
    """
    if probabilities.shape != (len(labels),):
        raise BadModelOutput(f"_post_process returned shape {probabilities.shape} for {len(labels)} labels")
    if not np.isfinite(probabilities).all():
        raise BadModelOutput("_post_process returned a number that is not finite")
    ranked = [index for index in np.argsort(-probabilities, kind="stable") if labels[index].name != "???"]
    return [
        Classification(labels[index].id, labels[index].name, float(probabilities[index]))
        for index in ranked[:top]
    ]
