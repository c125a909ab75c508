"""The arrays of face analysis: what is answered of them, and what is left out."""

from __future__ import annotations

import msgspec
import numpy as np
import pytest

from maxfw.drawing.face_analysis import words
from maxfw.tasks.base import Label
from maxfw.tasks.face_analysis import LANDMARKS, Face, FaceAnalysis, faces
from maxfw.tasks.values import encode_json

BOXES = np.array([[0.1, 0.2, 0.3, 0.4], [-0.5, 0.5, 0.5, 1.5], [0.6, 0.6, 0.6, 0.9], [0.7, 0.7, 0.8, 0.8]])
SCORES = np.array([0.75, 0.9, 0.99, 0.5])
CALM, GLAD = Label("0", "calm"), Label("1", "glad")


def test_faces_surer_than_the_threshold_are_answered_surest_first_and_clipped() -> None:
    found = faces(BOXES, SCORES, 0.5)

    assert [face.probability for face in found] == [0.9, 0.75]
    assert [face.detection_box for face in found] == [[0.0, 0.5, 0.5, 1.0], [0.1, 0.2, 0.3, 0.4]]


def test_what_a_model_does_not_know_is_absent_from_the_json() -> None:
    task = FaceAnalysis()

    sent = msgspec.json.decode(encode_json(task.write([], [faces(BOXES[:1], SCORES[:1], 0.0)], [])))

    assert list(sent["predictions"][0]) == ["label_id", "label", "probability", "detection_box"]


def test_everything_a_model_knows_stays_with_its_face() -> None:
    landmarks = np.arange(40, dtype=float).reshape(4, 5, 2) / 40
    emotions = np.array([[0.9, 0.1], [0.2, 0.8], [0.5, 0.5], [0.5, 0.5]], dtype=np.float32)

    glad, calm = faces(
        BOXES,
        SCORES,
        0.5,
        landmarks=landmarks,
        embeddings=np.eye(4, dtype=np.float32),
        ages=np.array([30.4, -0.2, 50, 60]),
        emotions=emotions,
        labels=[CALM, GLAD],
    )

    assert [(point.name, point.y, point.x) for point in glad.landmarks or []] == [
        (name, *place) for name, place in zip(LANDMARKS, landmarks[1].tolist(), strict=True)
    ]
    assert glad.embedding == [0, 1, 0, 0]
    assert (calm.age_estimation, glad.age_estimation) == (30, 0)
    assert [emotion.label for emotion in glad.emotion_predictions or []] == ["glad", "calm"]
    assert [emotion.label_id for emotion in calm.emotion_predictions or []] == ["0", "1"]


def test_a_drawing_says_the_age_and_the_likeliest_emotion_or_how_sure_it_is() -> None:
    [face] = faces(BOXES[:1], SCORES[:1], 0.0)
    [known] = faces(
        BOXES[:1],
        SCORES[:1],
        0.0,
        ages=np.array([34.0]),
        emotions=np.array([[0.1, 0.9]]),
        labels=[CALM, GLAD],
    )

    assert words(face) == "face 75%"
    assert words(known) == "about 34, glad 90%"


@pytest.mark.parametrize("labels", [(), [CALM, GLAD]])
def test_a_face_is_called_a_face_whatever_else_has_labels(labels: list[Label]) -> None:
    task = FaceAnalysis(labels=labels) if labels else FaceAnalysis()

    answer = task.write([], [[{"probability": 0.9, "detection_box": [0, 0, 1, 1]}]], labels)

    assert answer.predictions == [Face(probability=0.9, detection_box=[0, 0, 1, 1])]
    assert answer.predictions[0].label == answer.predictions[0].label_id == "face"
    assert list(task.labels) == (labels or [Label("face", "face")])
