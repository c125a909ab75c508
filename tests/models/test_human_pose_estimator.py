"""The pose estimator finds who shows little of themselves, and nobody in rocks and houses."""

from __future__ import annotations

import pytest

from maxfw.assets import fetch
from maxfw.catalog import find, load_model
from maxfw.contract import sample_asset
from maxfw.predictor import Predictor
from maxfw.settings import Settings
from maxfw.tasks.base import Inputs, Upload

pytest.importorskip("ai_edge_litert")
pytestmark = pytest.mark.mirror


@pytest.mark.parametrize(
    ("photo", "people"),
    [
        ("facial_age_estimator/samples/grace_hopper", 1),  # a portrait, near the bound
        ("image_caption_generator/samples/ruins", 0),
        ("fast_neural_style_transfer/samples/columns", 0),
    ],
)
def test_it_finds_as_many_people_as_there_are(photo: str, people: int, settings: Settings) -> None:
    predictor = Predictor(load_model(find("human_pose_estimator")), settings)
    path = find("human_pose_estimator").path.parent / f"{photo}.asset"
    blob = fetch(sample_asset(path)).read_bytes()
    try:
        found = predictor.answer(Inputs(files={"image": Upload(blob)})).predictions
    finally:
        predictor.close()

    assert len(found) == people
