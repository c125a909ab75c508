"""Pose estimation: where the people in a picture have their noses, elbows and knees."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Annotated, Any

import numpy as np
from msgspec import Meta, Struct

from maxfw.tasks.base import Answer, ImageTask, Label
from maxfw.tasks.values import typed

# The parts of OpenPose, in its order: a part's id is its place. Left and right are the person's own.
PARTS = (
    *("Nose", "Neck"),
    *("RShoulder", "RElbow", "RWrist"),
    *("LShoulder", "LElbow", "LWrist"),
    *("RHip", "RKnee", "RAnkle"),
    *("LHip", "LKnee", "LAnkle"),
    *("REye", "LEye", "REar", "LEar"),
)
# What is connected: neck to shoulders, arms, neck to hips, legs, neck to nose, nose to eyes, eyes to ears.
LINES = (
    *((1, 2), (1, 5), (2, 3), (3, 4), (5, 6), (6, 7)),
    *((1, 8), (8, 9), (9, 10), (1, 11), (11, 12), (12, 13)),
    *((1, 0), (0, 14), (14, 16), (0, 15), (15, 17)),
)
# COCO's 17 keypoints at the places of their parts: nose, eyes, ears, shoulders, …, each left before right.
PARTS_OF_COCO = (0, 15, 14, 17, 16, 5, 2, 6, 3, 7, 4, 11, 8, 12, 9, 13, 10)


class PoseLine(Struct):
    """A line between two parts: x1, y1, x2, y2 in pixels of the picture."""

    line: Annotated[list[int], Meta(min_length=4, max_length=4, description="x1, y1, x2, y2 in pixels")]


class BodyPart(Struct):
    """One part of a body: its place in pixels of the picture, and how sure the model is, 0…1, written as a text."""

    part_id: int
    part_name: str
    score: Annotated[
        str, Meta(pattern=r"^[01]\.[0-9]+$", description="how sure the model is, 0…1, as a text")
    ]
    x: int
    y: int


class Human(Struct):
    """One person: the lines that connect the parts that were found, and these parts."""

    human_id: int
    pose_lines: list[PoseLine]
    body_parts: list[BodyPart]


class PoseEstimationAnswer(Answer, kw_only=True):
    """The people found; an empty list if there are none."""

    predictions: list[Human]


class PoseEstimation(ImageTask):
    """A picture in; the people in it out, each with lines and body parts in pixels of the picture.

    `_post_process` returns `Human`s; `humans()` makes them from arrays.
    """

    name = "pose-estimation"
    title = "Pose Estimation"
    answer = PoseEstimationAnswer

    template_imports = """\
import numpy as np

from maxfw.model import MAXModelWrapper, Probability
from maxfw.tasks.pose_estimation import PARTS, PoseEstimation, humans"""
    template = '''\
    task = PoseEstimation()

    def _pre_process(self, image):
        """PIL RGB image → grey, float32 (height, width), 0…1."""
        return np.asarray(image.convert("L"), dtype=np.float32) / 255

    def _predict_batch(self, batch):
        """n × float32 (height, width) → n × (1, 18, 3): x, y, score of the parts of somebody as wide as the picture."""
        found = []
        for grey in batch:
            height, width = grey.shape
            pose = np.zeros((1, len(PARTS), 3))
            for x, part in ((0, "RShoulder"), (width // 2, "Neck"), (width - 1, "LShoulder")):
                pose[0, PARTS.index(part)] = x, height // 2, grey.mean()
            found.append(pose)
        return found

    def _post_process(self, found, *, part_threshold: Probability = 0.3):
        """Keep the parts surer than `part_threshold`."""
        return humans(found, part_threshold)
'''

    def write(
        self, items: Sequence[Any], outcomes: Sequence[Any], labels: Sequence[Label]
    ) -> PoseEstimationAnswer:
        """People, as structs or dicts → the answer."""
        return PoseEstimationAnswer(predictions=typed(outcomes[0], list[Human]))


def humans(poses: Iterable[np.ndarray], threshold: float) -> list[Human]:
    """Arrays → people with the parts that are surer than `threshold`, numbered from 0; who has none is left out.

    A pose is float (18, 3): x and y in pixels and a score 0…1 for each of `PARTS`; 0 for a part that was not found.
    """
    found: list[Human] = []
    for pose in poses:
        parts = np.asarray(pose, dtype=np.float64)
        there = parts[:, 2] > threshold
        if not there.any():
            continue
        places = np.rint(parts[:, :2]).astype(int).tolist()
        lines = [PoseLine(places[a] + places[b]) for a, b in LINES if there[a] and there[b]]
        body = [
            BodyPart(int(part), PARTS[part], f"{min(parts[part, 2], 1.0):.5f}", *places[part])
            for part in np.flatnonzero(there)
        ]
        found.append(Human(len(found), lines, body))
    return found


def pose_of_coco(keypoints: np.ndarray) -> np.ndarray:
    """The 17 keypoints of COCO, float (17, 3), → a pose, float (18, 3); what stands in a row is x, y, score.

    The neck, which COCO does not have, is in the middle of the shoulders and as sure as the less sure of them.
    """
    pose = np.empty((len(PARTS), 3), dtype=keypoints.dtype)
    pose[list(PARTS_OF_COCO)] = keypoints
    shoulders = pose[[PARTS.index("RShoulder"), PARTS.index("LShoulder")]]
    pose[PARTS.index("Neck")] = *shoulders[:, :2].mean(axis=0), shoulders[:, 2].min()
    return pose
