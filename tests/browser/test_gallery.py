"""The page of all models that are running."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tests.browser.conftest import Open, Served, barriers, free_port


def test_every_model_has_a_card_with_its_state_and_links(
    run_server: Callable[..., Any], served: Served, open_page: Open
) -> None:
    nobody = f"http://127.0.0.1:{free_port()}"
    models = [served("object_detector"), served("text_sentiment_classifier"), nobody]
    url, _ = run_server("-m", "maxfw", "gallery", *models)
    page = open_page(url)
    cards = page.locator(".model")
    cards.nth(2).wait_for()
    assert page.locator("#count").inner_text() == "2 of 3 ready"
    detector = cards.filter(has_text="Object Detector")
    assert detector.locator(".state").inner_text() == "ready"
    assert "Object Detection" in detector.inner_text()
    assert detector.get_by_role("link", name="Playground").get_attribute("href") == models[0] + "/app/"
    assert detector.get_by_role("link", name="API").get_attribute("href") == models[0] + "/"
    assert cards.filter(has_text=nobody).locator(".state").inner_text() == "away"
    assert barriers(page) == []
    page.get_by_label("Find").fill("sentiment")
    assert cards.count() == 1
    detector_page = open_page(models[0] + "/app/", color_scheme="dark")
    detector_page.locator(".drop").wait_for()
