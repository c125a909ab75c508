"""The picture, each label's pixels tinted in its colour."""

from __future__ import annotations

import numpy as np
from PIL import Image, ImageColor

from maxfw.drawing.base import PALETTE, picture_of
from maxfw.tasks.base import Inputs
from maxfw.tasks.image_segmentation import ImageSegmentationAnswer

OPACITY = 0.6


def draw(inputs: Inputs, answer: ImageSegmentationAnswer) -> Image.Image:
    """The picture with a tint for every label but the first, which is the background."""
    picture = picture_of(inputs)
    ids = np.array(answer.seg_map)
    # Colours go round among the ids of this picture, so that few of them share one.
    seen = np.setdiff1d(ids, 0)
    places = np.where(ids == 0, 0, np.searchsorted(seen, ids) % len(PALETTE))
    colours = np.array([ImageColor.getrgb(colour) for colour in PALETTE], dtype=np.uint8)
    tint = Image.fromarray(colours[places]).resize(picture.size, Image.Resampling.NEAREST)
    opacity = Image.fromarray(np.where(ids == 0, 0, round(255 * OPACITY)).astype(np.uint8))
    picture.paste(tint, (0, 0), opacity.resize(picture.size, Image.Resampling.NEAREST))
    return picture
