"""The picture that was made, beside the one it was made from."""

from __future__ import annotations

import io

from PIL import Image

from maxfw.drawing.base import MOST_PIXELS, picture_of
from maxfw.tasks.base import Inputs
from maxfw.tasks.image_to_image import ImageToImageAnswer

GAP = 8  # pixels
MOST_TIMES = 4  # the width of what was made that the other may have


def draw(inputs: Inputs, answer: ImageToImageAnswer) -> Image.Image:
    """Before (scaled to the same height) and after, with a white gap between them."""
    before, after = picture_of(inputs), _on_white(Image.open(io.BytesIO(answer.image)))
    factor = min(after.height / before.height, MOST_TIMES * after.width / before.width)
    pixels = (before.width * factor + after.width + GAP) * after.height
    share = min(1.0, (MOST_PIXELS / pixels) ** 0.5)
    before, after = _scaled(before, factor * share), _scaled(after, share)
    sheet = Image.new("RGB", (before.width + after.width + GAP, after.height), "white")
    sheet.paste(before, (0, 0))
    sheet.paste(after, (before.width + GAP, 0))
    return sheet


def _on_white(picture: Image.Image) -> Image.Image:
    """A picture in mode RGB, white where it is transparent."""
    if not picture.has_transparency_data:
        return picture.convert("RGB")
    picture = picture.convert("RGBA")
    white = Image.new("RGB", picture.size, "white")
    white.paste(picture, mask=picture)
    return white


def _scaled(picture: Image.Image, factor: float) -> Image.Image:
    """A picture of `factor` times the width and height."""
    size = max(1, round(picture.width * factor)), max(1, round(picture.height * factor))
    return picture if size == picture.size else picture.resize(size)
