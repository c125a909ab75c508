"""Each thing that was found, in a colour of its own."""

from __future__ import annotations

import numpy as np
from PIL import Image, ImageColor

from maxfw.drawing.base import PALETTE, picture_of
from maxfw.tasks.base import Inputs
from maxfw.tasks.instance_segmentation import InstanceSegmentationAnswer, decode

OPACITY = 0.55


def draw(inputs: Inputs, answer: InstanceSegmentationAnswer) -> Image.Image:
    """The picture, each thing tinted, with a full line of its colour where it ends."""
    picture = picture_of(inputs)
    pixels = np.array(picture)
    for number, found in enumerate(answer.predictions):
        colour = np.array(ImageColor.getrgb(PALETTE[number % len(PALETTE)]))
        # A small cut-out: a picture of a thousand nuclei is not worth a thousand full masks.
        columns = slice(
            (found.mask[0] - 1) // picture.height, (sum(found.mask[-2:]) - 2) // picture.height + 1
        )
        width = columns.stop - columns.start
        starts = np.array(found.mask[::2]) - columns.start * picture.height
        local = np.stack((starts, found.mask[1::2]), axis=1).ravel()
        mask = decode(local.tolist(), (width, picture.height))
        part = pixels[:, columns]
        part[mask] = (part[mask] * (1 - OPACITY) + colour * OPACITY).astype(np.uint8)
        part[mask & ~_inner(mask)] = colour
    return Image.fromarray(pixels)


def _inner(mask: np.ndarray) -> np.ndarray:
    """The pixels of a mask whose four neighbours belong to it as well."""
    padded = np.pad(mask, 1)
    inner: np.ndarray = padded[:-2, 1:-1] & padded[2:, 1:-1] & padded[1:-1, :-2] & padded[1:-1, 2:]
    return inner
