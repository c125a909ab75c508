"""The arrays of object detection: overlaps, the surest of many boxes, what is answered of them."""

from __future__ import annotations

import numpy as np
import pytest

from maxfw.errors import BadModelOutput
from maxfw.tasks.base import Label
from maxfw.tasks.object_detection import (
    Detection,
    ObjectDetection,
    detections,
    intersection_over_union,
    non_maximum_suppression,
)

CAT, DOG = Label("17", "cat"), Label("18", "dog")

# Two for one thing (they share 81 of 119 parts), and one that touches neither.
LEFT = [0.0, 0.0, 10.0, 10.0]
LEFT_AGAIN = [1.0, 1.0, 11.0, 11.0]
RIGHT = [0.0, 20.0, 10.0, 30.0]


def test_the_overlap_of_boxes_is_the_shared_part_of_their_union() -> None:
    box = np.array([0.0, 0.0, 2.0, 4.0])
    others = np.array([[0, 0, 2, 4], [0, 2, 2, 6], [1, 1, 2, 3], [0, 4, 2, 8], [5, 5, 6, 6]], dtype=float)

    assert intersection_over_union(box, others) == pytest.approx([1, 1 / 3, 1 / 4, 0, 0])


def test_the_overlap_does_not_depend_on_the_order_of_the_axes() -> None:
    swapped = [1, 0, 3, 2]
    boxes = np.random.default_rng(1).random((20, 4))
    boxes[:, 2:] += boxes[:, :2]

    for box in boxes:
        other = intersection_over_union(box[swapped], boxes[:, swapped])
        assert intersection_over_union(box, boxes) == pytest.approx(other)


def test_boxes_without_an_area_overlap_nothing() -> None:
    point = np.array([3.0, 3.0, 3.0, 3.0])

    assert intersection_over_union(point, np.array([point, LEFT])).tolist() == [0, 0]


def test_of_two_boxes_for_one_thing_the_surer_is_kept() -> None:
    boxes = np.array([LEFT, LEFT_AGAIN, RIGHT])

    assert non_maximum_suppression(boxes, np.array([0.6, 0.9, 0.7]), 0.5).tolist() == [1, 2]


def test_boxes_that_overlap_by_no_more_than_allowed_are_kept() -> None:
    boxes, scores = np.array([LEFT, LEFT_AGAIN]), np.array([0.9, 0.8])

    assert non_maximum_suppression(boxes, scores, 81 / 119 + 1e-6).tolist() == [0, 1]
    assert non_maximum_suppression(boxes, scores, 81 / 119 - 1e-6).tolist() == [0]


def test_a_box_that_fell_takes_no_other_with_it() -> None:
    # Each overlaps the next one, the first does not overlap the third.
    boxes = np.array([[0, 0, 10, 10], [0, 4, 10, 14], [0, 8, 10, 18]], dtype=float)

    assert non_maximum_suppression(boxes, np.array([0.9, 0.8, 0.7]), 0.3).tolist() == [0, 2]


def test_boxes_of_different_classes_stand_side_by_side() -> None:
    boxes, scores = np.array([LEFT, LEFT, LEFT_AGAIN]), np.array([0.6, 0.9, 0.7])

    assert non_maximum_suppression(boxes, scores, 0.5, classes=np.array([0, 1, 1])).tolist() == [1, 0]


def test_equally_sure_boxes_keep_their_order() -> None:
    boxes = np.array([RIGHT, LEFT])

    assert non_maximum_suppression(boxes, np.array([0.5, 0.5]), 0.5).tolist() == [0, 1]


def test_at_most_the_surest_are_kept_of_very_many() -> None:
    corners = np.arange(5000.0)[:, None] * 10
    boxes = corners + np.array([[0.0, 0.0, 5.0, 5.0]])

    kept = non_maximum_suppression(boxes, np.linspace(0, 1, 5000), 0.5, most=3)

    assert kept.tolist() == [4999, 4998, 4997]


def test_nothing_found_is_nothing_kept() -> None:
    kept = non_maximum_suppression(np.empty((0, 4)), np.empty(0), 0.5, classes=np.empty(0, int))

    assert kept.shape == (0,)
    assert np.empty((0, 4))[kept].shape == (0, 4)


def test_it_keeps_what_the_slow_and_obvious_way_keeps() -> None:
    random = np.random.default_rng(7)
    boxes = random.random((60, 4)) * 0.5
    boxes[:, 2:] += boxes[:, :2]
    scores, classes = random.random(60), random.integers(0, 3, 60)
    kept: list[int] = []
    for index in sorted(range(60), key=lambda i: -scores[i]):
        rivals = [other for other in kept if classes[other] == classes[index]]
        if all(intersection_over_union(boxes[other], boxes[index][None])[0] <= 0.3 for other in rivals):
            kept.append(index)

    assert 3 < len(kept) < 60
    assert non_maximum_suppression(boxes, scores, 0.3, classes=classes).tolist() == kept


def test_detections_are_surer_than_the_threshold_and_ranked() -> None:
    boxes = np.array([[0.1, 0.1, 0.2, 0.2]] * 3)

    found = detections([CAT, DOG], boxes, np.array([0, 1, 1]), np.array([0.6, 0.5, 0.8]), 0.5)

    assert [(one.label_id, one.label, one.probability) for one in found] == [
        ("18", "dog", 0.8),
        ("17", "cat", 0.6),
    ]


def test_boxes_are_clipped_to_the_picture_and_dropped_outside_of_it() -> None:
    boxes = np.array([[-0.5, 0.2, 0.5, 1.5], [1.1, 0.0, 1.2, 0.5]])

    [found] = detections([CAT], boxes, np.array([0, 0]), np.array([0.9, 0.9]), 0.5)

    assert found.detection_box == [0.0, 0.2, 0.5, 1.0]


def test_places_in_the_label_file_that_are_not_used_are_never_answered() -> None:
    boxes = np.array([[0.0, 0.0, 1.0, 1.0]])

    assert detections([Label("12", "???")], boxes, np.array([0]), np.array([0.9]), 0.5) == []


def test_detections_are_answered_surest_first() -> None:
    found = [Detection("17", "cat", sure, [0.0, 0.0, 1.0, 1.0]) for sure in (0.25, 1.0, 0.5)]

    answer = ObjectDetection().write([None], [found], [CAT])

    assert [detection.probability for detection in answer.predictions] == [1.0, 0.5, 0.25]


@pytest.mark.parametrize("sure", [13.0, -0.1])
def test_a_detection_that_is_surer_than_sure_is_the_models_fault(sure: float) -> None:
    with pytest.raises(BadModelOutput, match="for 'cat', not a probability"):
        ObjectDetection().write([None], [[Detection("17", "cat", sure, [0.0, 0.0, 1.0, 1.0])]], [CAT])
