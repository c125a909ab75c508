"""Words on patches of colour beside boxes, none of which hides another while there is room."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import product

import numpy as np
from PIL import Image, ImageDraw

from maxfw.drawing.base import font_for, shortened

Box = tuple[float, float, float, float]
"""Left, top, right, bottom, in pixels."""

STEPS = 8  # how many times its own size a tag may be shifted


class Tags:
    """The tags of one picture. Put them after all boxes are drawn, the most important first."""

    def __init__(self, picture: Image.Image) -> None:
        """Nothing is taken yet."""
        self._pencil = ImageDraw.Draw(picture)
        self._size = picture.size
        self._font = font_for(picture.size)
        self._taken = np.empty((0, 4))

    def put(self, box: Box, text: str, colour: str) -> Box:
        """White text on a patch of colour, above the box or where else it hides no other tag → where it is."""
        text = shortened(text, self._font, self._size[0] - 8)
        left, top, right, bottom = self._pencil.textbbox((0, 0), text, font=self._font)
        x, y, right_end, low_end = place = self._free(box, right - left + 8, bottom - top + 6)
        self._pencil.rectangle((x, y, right_end, low_end), fill=colour)
        self._pencil.text((x + 4 - left, y + 3 - top), text, fill="white", font=self._font)
        self._taken = np.vstack([self._taken, place])
        return place

    def _free(self, box: Box, width: float, height: float) -> Box:
        """The first place that hides no tag; if all do, the one that hides least."""
        best, least = (0.0, 0.0, width, height), np.inf
        for corner_x, corner_y in corners(box, width, height):
            x = min(max(corner_x, 0.0), max(self._size[0] - 1 - width, 0.0))
            y = min(max(corner_y, 0.0), max(self._size[1] - 1 - height, 0.0))
            place = (x, y, x + width, y + height)
            hidden = self._hidden(place)
            if hidden < least:
                best, least = place, hidden
            if not hidden:
                break
        return best

    def _hidden(self, place: Box) -> float:
        """How many pixels of other tags a tag at this place would hide."""
        first = np.maximum(self._taken[:, :2], place[:2])
        last = np.minimum(self._taken[:, 2:], place[2:])
        return float((last - first + 1).clip(0).prod(axis=1).sum())


def in_pixels(box: Sequence[float], picture: Image.Image) -> Box:
    """`[ymin, xmin, ymax, xmax]`, 0…1 → its place on the picture."""
    ymin, xmin, ymax, xmax = box
    return xmin * picture.width, ymin * picture.height, xmax * picture.width, ymax * picture.height


def corners(box: Box, width: float, height: float) -> Iterator[tuple[float, float]]:
    """The upper left corners where a tag may be: above the box, in its top, below it, in its bottom, then shifted."""
    left, top, right, bottom = box
    levels = (top - height, top + 1, bottom + 1, bottom - height)
    for x, y in product((left, right - width), levels):
        yield x, y
    for step in range(1, STEPS + 1):
        for x in (left, right - width):
            yield x, top + step * (height + 1)
            yield x, top - (step + 1) * (height + 1)
        for y in levels[:2]:
            yield left + step * (width + 1) / 2, y
            yield left - step * (width + 1) / 2, y
