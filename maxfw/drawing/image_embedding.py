"""The picture above its vector, a line for each number."""

from __future__ import annotations

from itertools import chain

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from maxfw.drawing.base import PALETTE, WIDTH, at_width, picture_of, stacked
from maxfw.tasks.base import Inputs
from maxfw.tasks.image_embedding import ImageEmbeddingAnswer

HEIGHT = 120
MARGIN = 12


def draw(inputs: Inputs, answer: ImageEmbeddingAnswer) -> Image.Image:
    """The picture, 640 pixels wide, over a strip for each vector: its numbers from left to right."""
    strips = (strip(np.array(vector)) for vector in answer.predictions)
    return stacked(chain([at_width(picture_of(inputs))], strips))


def strip(vector: np.ndarray) -> Image.Image:
    """Numbers, float (n,) → a chart: upward lines for those above zero, downward lines for those below.

    Where numbers outnumber pixels, a column shows the one farthest from zero among its own.
    """
    columns = min(len(vector), WIDTH - 2 * MARGIN)
    parts = np.array_split(vector, columns)
    values = np.array([part[np.abs(part).argmax()] for part in parts])
    high, low = max(values.max(), 0.0), min(values.min(), 0.0)
    scale = HEIGHT / ((high - low) or 1.0)
    font = ImageFont.load_default(size=12)
    chart = Image.new("RGB", (WIDTH, HEIGHT + 36), "white")
    pencil = ImageDraw.Draw(chart)
    zero = 8 + round(high * scale)
    width = (WIDTH - 2 * MARGIN) / columns
    for index, value in enumerate(values):
        left, end = MARGIN + index * width, zero - round(value * scale)
        colour = PALETTE[0] if value >= 0 else PALETTE[1]
        pencil.rectangle(
            (left, min(zero, end), max(left, left + width - 1), max(zero, end)), fill=colour, width=0
        )
    said = f"{len(vector)} numbers, {vector.min():.3g} to {vector.max():.3g}, length {np.linalg.norm(vector):.3g}"
    pencil.text((MARGIN, HEIGHT + 14), said, fill="black", font=font)
    return chart
