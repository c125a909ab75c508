"""The pictures of the pages: the playground, the web applications and the gallery, in the system's Chromium.

    .venv-browser/bin/python docs/screenshots.py

Each is `docs/pictures/page_NAME.png` or `.jpg`, at most 200 kB. It needs the extra `browser` and the public samples.
"""

from __future__ import annotations

import contextlib
import io
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from PIL import Image
from playwright.sync_api import Browser, Page, sync_playwright

from maxfw.assets import fetch
from maxfw.contract import sample_asset

ROOT = Path(__file__).resolve().parent.parent
FOLDER = ROOT / "docs" / "pictures"
MAX_BYTES = 200_000
WIDE = {"width": 1280, "height": 860}
PHONE = {"width": 390, "height": 844}

# Picture → the model, the sample that is clicked, the scheme and the size of the window.
PLAYGROUNDS = {
    "playground": ("object_detector", "dog human", "light", WIDE),
    "playground_dark": ("human_pose_estimator", "Pilots", "dark", WIDE),
    "playground_phone": ("text_sentiment_classifier", "reviews", "light", PHONE),
    "playground_before_after": ("fast_neural_style_transfer", "bridge", "light", WIDE),
}
# Model → the sample whose answer stands in the picture of all drawings.
ANSWERS = {
    "object_detector": "jockey", "image_classifier": "plane", "image_segmenter": "jockey",
    "human_pose_estimator": "Pilots", "image_caption_generator": "surfing", "face_detector": "pilots",
    "ocr": "terminal", "nucleus_segmenter": "drawn", "fast_neural_style_transfer": "columns",
    "image_embedder": "jockey", "text_sentiment_classifier": "negation", "facial_recognizer": "grace",
}  # fmt: skip
CELL = (420, 400)  # pixels
COLUMNS = 4
PHOTOS = (
    "dog-human",
    "jockey",
    "soccer",
    "plane",
    "surfing",
    "ruins",
    "bridge",
    "flowers",
    "columns",
    "Pilots",
)


@contextlib.contextmanager
def running(*arguments: str) -> Iterator[str]:
    """A server that takes `--port`, while its picture is taken."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    process = subprocess.Popen(
        [sys.executable, *arguments, "--port", str(port)],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        while process.poll() is None:
            with contextlib.suppress(OSError):
                socket.create_connection(("127.0.0.1", port), 1).close()
                break
            time.sleep(0.1)
        else:
            raise SystemExit(f"{' '.join(arguments)} ended with {process.returncode}")
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait()


def opened(browser: Browser, url: str, scheme: str = "light", size: dict[str, int] = WIDE) -> Page:
    """A page in a window of its own."""
    page = browser.new_context(viewport=size, color_scheme=scheme).new_page()  # type: ignore[arg-type]
    page.goto(url)
    return page


def keep(page: Page, name: str) -> None:
    """Store what the page shows, with as many colours as the limit allows."""
    page.wait_for_timeout(600)  # pictures that are loaded late
    path = FOLDER / f"page_{name}.png"
    page.screenshot(path=path)
    for colours in (256, 128, 64, 32):
        if path.stat().st_size <= MAX_BYTES:
            return
        with Image.open(path) as image:
            image.convert("RGB").quantize(colours).save(path, optimize=True)
    raise SystemExit(f"{path} has {path.stat().st_size} bytes")


def photo(name: str) -> Path:
    """A public photo, by its name in the samples."""
    return fetch(sample_asset(next(ROOT.glob(f"models/*/samples/{name}.asset"))))


def playgrounds(browser: Browser) -> None:
    for name, (model, sample, scheme, size) in PLAYGROUNDS.items():
        with running("-m", "maxfw", "serve", model) as url:
            page = opened(browser, f"{url}/app/", scheme, size)
            page.locator(".sample", has_text=sample).first.click()
            page.locator("#status", has_text="Answered").wait_for()
            keep(page, name)


def answers(browser: Browser) -> None:
    """How each task's answer is drawn, side by side."""
    rows = -(-len(ANSWERS) // COLUMNS)
    sheet = Image.new("RGB", (CELL[0] * COLUMNS, CELL[1] * rows), "#f6f6f3")
    for index, (model, sample) in enumerate(ANSWERS.items()):
        with running("-m", "maxfw", "serve", model) as url:
            page = opened(browser, f"{url}/app/", "light", {"width": 860, "height": 900})
            page.locator(".sample", has_text=sample).first.click()
            page.locator("#status", has_text="Answered").wait_for()
            page.wait_for_timeout(600)
            shot = Image.open(io.BytesIO(page.locator("#answer").screenshot())).convert("RGB")
            shot.thumbnail((CELL[0] - 20, 10_000))
            place = (index % COLUMNS * CELL[0] + 10, index // COLUMNS * CELL[1] + 10)
            sheet.paste(shot.crop((0, 0, shot.width, min(shot.height, CELL[1] - 20))), place)
            page.context.close()
    for quality in (85, 75, 65, 50):
        sheet.save(FOLDER / "page_answers.jpg", quality=quality)
        if (FOLDER / "page_answers.jpg").stat().st_size <= MAX_BYTES:
            return


def web_apps(browser: Browser) -> None:
    with (
        running("-m", "maxfw", "serve", "object_detector") as model,
        running(str(ROOT / "webapps/object_detector/app.py"), "--model-url", model) as url,
    ):
        page = opened(browser, f"{url}/?threshold=0.4")
        page.set_input_files("#file", [photo("soccer"), photo("dog-human"), photo("jockey")])
        page.locator("#canvas .box:visible").first.wait_for()
        keep(page, "object_detector")
    with (
        tempfile.TemporaryDirectory() as folder,
        running("-m", "maxfw", "serve", "image_caption_generator") as model,
    ):
        for name in PHOTOS:
            shutil.copy(photo(name), folder)
        options = ("--model-url", model, "--photos", folder, "--data", f"{folder}/data")
        with running(str(ROOT / "webapps/image_caption_generator/app.py"), *options) as url:
            page = opened(browser, url)
            page.locator(".tile-caption").nth(len(PHOTOS) - 1).wait_for(timeout=60_000)
            keep(page, "image_caption_generator")


def gallery(browser: Browser) -> None:
    models = (
        "object_detector",
        "image_classifier",
        "text_sentiment_classifier",
        "human_pose_estimator",
        "ocr",
    )
    with contextlib.ExitStack() as stack:
        urls = [stack.enter_context(running("-m", "maxfw", "serve", model)) for model in models]
        page = opened(browser, stack.enter_context(running("-m", "maxfw", "gallery", *urls)))
        page.locator(".state.ready").nth(len(models) - 1).wait_for()
        keep(page, "gallery")


def main() -> None:
    """Take all pictures."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
        playgrounds(browser)
        answers(browser)
        web_apps(browser)
        gallery(browser)
        browser.close()


if __name__ == "__main__":
    main()
