"""Instance segmentation: the outline of each single thing of one kind in a picture."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any

import numpy as np
from msgspec import Meta, Struct

from maxfw.errors import BadModelOutput
from maxfw.tasks.base import Answer, ImageTask, Label
from maxfw.tasks.values import typed

Mask = Annotated[
    list[int],
    Meta(
        description="start, length, start, length, …: runs of pixels; pixels count from 1, down the first column first"
    ),
]


class Instance(Struct):
    """One thing: the pixels it covers, run by run, and how sure the model is (0…1)."""

    mask: Mask
    probability: float


class InstanceSegmentationAnswer(Answer, kw_only=True):
    """The things found, surest first; an empty list if there are none."""

    predictions: list[Instance]


class InstanceSegmentation(ImageTask):
    """A picture in; each single thing of one kind in it out, with the pixels it covers.

    `_post_process` returns `Instance`s, whose masks are runs of pixels of the upright picture, column by column;
    `encode` makes them from an array and `decode` is its reverse. `instances` makes them from a map of
    probabilities: each connected patch of it is one thing.
    """

    name = "instance-segmentation"
    title = "Instance Segmentation"
    answer = InstanceSegmentationAnswer

    template_imports = """\
import numpy as np

from maxfw.model import MAXModelWrapper
from maxfw.tasks.instance_segmentation import InstanceSegmentation, instances"""
    template = '''\
    task = InstanceSegmentation()

    def _pre_process(self, image):
        """PIL RGB image → grey, float32 (height, width), 0…1."""
        return np.asarray(image.convert("L"), dtype=np.float32) / 255

    def _predict_batch(self, batch):
        """n × float32 (height, width) → n × the probability that each pixel belongs to a thing: its brightness."""
        return batch

    def _post_process(self, probabilities):
        """Float32 (height, width), 0…1 → each patch that is brighter than half."""
        return instances(probabilities)
'''

    def write(
        self, items: Sequence[Any], outcomes: Sequence[Any], labels: Sequence[Label]
    ) -> InstanceSegmentationAnswer:
        """Instances, as structs or dicts → the answer."""
        found = typed(outcomes[0], list[Instance])
        pixels = items[0].width * items[0].height
        for position, instance in enumerate(found):
            if not _fits(instance.mask, pixels):
                raise BadModelOutput(
                    f"_post_process returned a mask that does not fit a picture of {pixels} pixels, "
                    f"at predictions[{position}]: expected start, length, … within 1…{pixels}"
                )
        return InstanceSegmentationAnswer(predictions=found)


def _fits(mask: list[int], pixels: int) -> bool:
    """Whether a mask is made of runs in rising order within a picture of so many pixels."""
    if not mask or len(mask) % 2:
        return False
    starts, lengths = np.array(mask[::2]), np.array(mask[1::2])
    ends = starts + lengths
    return bool(
        starts[0] >= 1 and (lengths > 0).all() and (starts[1:] >= ends[:-1]).all() and ends[-1] <= pixels + 1
    )


def encode(mask: np.ndarray) -> list[int]:
    """Bool (height, width) → start, length, start, length, …, 1-based, column by column.

    Runs go on from the end of a column to the start of the next, as they always did in this format.
    """
    flat = np.concatenate(([False], np.asarray(mask, dtype=bool).T.ravel(), [False]))
    edges = np.flatnonzero(flat[1:] != flat[:-1])
    return _joined(edges[::2], edges[1::2])


def decode(mask: Sequence[int], size: tuple[int, int]) -> np.ndarray:
    """Start, length, … → bool (height, width) of a picture of `size` (width, height) in pixels."""
    width, height = size
    runs = np.asarray(mask, dtype=np.int64).reshape(-1, 2)
    steps = np.zeros(width * height + 1, dtype=np.int8)
    np.add.at(steps, runs[:, 0] - 1, 1)
    np.add.at(steps, runs.sum(axis=1) - 1, -1)
    return np.cumsum(steps[:-1], dtype=np.int8).astype(bool).reshape(width, height).T


def instances(
    probabilities: np.ndarray, *, cut: float = 0.5, threshold: float = 0.0, smallest: int = 1
) -> list[Instance]:
    """How probably each pixel belongs to a thing, float (height, width), 0…1 → the things, surest first.

    Pixels above `cut` that touch at a side are one thing. Its probability is the mean of its pixels; those of fewer
    than `smallest` pixels, or not surer than `threshold`, are dropped.
    """
    height = probabilities.shape[0]
    by_column = np.asarray(probabilities).T.ravel()
    starts, ends = _column_runs(by_column > cut, height)
    patch = _connected(starts, ends, height)
    areas = np.bincount(patch, weights=ends - starts)
    sums = np.bincount(patch, weights=_sums(by_column, starts, ends))
    surenesses = np.clip(sums / np.maximum(areas, 1), 0.0, 1.0)
    order = np.argsort(patch, kind="stable")
    bounds = np.cumsum(np.bincount(patch)) if len(patch) else np.zeros(0, dtype=np.int64)
    found = []
    for one in np.argsort(-surenesses, kind="stable"):
        if areas[one] < smallest or surenesses[one] <= threshold:
            continue
        own = order[bounds[one - 1] if one else 0 : bounds[one]]
        found.append(Instance(_joined(starts[own], ends[own]), float(surenesses[one])))
    return found


def _sums(values: np.ndarray, starts: np.ndarray, ends: np.ndarray) -> np.ndarray:
    """The sum of each run of values, float64; the last run may end where the values end."""
    bounds = np.stack((starts, ends), axis=1).ravel()
    if len(bounds) and bounds[-1] == len(values):
        bounds = bounds[:-1]
    return np.add.reduceat(values, bounds, dtype=np.float64)[::2] if len(bounds) else np.zeros(0)


def _column_runs(flat: np.ndarray, height: int) -> tuple[np.ndarray, np.ndarray]:
    """Bool (width × height,), column by column → where runs start and end (exclusive); none crosses columns."""
    columns = np.pad(flat.reshape(-1, height), ((0, 0), (1, 1)))
    column, row = np.nonzero(columns[:, 1:] != columns[:, :-1])
    places = column * height + row
    return places[::2], places[1::2]


def _connected(starts: np.ndarray, ends: np.ndarray, height: int) -> np.ndarray:
    """Runs of pixels → the number of the patch, 0…, that each belongs to.

    Runs of neighbouring columns that overlap are neighbours. Each takes the smallest number among its neighbours,
    then that number's own, which doubles the way in every round, until nothing changes.
    """
    first = np.searchsorted(ends, starts + height, side="right")
    count = np.maximum(np.searchsorted(starts, ends + height, side="left") - first, 0)
    left = np.repeat(np.arange(len(starts)), count)
    right = np.arange(count.sum()) - np.repeat(np.cumsum(count) - count, count) + np.repeat(first, count)
    root = np.arange(len(starts))
    while True:
        lowest = np.minimum(root[left], root[right])
        lower = root.copy()
        # The roots themselves are told, so that whole patches merge and not only the runs that touch.
        for side in (left, right):
            np.minimum.at(lower, root[side], lowest)
        while (lower != lower[lower]).any():
            lower = lower[lower]
        lower = lower[root]
        if (lower == root).all():
            return np.unique(root, return_inverse=True)[1].reshape(-1)
        root = lower


def _joined(starts: np.ndarray, ends: np.ndarray) -> list[int]:
    """Runs in rising order, 0-based, ends exclusive → start, length, …, 1-based; runs that touch become one."""
    apart = starts[1:] != ends[:-1]
    starts = starts[np.concatenate(([True], apart))] if len(starts) else starts
    ends = ends[np.concatenate((apart, [True]))] if len(ends) else ends
    runs: list[int] = np.stack((starts + 1, ends - starts), axis=1).ravel().tolist()
    return runs
