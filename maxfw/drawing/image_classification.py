"""The picture with a bar for each label below it."""

from __future__ import annotations

from PIL import Image

from maxfw.drawing.base import bars, picture_of, stacked
from maxfw.tasks.base import Inputs
from maxfw.tasks.image_classification import ImageClassificationAnswer


def draw(inputs: Inputs, answer: ImageClassificationAnswer) -> Image.Image:
    """The picture, 640 pixels wide, over bars of the likeliest labels."""
    picture = picture_of(inputs)
    picture = picture.resize((640, max(1, round(picture.height * 640 / picture.width))))
    return stacked([picture, bars([(found.label, found.probability) for found in answer.predictions])])
