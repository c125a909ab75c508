"""Image captioning: a picture in words."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any

from msgspec import Meta, Struct

from maxfw.errors import BadModelOutput
from maxfw.tasks.base import Answer, ImageTask, Label
from maxfw.tasks.values import typed


class Caption(Struct):
    """One sentence, its place in the ranking as a string, and how sure the model is of it, 0…1."""

    index: Annotated[str, Meta(description='"0" for the best, then "1", …')]
    caption: str
    probability: Annotated[
        float, Meta(description="how sure the model is; far from 1 even for a good sentence")
    ]


class ImageCaptioningAnswer(Answer, kw_only=True):
    """The best sentences, best first."""

    predictions: list[Caption]


class ImageCaptioning(ImageTask):
    """A picture in; the sentences that describe it best out, best first.

    `_post_process` returns pairs `(caption, probability)`, best first, of which the `top` first are answered, or
    the `Caption`s themselves.
    """

    name = "image-captioning"
    title = "Image Captioning"
    answer = ImageCaptioningAnswer

    template_imports = """\
import numpy as np

from maxfw.model import MAXModelWrapper
from maxfw.tasks.image_captioning import ImageCaptioning"""
    template = '''\
    task = ImageCaptioning()

    def _pre_process(self, image):
        """PIL RGB image → its mean colour, float32 (3,), 0…255."""
        return np.asarray(image, dtype=np.float32).mean(axis=(0, 1))

    def _predict_batch(self, batch):
        """n × float32 (3,) → n × float32 (3,), the share of each colour."""
        colours = np.stack(batch) + 1e-6
        return colours / colours.sum(axis=1, keepdims=True)

    def _post_process(self, shares):
        """float32 (3,) → `(caption, probability)` for each colour, best first."""
        ranked = sorted(zip(("red", "green", "blue"), shares), key=lambda pair: -pair[1])
        return [(f"a picture that is mostly {colour}", share) for colour, share in ranked]
'''

    def __init__(self, *, top: int = 3) -> None:
        super().__init__()
        self.top = top

    def write(
        self, items: Sequence[Any], outcomes: Sequence[Any], labels: Sequence[Label]
    ) -> ImageCaptioningAnswer:
        """Pairs `(caption, probability)`, or captions → the first `top`, numbered."""
        outcome = list(outcomes[0])
        if outcome and isinstance(outcome[0], tuple | list):
            pairs = typed(outcome, list[tuple[str, float]])[: self.top]
            found = [Caption(str(index), *pair) for index, pair in enumerate(pairs)]
        else:
            found = typed(outcome, list[Caption])
        for caption in found:
            if not 0 <= caption.probability <= 1:
                raise BadModelOutput(
                    f"_post_process returned {caption.probability} for {caption.caption!r}, not a probability (0…1)"
                )
        return ImageCaptioningAnswer(predictions=found)
