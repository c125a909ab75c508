"""Boxes with labels on the picture."""

from __future__ import annotations

from PIL import Image, ImageDraw

from maxfw.drawing.base import colour_of, font_for, picture_of, tag
from maxfw.tasks.base import Inputs
from maxfw.tasks.object_detection import ObjectDetectionAnswer


def draw(inputs: Inputs, answer: ObjectDetectionAnswer) -> Image.Image:
    """The picture with a box and `name 94 %` for every detection."""
    picture = picture_of(inputs)
    pencil = ImageDraw.Draw(picture)
    font = font_for(picture.height)
    names = sorted({found.label for found in answer.predictions})
    for found in reversed(answer.predictions):  # the surest on top
        ymin, xmin, ymax, xmax = found.detection_box
        left, top = xmin * picture.width, ymin * picture.height
        colour = colour_of(found.label, names)
        line = max(2, picture.height // 200)
        pencil.rectangle((left, top, xmax * picture.width, ymax * picture.height), outline=colour, width=line)
        tag(pencil, (left, top), f"{found.label} {found.probability:.0%}", colour, font)
    return picture
