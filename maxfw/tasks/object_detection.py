"""Object detection: what is where in a picture."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any

import numpy as np
from msgspec import Meta, Struct

from maxfw.tasks.base import Answer, ImageTask, Label
from maxfw.tasks.values import check_probability, typed

Box = Annotated[
    list[float],
    Meta(
        min_length=4,
        max_length=4,
        description="ymin, xmin, ymax, xmax, each 0…1 of the picture's height or width",
    ),
]


class Detection(Struct):
    """One object: its label, how sure the model is (0…1), and its box."""

    label_id: str
    label: str
    probability: float
    detection_box: Box


class ObjectDetectionAnswer(Answer, kw_only=True):
    """The objects found, surest first; an empty list if there are none."""

    predictions: list[Detection]


class ObjectDetection(ImageTask):
    """A picture in; the objects in it out, each with a box.

    `_post_process` takes the parameter `threshold` and returns `Detection`s strictly surer than it;
    `detections()` makes them from arrays.
    """

    name = "object-detection"
    title = "Object Detection"
    answer = ObjectDetectionAnswer
    standard_parameters = ("threshold",)

    template_imports = """\
import numpy as np

from maxfw.model import MAXModelWrapper, Probability
from maxfw.tasks.object_detection import ObjectDetection, detections"""
    template = '''\
    task = ObjectDetection(labels=["something bright"])

    def _pre_process(self, image):
        """PIL RGB image → grey, float32 (32, 32), 0…1."""
        return np.asarray(image.convert("L").resize((32, 32)), dtype=np.float32) / 255

    def _predict_batch(self, batch):
        """n × float32 (32, 32) → n × (boxes (1, 4), classes (1,), scores (1,)): the brightest eighth."""
        found = []
        for grey in batch:
            y, x = np.unravel_index(grey.argmax(), grey.shape)
            box = np.array([[y - 2, x - 2, y + 2, x + 2]]) / 32
            found.append((box, np.array([0]), grey[y, x][None]))
        return found

    def _post_process(self, found, *, threshold: Probability = 0.7):
        """Keep what is surer than `threshold`."""
        boxes, classes, scores = found
        return detections(self.labels, boxes, classes, scores, threshold)
'''

    def write(
        self, items: Sequence[Any], outcomes: Sequence[Any], labels: Sequence[Label]
    ) -> ObjectDetectionAnswer:
        """Detections, as structs or dicts → the answer, surest first."""
        found = typed(outcomes[0], list[Detection])
        for detection in found:
            check_probability(detection.probability, detection.label)
        found.sort(key=lambda detection: -detection.probability)
        return ObjectDetectionAnswer(predictions=found)


def detections(
    labels: Sequence[Label], boxes: np.ndarray, classes: np.ndarray, scores: np.ndarray, threshold: float
) -> list[Detection]:
    """Arrays → detections strictly surer than `threshold`, surest first.

    `boxes` float (n, 4) as ymin, xmin, ymax, xmax in 0…1 (clipped to it), `classes` (n,) indices into `labels`,
    `scores` float (n,) in 0…1. Boxes without an area and labels `???` are dropped.
    """
    clipped = np.clip(np.asarray(boxes, dtype=np.float64).reshape(-1, 4), 0.0, 1.0)
    has_area = (clipped[:, 2] > clipped[:, 0]) & (clipped[:, 3] > clipped[:, 1])
    kept = np.flatnonzero((np.asarray(scores) > threshold) & has_area)
    found = []
    for index in kept[np.argsort(-np.asarray(scores)[kept], kind="stable")]:
        label = labels[int(classes[index])]
        if label.name != "???":
            found.append(Detection(label.id, label.name, float(scores[index]), clipped[index].tolist()))
    return found


def intersection_over_union(box: np.ndarray, boxes: np.ndarray) -> np.ndarray:
    """The area that a box shares with each of many, over the area of both together, float (n,) in 0…1.

    `box` float (4,), `boxes` float (n, 4): two corners, the lesser first, in any order of the axes and any unit.
    """
    top, left, bottom, right = np.asarray(boxes).T
    height = np.minimum(bottom, box[2]) - np.maximum(top, box[0])
    width = np.minimum(right, box[3]) - np.maximum(left, box[1])
    shared = np.maximum(height, 0) * np.maximum(width, 0)
    both = (bottom - top) * (right - left) + (box[2] - box[0]) * (box[3] - box[1]) - shared
    overlap: np.ndarray = np.divide(shared, both, out=np.zeros_like(both), where=both > 0)
    return overlap


def non_maximum_suppression(
    boxes: np.ndarray,
    scores: np.ndarray,
    iou: float,
    *,
    classes: np.ndarray | None = None,
    most: int = 100,
) -> np.ndarray:
    """Many boxes for one thing → the surest of them: the indices of what is kept, int (k,), surest first.

    `boxes` float (n, 4): two corners, the lesser first, in any order of the axes and any unit; `scores` float (n,).
    A box falls if it overlaps a surer one by more than `iou`, with `classes` (n,) only if it is of the same class.
    At most `most` are kept, so that a threshold of 0 costs no more than `most` passes over the boxes.
    """
    left = np.argsort(-np.asarray(scores), kind="stable")
    kept: list[int] = []
    while left.size and len(kept) < most:
        best, left = left[0], left[1:]
        kept.append(int(best))
        stays = intersection_over_union(boxes[best], boxes[left]) <= iou
        if classes is not None:
            stays |= classes[left] != classes[best]
        left = left[stays]
    return np.array(kept, dtype=np.intp)
