"""Image classification: what a picture shows."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from msgspec import Struct

from maxfw.tasks.base import Answer, ImageTask, Label
from maxfw.tasks.values import check_probability, is_vector, probability_vector, typed


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

    MOST = 5  # of a vector, where the model states no `top`

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
        top: int | None = None,
    ) -> None:
        """Declare the task of a model that names what a picture shows.

        `top` is the most that is answered. Unless it is given, that is 5 of a vector, and of `Classification`s all
        that the model returned.
        """
        super().__init__(labels=labels, first_label_id=first_label_id, decode_at=decode_at)
        self.top = top

    def write(
        self, items: Sequence[Any], outcomes: Sequence[Any], labels: Sequence[Label]
    ) -> ImageClassificationAnswer:
        """A vector of probabilities, or classifications → the best `top`."""
        return ImageClassificationAnswer(
            predictions=ranked(outcomes[0], labels, top=self.top, most=self.MOST)
        )


def ranked(outcome: Any, labels: Sequence[Label], *, top: int | None, most: int) -> list[Classification]:
    """A vector of probabilities, or classifications → the best `top`; unless it is given, the best `most` of a vector.

    Raises:
        BadModelOutput: it is neither, or has a probability outside 0…1.
    """
    if is_vector(outcome):
        return best(outcome, labels, top or most)
    found = typed(outcome, list[Classification])
    for classification in found:
        check_probability(classification.probability, classification.label)
    return sorted(found, key=lambda classification: -classification.probability)[:top]


def best(
    probabilities: np.ndarray | Sequence[float], labels: Sequence[Label], top: int
) -> list[Classification]:
    """Probabilities in the order of the labels, float (n,) → the `top` best; a label `???` is passed over.

    Raises:
        BadModelOutput: there are not as many probabilities as labels, or one is not from 0 to 1.
    """
    vector = probability_vector(probabilities, len(labels), name_of=lambda index: labels[index].name)
    found: list[Classification] = []
    # Only the labels that are answered are touched: of a thousand, most lie in cold memory.
    for index in np.argsort(-vector, kind="stable"):
        if len(found) == top:
            break
        if (label := labels[index]).name != "???":
            found.append(Classification(label.id, label.name, float(vector[index])))
    return found
