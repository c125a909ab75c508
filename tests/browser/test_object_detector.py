"""The object detector's page in front of detectors of the zoo, and of a server of 2019."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from PIL import Image

from tests.browser.conftest import Open, Served, barriers

if TYPE_CHECKING:
    from playwright.sync_api import Page

ROOT = Path(__file__).resolve().parents[2]
APP = str(ROOT / "webapps/object_detector/app.py")
Photo = Callable[[str], Path]


@pytest.fixture(scope="session")
def site(run_server: Callable[..., Any], served: Served) -> str:
    url, _ = run_server(APP, "--model-url", served("object_detector"))
    return str(url)


def shown(page: Page) -> list[str]:
    return sorted(
        re.sub(r"\d+ %$", "…", tag) for tag in page.locator("#canvas .box:visible .tag").all_inner_texts()
    )


def test_pictures_are_uploaded_filtered_and_kept_in_the_address(
    site: str, open_page: Open, photo: Photo
) -> None:
    page = open_page(site + "/?threshold=0.4")
    posts: list[str] = []
    page.on("request", lambda request: posts.append(request.url) if request.method == "POST" else None)
    page.set_input_files("#file", [photo("dog-human"), photo("jockey")])
    page.locator("#canvas .box:visible").nth(2).wait_for()
    assert shown(page) == ["dog: …", "person: …", "person: …"]
    page.wait_for_function("() => !document.getElementById('status').textContent")
    asked = len(posts)
    page.get_by_label("Surer than").fill("0.6")
    assert shown(page) == ["person: …", "person: …"]
    page.locator("#found .chip", has_text="person").click()
    assert shown(page) == []
    page.get_by_text("Every kind that was found is hidden.").wait_for()
    assert page.url.endswith("?threshold=0.6&hide=person")
    page.get_by_role("button", name="Picture 2: jockey.jpg").click()
    assert shown(page) == ["horse: …"]
    assert len(posts) == asked == 2
    again = open_page(page.url)
    assert again.get_by_label("Surer than").input_value() == "0.6"
    again.locator("#labels .chip[aria-pressed=false]", has_text="person").wait_for()
    assert barriers(page) == []


def test_a_label_lights_up_its_boxes_and_boxes_follow_the_picture(
    site: str, open_page: Open, photo: Photo
) -> None:
    page = open_page(site + "/?threshold=0.4")
    page.set_input_files("#file", photo("dog-human"))
    page.locator("#found .chip", has_text="dog").hover()
    page.locator("#canvas .box.bright:visible", has_text="dog").wait_for()
    assert page.locator("#canvas .box.dim:visible").count() == 2
    share = """() => { const box = document.querySelector('.box.bright:not([hidden])').getBoundingClientRect(), image = document.querySelector('#canvas img').getBoundingClientRect();
      return [(box.left - image.left) / image.width, box.width / image.width]; }"""
    before = page.evaluate(share)
    page.set_viewport_size({"width": 500, "height": 800})
    page.locator("#found .chip", has_text="dog").hover()
    assert page.evaluate(share) == pytest.approx(before, abs=0.01)


def test_the_picture_with_boxes_and_the_json_can_be_kept(
    site: str, open_page: Open, photo: Photo, tmp_path: Path
) -> None:
    page = open_page(site)
    page.set_input_files("#file", photo("jockey"))
    page.locator("#canvas .box:visible").first.wait_for()
    for button, name in (("Download the picture", "detected.png"), ("Download the JSON", "detected.json")):
        with page.expect_download() as download:
            page.get_by_role("button", name=button).click()
        assert download.value.suggested_filename == name
        download.value.save_as(tmp_path / name)
    with Image.open(tmp_path / "detected.png") as picture, Image.open(photo("jockey")) as original:
        assert picture.size == original.size
    found = json.loads((tmp_path / "detected.json").read_text())["predictions"][0]
    assert (found["label"], found["label_id"]) == ("horse", "19")


def test_the_webcam_snaps_and_runs_live(site: str, open_page: Open) -> None:
    page = open_page(site)
    page.get_by_role("button", name="Use your webcam").click()
    page.locator("#canvas video").wait_for()
    page.get_by_role("button", name="Snap the picture").click()
    page.locator("#canvas img").wait_for()
    page.wait_for_function("() => !document.getElementById('status').textContent")
    assert page.locator("video").count() == 0
    page.get_by_role("button", name="Live").click()
    page.locator("#status", has_text="pictures a second").wait_for()
    assert barriers(page) == []
    page.get_by_role("button", name="Stop the camera").click()
    page.locator("#canvas img").wait_for()


@pytest.mark.parametrize("look", ["dark", "phone"])
def test_the_page_is_usable_for_everybody(site: str, open_page: Open, photo: Photo, look: str) -> None:
    size = {"width": 360, "height": 740} if look == "phone" else {"width": 1280, "height": 900}
    page = open_page(site, viewport=size, color_scheme="dark" if look == "dark" else "light")
    page.set_input_files("#file", photo("jockey"))
    page.locator("#canvas .box:visible").first.wait_for()
    assert barriers(page) == []
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_nothing_found_and_a_model_that_went_away_are_said(
    run_server: Callable[..., Any], open_page: Open, photo: Photo
) -> None:
    model, process = run_server("-m", "maxfw", "serve", "object_detector")
    url, _ = run_server(APP, "--model-url", model)
    page = open_page(url + "/?threshold=0.99")
    page.set_input_files("#file", photo("plane"))
    page.get_by_text("Nothing is surer than 99.0 %").wait_for()
    process.terminate()
    process.wait()
    page.set_input_files("#file", photo("jockey"))
    page.locator("#problem", has_text="The model cannot be reached.").wait_for()
    page.get_by_role("button", name="Try again").wait_for()
    bad = {"name": "<b>.jpg", "mimeType": "image/jpeg", "buffer": b"no picture"}
    page.set_input_files("#file", bad)
    page.locator("#problem", has_text="This file is no JPEG, PNG or WebP picture.").wait_for()


@pytest.mark.parametrize("model", ["object_detector_fastest", "object_detector_yolox", "animal_finder"])
def test_every_detector_works_even_one_of_2019(
    run_server: Callable[..., Any], served: Served, open_page: Open, photo: Photo, model: str
) -> None:
    old = ROOT / "tests/compat/apps" / model
    url, _ = run_server(APP, "--model-url", served(str(old) if old.is_dir() else model))
    page = open_page(url + "/?threshold=0.3")
    page.set_input_files("#file", photo("jockey"))
    page.locator("#canvas .box:visible").first.wait_for()
    labels = page.locator("#labels .chip").count()
    assert labels == (2 if old.is_dir() else 80)


def test_markup_in_labels_stays_text(
    run_server: Callable[..., Any], served: Served, open_page: Open, photo: Photo, tmp_path: Path
) -> None:
    (tmp_path / "model.py").write_text(MODEL)
    url, _ = run_server(APP, "--model-url", served(str(tmp_path)))
    page = open_page(url)
    page.set_input_files("#file", photo("jockey"))
    page.locator("#canvas .box:visible").first.wait_for()
    assert shown(page) == [f"{EVIL}: …"]
    assert page.title() != "broken"


EVIL = "<img src=x onerror=\"document.title='broken'\">"
MODEL = f"""
import numpy as np
from maxfw.model import MAXModelWrapper, Probability
from maxfw.tasks.object_detection import ObjectDetection, detections

class ModelWrapper(MAXModelWrapper):
    task = ObjectDetection(labels=[{EVIL!r}])

    def _predict(self, x):
        return np.array([[0.1, 0.1, 0.9, 0.9]]), np.array([0]), np.array([0.9])

    def _post_process(self, found, *, threshold: Probability = 0.7):
        return detections(self.labels, *found, threshold)
"""
