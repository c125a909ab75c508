"""The arrays of pose estimation: what is answered of them, and how COCO's keypoints become the historical parts."""

from __future__ import annotations

import numpy as np
import pytest

from maxfw.tasks.pose_estimation import LINES, PARTS, humans, pose_of_coco

SIDED = ("eye", "ear", "shoulder", "elbow", "wrist", "hip", "knee", "ankle")
COCO = ["nose", *(f"{side} {part}" for part in SIDED for side in ("left", "right"))]


def historical(keypoint: str) -> str:
    """`left eye` → `LEye`, `nose` → `Nose`."""
    *side, part = keypoint.split()
    return "".join(word[0].upper() for word in side) + part.capitalize()


def pose(**parts: tuple[float, float, float]) -> np.ndarray:
    """A pose with these parts and no other."""
    array = np.zeros((len(PARTS), 3))
    for name, place in parts.items():
        array[PARTS.index(name)] = place
    return array


def test_every_keypoint_of_coco_keeps_its_place_under_its_historical_name() -> None:
    keypoints = np.random.default_rng(3).random((17, 3))

    parts = pose_of_coco(keypoints)

    for index, name in enumerate(COCO):
        assert parts[PARTS.index(historical(name))].tolist() == keypoints[index].tolist(), name


def test_the_neck_is_between_the_shoulders_and_as_sure_as_the_less_sure_of_them() -> None:
    keypoints = np.zeros((17, 3))
    keypoints[COCO.index("left shoulder")] = 50, 20, 0.9
    keypoints[COCO.index("right shoulder")] = 30, 10, 0.4

    assert pose_of_coco(keypoints)[PARTS.index("Neck")].tolist() == [40, 15, 0.4]


def test_parts_have_their_historical_ids() -> None:
    everything = np.ones((18, 3))

    [human] = humans([everything], 0.5)

    assert [(part.part_id, part.part_name) for part in human.body_parts][:6] == [
        (0, "Nose"),
        (1, "Neck"),
        (2, "RShoulder"),
        (3, "RElbow"),
        (4, "RWrist"),
        (5, "LShoulder"),
    ]
    assert human.body_parts[17].part_name == "LEar"
    assert len(human.pose_lines) == 17


def test_every_part_is_connected_and_no_line_crosses_the_body() -> None:
    assert {part for line in LINES for part in line} == set(range(18))
    assert not [line for line in LINES if {PARTS[part][0] for part in line} == {"L", "R"}]


def test_a_line_needs_both_of_its_parts() -> None:
    arm = pose(RShoulder=(10, 20, 0.9), RElbow=(12, 40, 0.8), RWrist=(14, 60, 0.2))

    [human] = humans([arm], 0.3)

    assert [part.part_name for part in human.body_parts] == ["RShoulder", "RElbow"]
    assert [one.line for one in human.pose_lines] == [[10, 20, 12, 40]]


def test_places_are_whole_pixels_and_scores_are_texts_as_they_were() -> None:
    [human] = humans([pose(Nose=(10.6, 20.4, 0.83899))], 0.3)

    [nose] = human.body_parts
    assert (nose.x, nose.y, nose.score) == (11, 20, "0.83899")


@pytest.mark.parametrize("threshold", [0.0, 0.5])
def test_who_has_no_part_is_left_out_and_the_others_are_numbered_from_0(threshold: float) -> None:
    somebody, nobody = pose(Nose=(1, 1, 0.9)), pose(Nose=(5, 5, threshold))

    found = humans([somebody, nobody, somebody], threshold)

    assert [human.human_id for human in found] == [0, 1]
    assert len(found[1].body_parts) == 1


def test_a_picture_without_people_is_an_empty_list() -> None:
    assert humans([], 0.3) == []
