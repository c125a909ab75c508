"""The picture with a bar for each label below it."""

from __future__ import annotations

from PIL import Image

from maxfw.drawing.bars import bars
from maxfw.drawing.base import at_width, picture_of, stacked
from maxfw.tasks.base import Inputs
from maxfw.tasks.image_classification import ImageClassificationAnswer


def draw(inputs: Inputs, answer: ImageClassificationAnswer) -> Image.Image:
    """The picture, 640 pixels wide, over bars of the likeliest labels."""
    chart = bars([(found.label, found.probability) for found in answer.predictions])
    return stacked([at_width(picture_of(inputs)), chart])
