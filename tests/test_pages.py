"""The pages of every server: their files, their samples, what they never do."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from flask.testing import FlaskClient

from maxfw import assets
from maxfw.catalog import ModelFolder, find, load_model
from maxfw.model import MAXModelWrapper
from maxfw.settings import Settings
from maxfw.tasks import all_tasks
from maxfw.web.app import create_app
from maxfw.web.browser import STATIC

ROOT = Path(__file__).resolve().parent.parent
SCRIPTS = sorted([*STATIC.rglob("*.js"), *ROOT.glob("webapps/*/static/*.js")])
PAGES = sorted([*STATIC.rglob("*.html"), *ROOT.glob("webapps/*/static/*.html")])
STYLES = sorted([*STATIC.rglob("*.css"), *ROOT.glob("webapps/*/static/*.css")])
MAX_BYTES = 120_000

Connect = Callable[[MAXModelWrapper], FlaskClient]


@pytest.fixture
def connect(settings: Settings) -> Iterator[Connect]:
    apps = []

    def run(model: MAXModelWrapper) -> FlaskClient:
        apps.append(create_app(model, settings))
        return apps[-1].test_client()

    yield run
    for app in apps:
        app.extensions["maxfw"].close()


def short(path: Path) -> str:
    return str(path.relative_to(ROOT))


@pytest.mark.parametrize("script", SCRIPTS, ids=short)
def test_a_script_never_parses_text_as_html_or_code(script: Path) -> None:
    forbidden = (
        r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|setHTML|DOMParser|createContextualFragment|srcdoc"
        r"|\beval\(|new Function|javascript:"
    )
    assert not re.findall(forbidden, script.read_text(encoding="utf-8"))


@pytest.mark.parametrize("file", [*SCRIPTS, *PAGES, *STYLES], ids=short)
def test_a_page_names_no_other_host(file: Path) -> None:
    text = file.read_text(encoding="utf-8").replace("http://www.w3.org/2000/svg", "")
    assert not re.findall(r"(?:https?:)?//[\w-]+\.[\w.]+", text)


@pytest.mark.parametrize("page", PAGES, ids=short)
def test_a_page_has_no_inline_script_and_no_inline_style(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    assert not re.search(r"<script(?![^>]*\bsrc=)|<style|\sstyle=|\son\w+=", text)


@pytest.mark.parametrize("folder", [STATIC, *sorted(ROOT.glob("webapps/*/static"))], ids=short)
def test_all_that_a_page_could_ever_load_is_within_the_budget(folder: Path) -> None:
    own = [file for file in folder.rglob("*") if file.suffix in (".js", ".css")]
    shared = (
        [] if folder == STATIC else [file for file in STATIC.glob("*.*") if file.suffix in (".js", ".css")]
    )
    assert sum(file.stat().st_size for file in own + shared) <= MAX_BYTES


def test_every_task_has_a_renderer() -> None:
    renderers = {file.stem for file in (STATIC / "renderers").glob("*.js")}
    assert set(all_tasks()) <= renderers


def test_the_playground_is_served_with_a_strict_policy(connect: Connect, colours: MAXModelWrapper) -> None:
    client = connect(colours)
    for path, media_type in (
        ("/app/", "text/html"),
        ("/app/playground.js", "text/javascript"),
        ("/", "text/html"),
    ):
        answer = client.get(path)
        assert answer.status_code == 200
        assert answer.mimetype == media_type
        assert "script-src 'self';" in answer.headers["Content-Security-Policy"]
        assert "unsafe" not in answer.headers["Content-Security-Policy"]
        assert answer.headers["X-Content-Type-Options"] == "nosniff"


def test_the_way_to_the_playground_is_relative(connect: Connect, colours: MAXModelWrapper) -> None:
    answer = connect(colours).get("/app")
    assert (answer.status_code, answer.headers["Location"]) == (308, "app/")


def test_a_file_that_the_browser_has_is_not_sent_again(connect: Connect, colours: MAXModelWrapper) -> None:
    client = connect(colours)
    etag = client.get("/app/style.css").headers["ETag"]
    again = client.get("/app/style.css", headers={"If-None-Match": etag})
    assert (again.status_code, again.data) == (304, b"")


@pytest.mark.parametrize(
    "path",
    ["/app/nothing.js", "/app/../pages.py", "/app/%2e%2e/pages.py", "/app//etc/passwd", "/app/renderers"],
)
def test_only_files_of_pages_are_served(connect: Connect, colours: MAXModelWrapper, path: str) -> None:
    answer = connect(colours).get(path)
    assert answer.status_code in (308, 404)


@pytest.mark.mirror
def test_samples_are_offered_with_their_files() -> None:
    app = create_app(load_model(find("object_detector")))
    client = app.test_client()
    samples = client.get("/app/samples").get_json()
    assert [sample["name"] for sample in samples] == ["dog-human", "jockey", "plane"]
    assert samples[0]["parameters"] == {"threshold": 0.45}
    picture = client.get("/app/" + samples[0]["files"]["image"])
    assert picture.mimetype == "image/jpeg"
    assert picture.data.startswith(b"\xff\xd8")
    app.extensions["maxfw"].close()


def test_samples_without_files_are_offered_with_their_body(connect: Connect) -> None:
    samples = connect(load_model(find("text_sentiment_classifier"))).get("/app/samples").get_json()
    assert {sample["name"] for sample in samples} == {"long", "negation", "reviews"}
    assert all(sample["body"]["text"] and sample["files"] == {} for sample in samples)


def test_a_sample_that_is_not_on_this_machine_is_not_fetched_for_a_visitor(
    settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "model.py").write_text(MODEL)
    (tmp_path / "samples").mkdir()
    (tmp_path / "samples/far.json").write_text('{"input": "far.asset", "answer": {}}')
    far = '{"name": "far.jpg", "url": "https://example.org/far.jpg", "sha256": "' + "0" * 64 + '"}'
    (tmp_path / "samples/far.asset").write_text(far)
    monkeypatch.setattr(assets, "_download", lambda *_: pytest.fail("it was downloaded"))
    monkeypatch.setenv("MAXFW_ASSETS_DIR", str(tmp_path / "cache"))
    app = create_app(load_model(ModelFolder(tmp_path)), settings)
    client = app.test_client()
    assert client.get("/app/samples").get_json() == []
    assert client.get("/app/samples/far/image").status_code == 404
    app.extensions["maxfw"].close()


def test_a_sample_name_is_no_path(connect: Connect, colours: MAXModelWrapper) -> None:
    client = connect(colours)
    for name in ("..%2f..%2fetc", "....", "nothing"):
        assert client.get(f"/app/samples/{name}/image").status_code == 404


MODEL = """
from maxfw.model import MAXModelWrapper
from maxfw.tasks.image_classification import ImageClassification

class ModelWrapper(MAXModelWrapper):
    task = ImageClassification(labels=["a", "b"])
    def _predict(self, x):
        return [0.5, 0.5]
"""
