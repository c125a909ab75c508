"""The picture with its captions below it."""

from __future__ import annotations

import textwrap

from PIL import Image, ImageDraw, ImageFont

from maxfw.drawing.base import WIDTH, at_width, picture_of, stacked
from maxfw.tasks.base import Inputs
from maxfw.tasks.image_captioning import ImageCaptioningAnswer

LETTERS = 68  # in a line
BEST, OTHER = 20, 15  # font sizes
MOST_LINES = 100


def draw(inputs: Inputs, answer: ImageCaptioningAnswer) -> Image.Image:
    """The picture, 640 pixels wide, over its captions: the best in large letters, the others small."""
    return stacked([at_width(picture_of(inputs)), _sheet(answer)])


def _sheet(answer: ImageCaptioningAnswer) -> Image.Image:
    """The captions in black and grey on white, each with its probability."""
    lines: list[tuple[str, int, str]] = []
    for place, found in enumerate(answer.predictions[:MOST_LINES]):
        size, colour = (BEST, "black") if place == 0 else (OTHER, "#555555")
        text = f"{found.caption}  ({found.probability:.1%})"
        lines += [(line, size, colour) for line in textwrap.wrap(text, LETTERS * BEST // size - 4)]
    lines = lines[:MOST_LINES]
    sheet = Image.new("RGB", (WIDTH, 16 + sum(size + 8 for _, size, _ in lines)), "white")
    pencil = ImageDraw.Draw(sheet)
    y = 8
    for line, size, colour in lines:
        pencil.text((12, y), line, fill=colour, font=ImageFont.load_default(size=size))
        y += size + 8
    return sheet
