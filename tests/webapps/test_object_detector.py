"""The object detector's server: what it asks the model, and what it refuses."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator
from types import ModuleType
from typing import Any

import numpy as np
import pytest
from flask import Flask
from flask.testing import FlaskClient

from maxfw.client import Client
from maxfw.model import MAXModelWrapper, Probability
from maxfw.settings import Settings
from maxfw.tasks.base import ImageTask
from maxfw.tasks.object_detection import ObjectDetection, detections
from maxfw.web.app import create_app
from tests.webapps.conftest import OWN

PICTURE = ImageTask.sample().files["image"].blob


class Squares(MAXModelWrapper):
    """Finds a sure and an unsure thing, whatever it sees."""

    task = ObjectDetection(labels=["square", "disc"])

    def _predict(self, x: Any) -> Any:
        return np.array([[0, 0, 0.5, 0.5], [0.5, 0.5, 1, 1]]), np.array([0, 1]), np.array([0.9, 0.05])

    def _post_process(self, found: Any, *, threshold: Probability = 0.7) -> Any:
        return detections(self.labels, *found, threshold)


@pytest.fixture
def model(settings: Settings) -> Iterator[Flask]:
    app = create_app(Squares(), settings)
    yield app
    app.extensions["maxfw"].close()


@pytest.fixture
def page(
    webapp: Callable[[str], ModuleType], model: Flask, asking: Callable[[Flask], Client], settings: Settings
) -> FlaskClient:
    client: FlaskClient = webapp("object_detector").create_app(asking(model), settings).test_client()
    return client


def send(page: FlaskClient, blob: bytes = PICTURE, name: str = "a.png", **headers: str) -> Any:
    return page.post("/api/detect", data={"image": (io.BytesIO(blob), name)}, headers={**OWN, **headers})


def test_the_model_is_asked_for_everything(page: FlaskClient) -> None:
    found = send(page).get_json()["predictions"]
    assert [(one["label"], round(one["probability"], 2)) for one in found] == [
        ("square", 0.9),
        ("disc", 0.05),
    ]
    assert found[0]["detection_box"] == [0, 0, 0.5, 0.5]


def test_the_page_learns_every_label(page: FlaskClient) -> None:
    assert [label["name"] for label in page.get("/api/model").get_json()["labels"]] == ["square", "disc"]


@pytest.mark.parametrize(
    ("blob", "status"), [(b"", 400), (b"no picture", 415), (b"GIF89a" + bytes(50), 415), (PICTURE[:60], 400)]
)
def test_what_is_no_picture_is_refused_in_words(page: FlaskClient, blob: bytes, status: int) -> None:
    answer = send(page, blob)
    assert answer.status_code == status
    assert answer.get_json()["message"]


def test_a_picture_that_is_too_large_is_refused(page: FlaskClient) -> None:
    assert page.application.config["MAX_CONTENT_LENGTH"] == 20_000_000
    page.application.config["MAX_CONTENT_LENGTH"] = 100
    assert send(page).status_code == 413


def test_another_sites_page_is_refused(page: FlaskClient) -> None:
    for headers in ({}, {"Sec-Fetch-Site": "cross-site", **OWN}):
        assert page.post("/api/detect", headers=headers).status_code == 403


def test_a_model_that_is_away_is_said_without_its_address(
    webapp: Callable[[str], ModuleType], away: Client, settings: Settings
) -> None:
    page = webapp("object_detector").create_app(away, settings).test_client()
    for answer in (page.get("/api/model"), send(page)):
        assert answer.status_code == 502
        assert answer.get_json()["code"] == "model_away"
        assert "http" not in answer.text


def test_a_model_that_detects_nothing_is_said(
    webapp: Callable[[str], ModuleType],
    asking: Callable[[Flask], Client],
    colours: MAXModelWrapper,
    settings: Settings,
) -> None:
    model = create_app(colours, settings)
    page = webapp("object_detector").create_app(asking(model), settings).test_client()
    assert "does not detect" in send(page).get_json()["message"]
    model.extensions["maxfw"].close()


def test_its_files_and_ours_are_served_with_the_policy(page: FlaskClient) -> None:
    for path in ("/", "/static/app.js", "/shared/style.css"):
        answer = page.get(path)
        assert answer.status_code == 200
        assert "default-src 'none'" in answer.headers["Content-Security-Policy"]
    assert page.get("/static/../app.py").status_code == 404
