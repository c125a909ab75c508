"""`maxfw gallery`: the list of models, each asked what it is and whether it is ready."""

from __future__ import annotations

import functools
import http.server
import json
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner

from maxfw.cli import main
from maxfw.cli.gallery import gallery_app, listed_at
from maxfw.settings import Settings

CARD = {"id": "max-reader", "name": "Reader", "type": "OCR", "task": "ocr", "license": "MIT"}


class Quiet(http.server.SimpleHTTPRequestHandler):
    """Files of a folder, as JSON, without a log."""

    def guess_type(self, path: object) -> str:
        return "application/json"

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def deployment(tmp_path: Path) -> Iterator[str]:
    """A server that lists two models, of which one is there."""
    (tmp_path / "reader/model").mkdir(parents=True)
    (tmp_path / "reader/model/metadata").write_text(json.dumps(CARD))
    (tmp_path / "reader/health").write_text('{"status": "ok"}')
    listed = [{"url": "reader/", "app": "apps/reader/"}, {"url": "gone/"}]
    (tmp_path / "models.json").write_text(json.dumps(listed))
    server = http.server.ThreadingHTTPServer(
        ("127.0.0.1", 0), functools.partial(Quiet, directory=str(tmp_path))
    )
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


def test_a_deployment_is_taken_apart_into_its_models(deployment: str) -> None:
    assert listed_at(deployment, set()) == [
        {"url": f"{deployment}/reader/", "app": f"{deployment}/apps/reader/"},
        {"url": f"{deployment}/gone/"},
    ]


def test_what_lists_nothing_is_a_model(deployment: str) -> None:
    plain: set[str] = set()
    assert listed_at(f"{deployment}/reader", plain) == [{"url": f"{deployment}/reader/"}]
    assert plain == {f"{deployment}/reader/"}


def test_every_model_says_what_it_is_and_whether_it_is_ready(
    deployment: str, settings: Settings, free_port: int
) -> None:
    nobody = f"http://127.0.0.1:{free_port}/"
    reader, gone, away = (
        gallery_app((deployment, nobody), settings).test_client().get("/models.json").get_json()
    )
    assert (reader["name"], reader["task"], reader["state"]) == ("Reader", "ocr", "ready")
    assert reader["app"] == f"{deployment}/apps/reader/"
    assert gone["state"] == "away"
    assert away == {"url": nobody, "state": "away"}


def test_the_page_is_there(settings: Settings) -> None:
    page = gallery_app(("http://127.0.0.1:9",), settings).test_client().get("/")
    assert page.status_code == 200
    assert "shared/gallery.js" in page.text


def test_without_an_address_it_says_what_it_needs() -> None:
    result = CliRunner().invoke(main, ["gallery"])
    assert result.exit_code == 2
    assert "URL" in result.output
