"""Image segmentation: what each pixel of a picture belongs to."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any, cast

import msgspec
import numpy as np
from msgspec import Meta

from maxfw.errors import BadModelOutput
from maxfw.tasks.base import Answer, Encoded, ImageTask, Label

LONG_SIDE = 513
"""Pixels of a map's longer side, as the segmenter of 2018 answered it."""


class ImageSegmentationAnswer(Answer, kw_only=True):
    """A label for each pixel of the picture, scaled to the size of the map."""

    image_size: Annotated[
        list[int], Meta(min_length=2, max_length=2, description="width, height of the map in pixels")
    ]
    seg_map: Annotated[
        list[list[int]],
        Meta(description="rows from top to bottom, each with the id of a label for every pixel"),
    ]

    # Until it is encoded, the map may be an array, integers (height, width).
    def __eq__(self, other: object) -> bool:
        """Whether the maps are the same, however they are held."""
        if not isinstance(other, ImageSegmentationAnswer):
            return NotImplemented
        return self.image_size == other.image_size and np.array_equal(self.seg_map, other.seg_map)


class ImageSegmentation(ImageTask):
    """A picture in; a map of it out, with the id of a label for each pixel.

    `_post_process` returns the map, a numpy array of integers (height, width), as large as `map_size(image)`.
    Its numbers are places in the list of labels.
    """

    name = "image-segmentation"
    title = "Image Segmentation"
    answer = ImageSegmentationAnswer

    template_imports = """\
import numpy as np

from maxfw.model import MAXModelWrapper
from maxfw.tasks.image_segmentation import ImageSegmentation, map_size"""
    template = '''\
    task = ImageSegmentation(labels=["background", "something bright"])

    def _pre_process(self, image):
        """PIL RGB image → grey, as large as the map, uint8 (height, width)."""
        return np.asarray(image.resize(map_size(image)).convert("L"))

    def _predict_batch(self, batch):
        """n × uint8 (height, width) → n × map, int (height, width): 1 where it is brighter than half."""
        return [(pixels > 127).astype(int) for pixels in batch]

    def _post_process(self, seg_map):
        """int (height, width) → the same."""
        return seg_map
'''

    def __init__(self, *, labels: str | Sequence[str | Label] = ()) -> None:
        # The numbers of a map are ids, so ids count from 0 and nothing else.
        super().__init__(labels=labels)

    def write(
        self, items: Sequence[Any], outcomes: Sequence[Any], labels: Sequence[Label]
    ) -> ImageSegmentationAnswer:
        """A map, int (height, width) → its size and its rows."""
        seg_map = outcomes[0]
        if (
            not isinstance(seg_map, np.ndarray)
            or seg_map.ndim != 2
            or not seg_map.size
            or seg_map.dtype.kind not in "iu"
        ):
            what = (
                f"{seg_map.dtype} of shape {seg_map.shape}" if isinstance(seg_map, np.ndarray) else "no array"
            )
            raise BadModelOutput(f"_post_process returned {what}, not a map: integers (height, width)")
        lowest, highest = int(seg_map.min()), int(seg_map.max())
        if lowest < 0 or (labels and highest >= len(labels)):
            raise BadModelOutput(
                f"_post_process returned a map with ids from {lowest} to {highest}, there are {len(labels)} labels"
            )
        height, width = seg_map.shape
        # A quarter of a million numbers: checked as an array above, and not made one by one before they are sent.
        return ImageSegmentationAnswer(image_size=[width, height], seg_map=cast(list[list[int]], seg_map))

    def encode(self, answer: Answer, accept: str = "") -> Encoded:
        """The map's rows as JSON; where every id is one digit, ten times as fast as number by number."""
        assert isinstance(answer, ImageSegmentationAnswer)
        rows = np.asarray(answer.seg_map)
        if rows.max() > 9:
            return super().encode(answer, accept)
        return super().encode(msgspec.structs.replace(answer, seg_map=msgspec.Raw(digits(rows))), accept)


def digits(rows: np.ndarray) -> bytes:
    """A map of the ids 0 to 9, integers (height, width), → its rows as JSON."""
    height, width = rows.shape
    text = np.full((height, 2 * width + 2), ord(","), dtype=np.uint8)
    text[:, 0], text[:, -2] = ord("["), ord("]")
    text[:, 1:-2:2] = rows + ord("0")
    return b"[" + text.tobytes()[:-1] + b"]"


def map_size(image: Any) -> tuple[int, int]:
    """The size of the map of a PIL image: width and height, the longer of them 513 pixels."""
    longer: int = max(image.size)
    width, height = (max(1, side * LONG_SIDE // longer) for side in image.size)
    return width, height
