"""The picture that was made, beside the one it was made from."""

from __future__ import annotations

import io

from PIL import Image

from maxfw.drawing.base import picture_of
from maxfw.tasks.base import Inputs
from maxfw.tasks.image_to_image import ImageToImageAnswer


def draw(inputs: Inputs, answer: ImageToImageAnswer) -> Image.Image:
    """Before (scaled to the same height) and after, with a white gap between them."""
    after = Image.open(io.BytesIO(answer.image)).convert("RGB")
    before = picture_of(inputs)
    before = before.resize((max(1, round(before.width * after.height / before.height)), after.height))
    sheet = Image.new("RGB", (before.width + after.width + 8, after.height), "white")
    sheet.paste(before, (0, 0))
    sheet.paste(after, (before.width + 8, 0))
    return sheet
