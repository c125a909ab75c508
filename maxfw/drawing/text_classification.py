"""Each text over a bar for each of its labels."""

from __future__ import annotations

from PIL import Image

from maxfw.drawing.bars import bars
from maxfw.drawing.base import stacked
from maxfw.tasks.base import Inputs
from maxfw.tasks.text_classification import TextClassificationAnswer


def draw(inputs: Inputs, answer: TextClassificationAnswer) -> Image.Image:
    """One chart below the other, in the order of the texts."""
    charts = (
        bars(list(ranked[0].items()), title=text)
        for text, ranked in zip(inputs.body["text"], answer.predictions, strict=True)
    )
    return stacked(charts)
