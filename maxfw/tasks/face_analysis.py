"""Face analysis: where faces are in a picture, and what the model knows about each."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any

import numpy as np
from msgspec import UNSET, Meta, Struct, UnsetType

from maxfw.tasks.base import Answer, ImageTask, Label
from maxfw.tasks.image_classification import Classification, best
from maxfw.tasks.object_detection import Box
from maxfw.tasks.values import typed

FACE = Label("face", "face")

# Left and right are those of the person, as in pose estimation: the right eye is on the left of the picture.
LANDMARKS = ("right_eye", "left_eye", "nose", "right_mouth_corner", "left_mouth_corner")


class Landmark(Struct):
    """A point of a face, 0…1 of the picture's width and height; one supposed beyond its edge is outside of 0…1."""

    name: str
    x: float
    y: float


class Face(Struct, kw_only=True):
    """One face: how sure the model is that it is one (0…1), its box, and what else the model knows."""

    label_id: str = FACE.id
    label: str = FACE.name
    probability: float
    detection_box: Box
    landmarks: list[Landmark] | UnsetType = UNSET
    embedding: (
        Annotated[
            list[float], Meta(description="of length 1: the scalar product of two tells how alike they are")
        ]
        | UnsetType
    ) = UNSET
    age_estimation: Annotated[int, Meta(ge=0, description="years")] | UnsetType = UNSET
    emotion_predictions: (
        Annotated[list[Classification], Meta(description="every emotion, the likeliest first")] | UnsetType
    ) = UNSET


class FaceAnalysisAnswer(Answer, kw_only=True):
    """The faces found, surest first; an empty list if there are none."""

    predictions: list[Face]


class FaceAnalysis(ImageTask):
    """A picture in; the faces in it out, each with a box and with what the model knows about it.

    The model takes the parameter `threshold` and returns `Face`s strictly surer than it; `faces()` makes them
    from arrays. `labels` are the emotions of a model that knows some.
    """

    name = "face-analysis"
    title = "Face Analysis"
    answer = FaceAnalysisAnswer
    standard_parameters = ("threshold",)

    template_imports = """\
import numpy as np

from maxfw.model import MAXModelWrapper, Probability
from maxfw.tasks.face_analysis import FaceAnalysis, faces"""
    template = '''\
    task = FaceAnalysis()

    def _pre_process(self, image):
        """PIL RGB image → grey, float32 (32, 32), 0…1."""
        return np.asarray(image.convert("L").resize((32, 32)), dtype=np.float32) / 255

    def _predict_batch(self, batch):
        """n × float32 (32, 32) → n × (boxes (1, 4), scores (1,)): the brightest eighth, as if it were a face."""
        found = []
        for grey in batch:
            y, x = np.unravel_index(grey.argmax(), grey.shape)
            box = np.array([[y - 2, x - 2, y + 2, x + 2]]) / 32
            found.append((box, grey[y, x][None]))
        return found

    def _post_process(self, found, *, threshold: Probability = 0.7):
        """Keep what is surer than `threshold`."""
        boxes, scores = found
        return faces(boxes, scores, threshold)
'''

    def __init__(self, *, labels: str | Sequence[str | Label] = (FACE,), first_label_id: int = 0) -> None:
        super().__init__(labels=labels, first_label_id=first_label_id)

    def write(
        self, items: Sequence[Any], outcomes: Sequence[Any], labels: Sequence[Label]
    ) -> FaceAnalysisAnswer:
        """Faces, as structs or dicts → the answer."""
        return FaceAnalysisAnswer(predictions=typed(outcomes[0], list[Face]))


def faces(
    boxes: np.ndarray,
    scores: np.ndarray,
    threshold: float,
    *,
    landmarks: np.ndarray | None = None,
    embeddings: np.ndarray | None = None,
    ages: np.ndarray | None = None,
    emotions: np.ndarray | None = None,
    labels: Sequence[Label] = (),
) -> list[Face]:
    """Arrays with a row for each face → faces strictly surer than `threshold`, surest first.

    `boxes` float (n, 4) as ymin, xmin, ymax, xmax in 0…1 (clipped to it; those without an area are dropped),
    `scores` float (n,) in 0…1, `landmarks` float (n, 5, 2) as y, x in the order of `LANDMARKS`,
    `embeddings` float (n, d), `ages` float (n,) in years, `emotions` float (n, k) in the order of the `labels`.
    What is not given is absent from the faces.
    """
    clipped = np.clip(np.asarray(boxes, dtype=np.float64).reshape(-1, 4), 0.0, 1.0)
    has_area = (clipped[:, 2] > clipped[:, 0]) & (clipped[:, 3] > clipped[:, 1])
    kept = np.flatnonzero((np.asarray(scores) > threshold) & has_area)
    found = []
    for row in kept[np.argsort(-np.asarray(scores)[kept], kind="stable")]:
        face = Face(probability=float(scores[row]), detection_box=clipped[row].tolist())
        if landmarks is not None:
            face.landmarks = [
                Landmark(name, float(x), float(y))
                for name, (y, x) in zip(LANDMARKS, landmarks[row], strict=True)
            ]
        if embeddings is not None:
            face.embedding = embeddings[row].tolist()
        if ages is not None:
            face.age_estimation = max(0, round(float(ages[row])))
        if emotions is not None:
            face.emotion_predictions = best(emotions[row], labels, len(labels))
        found.append(face)
    return found
