"""Boxes with labels on the picture."""

from __future__ import annotations

from PIL import Image, ImageDraw

from maxfw.drawing.base import colour_of, line_for, picture_of
from maxfw.drawing.tags import Tags, in_pixels
from maxfw.tasks.base import Inputs
from maxfw.tasks.object_detection import ObjectDetectionAnswer


def draw(inputs: Inputs, answer: ObjectDetectionAnswer) -> Image.Image:
    """The picture with a box and `name 94 %` for every detection."""
    picture = picture_of(inputs)
    pencil = ImageDraw.Draw(picture)
    names = sorted({found.label for found in answer.predictions})
    boxes = [in_pixels(found.detection_box, picture) for found in answer.predictions]
    colours = [colour_of(found.label, names) for found in answer.predictions]
    line = line_for(picture.size)
    for box, colour in reversed(list(zip(boxes, colours, strict=True))):  # the surest on top
        pencil.rectangle(box, outline=colour, width=line)
    tags = Tags(picture)
    for box, colour, found in zip(boxes, colours, answer.predictions, strict=True):
        tags.put(box, f"{found.label} {found.probability:.0%}", colour)
    return picture
