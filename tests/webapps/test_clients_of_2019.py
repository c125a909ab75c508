"""What the web applications of the original framework sent, and the fields they read, against servers of ours."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient

from maxfw.assets import fetch
from maxfw.catalog import find, load_model
from maxfw.contract import sample_asset
from maxfw.web.app import create_app

ROOT = Path(__file__).resolve().parents[2]
pytestmark = pytest.mark.mirror


@pytest.fixture
def served() -> Iterator[Callable[[str], FlaskClient]]:
    """A test client of a model of the zoo."""
    apps = []

    def run(model: str) -> FlaskClient:
        apps.append(create_app(load_model(find(model))))
        return apps[-1].test_client()

    yield run
    for app in apps:
        app.extensions["maxfw"].close()


def posted(client: FlaskClient, model: str, sample: str, **fields: str) -> Any:
    """A photo in the field `image`, as JPEG, with the other fields in the same form."""
    photo = fetch(sample_asset(ROOT / f"models/{model}/samples/{sample}.asset")).read_bytes()
    data = {"image": (io.BytesIO(photo), f"{sample}.jpg", "image/jpeg"), **fields}
    return client.post("/model/predict", data=data)


def test_the_object_detectors_page_of_2019_finds_its_fields(served: Callable[[str], FlaskClient]) -> None:
    client = served("object_detector")
    names = {label["id"]: label["name"] for label in client.get("/model/labels").get_json()["labels"]}
    answer = posted(client, "object_detector", "jockey", threshold="0")
    assert answer.status_code == 200
    for found in answer.get_json()["predictions"]:
        assert names[found["label_id"]] == found["label"]
        assert isinstance(found["label_id"], str)
        top, left, bottom, right = found["detection_box"]
        assert 0 <= top < bottom <= 1
        assert 0 <= left < right <= 1
        assert 0 < found["probability"] <= 1


def test_the_caption_page_of_2019_finds_its_fields(served: Callable[[str], FlaskClient]) -> None:
    answer = posted(served("image_caption_generator"), "image_caption_generator", "surfing").get_json()
    assert answer["status"] == "ok"
    assert [found["index"] for found in answer["predictions"]] == ["0", "1", "2"]
    assert all(
        found["caption"] and isinstance(found["probability"], float) for found in answer["predictions"]
    )
