"""Faces in real photos: of every size, beside others in a batch, turned; and whether the same person is recognised."""

from __future__ import annotations

import io
from typing import Any

import numpy as np
import pytest
from PIL import Image

from maxfw.catalog import find, load_model
from maxfw.contract import samples_of
from maxfw.model import MAXModelWrapper

pytest.importorskip("onnxruntime")
pytestmark = pytest.mark.mirror


@pytest.fixture(scope="module")
def detector() -> MAXModelWrapper:
    return load_model(find("face_detector"))


@pytest.fixture(scope="module")
def photos(detector: MAXModelWrapper) -> dict[str, Image.Image]:
    assert detector.task is not None
    return {
        sample.name: Image.open(io.BytesIO(sample.inputs.files["image"].blob)).convert("RGB")
        for sample in samples_of(find("face_detector"), detector.task)
    }


def places(found: list[Any]) -> np.ndarray:
    """The boxes, from left to right, float (n, 4)."""
    boxes = np.array([face.detection_box for face in found]).reshape(-1, 4)
    return boxes[boxes[:, 1].argsort()]


@pytest.mark.parametrize("width", [64, 300, 1000, 4000])
def test_a_portrait_is_one_face_at_every_size(
    detector: MAXModelWrapper, photos: dict[str, Image.Image], width: int
) -> None:
    photo = photos["grace_hopper"]

    found = detector.predict(photo.resize((width, round(photo.height * width / photo.width))))

    assert places(found) == pytest.approx(places(detector.predict(photo)), abs=0.03)


def test_a_face_that_fills_a_large_photo_is_one_face(
    detector: MAXModelWrapper, photos: dict[str, Image.Image]
) -> None:
    face = photos["grace_hopper"].crop((170, 110, 390, 360)).resize((1760, 2000))

    [[ymin, xmin, ymax, xmax]] = places(detector.predict(face))

    assert xmax - xmin > 0.7
    assert ymax - ymin > 0.7


def test_small_faces_in_a_large_photo_of_a_crowd_are_all_found(
    detector: MAXModelWrapper, photos: dict[str, Image.Image]
) -> None:
    crew = photos["pilots"].resize((400, 314))
    crowd = Image.new("RGB", (4000, 3000), (120, 130, 120))
    for top in range(0, 2600, 500):
        for left in range(0, 3600, 600):
            crowd.paste(crew, (left, top))

    assert len(detector.predict(crowd)) == 3 * 36


def test_photos_of_other_sizes_keep_their_own_places_in_a_batch(
    detector: MAXModelWrapper, photos: dict[str, Image.Image]
) -> None:
    photo = photos["pilots"]
    smaller = photo.crop((0, 0, photo.width - 10, photo.height - 5))  # fills the same grid, but not all of it

    prepared = [detector._pre_process(one) for one in (photo, smaller)]
    together = [detector._post_process(one) for one in detector._predict_batch(prepared)]

    assert places(together[0]) == pytest.approx(places(detector.predict(photo)))
    assert places(together[1]) == pytest.approx(places(detector.predict(smaller)))
    assert not np.allclose(places(together[0]), places(together[1]), atol=1e-3)


def test_landmarks_are_where_they_belong(detector: MAXModelWrapper, photos: dict[str, Image.Image]) -> None:
    for face in detector.predict(photos["pilots"]):
        ymin, xmin, ymax, xmax = face.detection_box
        at = {point.name: point for point in face.landmarks}

        assert xmin < at["right_eye"].x < at["nose"].x < at["left_eye"].x < xmax
        assert ymin < at["left_eye"].y < at["nose"].y < at["left_mouth_corner"].y < ymax
        assert at["right_mouth_corner"].x < at["left_mouth_corner"].x


def test_the_same_faces_are_recognised_in_a_turned_photo_and_not_confused(
    photos: dict[str, Image.Image],
) -> None:
    recogniser = load_model(find("facial_recognizer"))
    photo = photos["pilots"]
    changed = photo.rotate(12, Image.Resampling.BICUBIC, expand=True)

    before, after = (
        np.array([face.embedding for face in sorted(found, key=lambda face: face.detection_box[1])])
        for found in (recogniser.predict(photo), recogniser.predict(changed))
    )
    alike = before @ after.T

    assert alike.shape == (3, 3)
    assert alike.diagonal().min() > 0.5
    assert alike[~np.eye(3, dtype=bool)].max() < 0.4
