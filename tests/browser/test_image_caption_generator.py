"""The caption gallery's page: uploads, words, selection, two visitors, a server of 2019."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.browser.conftest import Open, Served, barriers

if TYPE_CHECKING:
    from playwright.sync_api import Page

ROOT = Path(__file__).resolve().parents[2]
APP = str(ROOT / "webapps/image_caption_generator/app.py")
Photo = Callable[[str], Path]


@pytest.fixture(scope="module")
def site(
    run_server: Callable[..., Any], served: Served, photo: Photo, tmp_path_factory: pytest.TempPathFactory
) -> str:
    folder = tmp_path_factory.mktemp("gallery")
    (folder / "photos").mkdir()
    for name in ("surfing", "ruins", "plane", "coco_000000214753"):
        shutil.copy(photo(name), folder / "photos")
    model = served("image_caption_generator")
    url, _ = run_server(
        APP, "--model-url", model, "--photos", str(folder / "photos"), "--data", str(folder / "data")
    )
    return str(url)


def ready(page: Page, count: int) -> None:
    page.wait_for_function(f"() => document.querySelectorAll('.tile-caption').length === {count}")


def test_the_folder_is_captioned_and_a_word_narrows_the_selection(site: str, open_page: Open) -> None:
    page = open_page(site)
    ready(page, 4)
    assert page.locator("#count").inner_text() == "4 of 4 selected"
    words = page.locator(".cloud button").all_inner_texts()
    assert "a" not in words
    assert "on" not in words
    word = page.locator(".cloud button[aria-label$=': 1 photo']").first
    word.hover()
    word.click()
    assert page.locator("#count").inner_text() == "1 of 4 selected"
    assert page.locator(".tick input:checked").count() == 1
    page.get_by_role("button", name="Select none").click()
    page.get_by_text("Select photos to see").wait_for()
    page.get_by_role("button", name="Select all").click()
    assert page.locator(".cloud button").all_inner_texts() == words
    assert barriers(page) == []


def test_a_picture_opens_its_three_captions(site: str, open_page: Open) -> None:
    page = open_page(site)
    ready(page, 4)
    page.locator("button.look").first.press("Enter")
    dialog = page.get_by_role("dialog")
    assert dialog.locator(".bar-row").count() == 3
    assert barriers(page) == []
    page.keyboard.press("Escape")
    dialog.wait_for(state="detached")


def test_uploads_have_their_own_tiles_failures_stay_and_others_see_nothing(
    site: str, open_page: Open, photo: Photo
) -> None:
    one, other = open_page(site), open_page(site)
    ready(one, 4)
    evil = {
        "name": "<img src=x onerror=document.title='broken'>.jpg",
        "mimeType": "image/jpeg",
        "buffer": photo("jockey").read_bytes(),
    }
    bad = {"name": "bad.jpg", "mimeType": "image/jpeg", "buffer": b"no picture"}
    one.set_input_files("#file", [evil, bad])
    one.locator(".upload", has_text="This is no picture that can be read.").wait_for()
    ready(one, 5)
    assert one.locator(".yours").count() == 1
    one.locator("button.look").first.click()
    one.get_by_role("dialog").get_by_text(evil["name"]).wait_for()
    one.keyboard.press("Escape")
    assert one.title() == "Image captions"
    other.reload()
    ready(other, 4)
    assert other.locator(".yours").count() == 0
    assert one.evaluate("document.cookie") == ""
    one.get_by_role("button", name="Dismiss").click()
    one.reload()
    ready(one, 5)
    one.on("dialog", lambda dialog: dialog.accept())
    one.get_by_role("button", name="Delete my photos").click()
    ready(one, 4)


@pytest.mark.parametrize("look", ["dark", "phone"])
def test_the_page_is_usable_for_everybody(site: str, open_page: Open, look: str) -> None:
    size = {"width": 360, "height": 740} if look == "phone" else {"width": 1280, "height": 900}
    page = open_page(site, viewport=size, color_scheme="dark" if look == "dark" else "light")
    ready(page, 4)
    assert barriers(page) == []
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_a_slow_photo_holds_up_no_other(site: str, open_page: Open, photo: Photo) -> None:
    page = open_page(site)
    ready(page, 4)
    held = []

    def hold_the_first(route: Any) -> None:
        if route.request.method == "POST" and not held:
            held.append(route)
        else:
            route.continue_()

    page.route("**/api/photos", hold_the_first)
    page.set_input_files("#file", [photo("jockey"), photo("soccer")])
    ready(page, 5)
    assert page.locator(".upload progress").count() == 1
    held[0].continue_()
    ready(page, 6)


def test_an_upload_whose_model_is_away_can_be_tried_again_and_survives_a_restart(
    run_server: Callable[..., Any], open_page: Open, photo: Photo, tmp_path: Path
) -> None:
    from tests.browser.conftest import free_port

    model = f"http://127.0.0.1:{free_port()}"
    url, first = run_server(APP, "--model-url", model, "--data", str(tmp_path))
    page = open_page(url)
    page.set_input_files("#file", photo("jockey"))
    page.locator(".tile", has_text="The model cannot be reached.").wait_for()
    cookies = page.context.cookies()
    first.terminate()
    first.wait()
    old, _ = run_server("-m", "maxfw", "serve", str(ROOT / "tests/compat/apps/photo_teller"))
    url, _ = run_server(APP, "--model-url", old, "--data", str(tmp_path))
    page.context.add_cookies(cookies)
    page.goto(url)
    page.get_by_role("button", name="Try again").click()
    page.locator(".tile-caption", has_text="photo").wait_for()
    assert page.locator(".yours").count() == 1
