"""`python app.py`, as containers of 2019 started it: a real process, a real port, a signal at the end."""

from __future__ import annotations

import io
import signal
from pathlib import Path

import httpx
import pytest
from PIL import Image

APPS = Path(__file__).resolve().parent / "apps"

pytestmark = pytest.mark.slow


@pytest.fixture
def serve(start, free_port, monkeypatch):
    """Start an app's app.py; gives a client of it, and its process."""
    clients = []
    monkeypatch.delenv("CORS_ENABLE", raising=False)

    def run(name, **environment):
        process = start(
            "app.py",
            port=free_port,
            cwd=APPS / name,
            MAXFW_HOST="127.0.0.1",
            MAXFW_PORT=str(free_port),
            PYTHONDONTWRITEBYTECODE="1",
            **environment,
        )
        client = httpx.Client(base_url=f"http://127.0.0.1:{free_port}", timeout=30)
        clients.append(client)
        return client, process

    yield run
    for client in clients:
        client.close()


def end(process) -> int:
    process.send_signal(signal.SIGTERM)
    return process.wait(30)


def png() -> bytes:
    file = io.BytesIO()
    Image.new("L", (8, 4), 0).save(file, "PNG")
    return file.getvalue()


def test_an_app_is_served_and_ends_when_it_is_told(serve):
    client, process = serve("animal_finder")

    page = client.get("/")
    answer = client.post(
        "/model/predict", files={"image": ("x.png", png(), "image/png")}, data={"threshold": 0.5}
    )
    unknown = client.get("/model/predict")
    description = client.get("/swagger.json")

    assert page.status_code == 200
    assert "swagger-ui" in page.text
    assert [animal["label"] for animal in answer.json()["predictions"]] == ["cat", "dog"]
    assert unknown.status_code == 404
    assert description.headers["Content-Type"] == "application/json"
    assert client.get("/js/herd.js").text == "var herd = [];\n"
    assert end(process) == 0


def test_an_app_has_health_for_free(serve):
    client, process = serve("film_recommender")

    health = client.get("/health")

    assert health.status_code == 200
    assert health.headers["Content-Type"].startswith("application/json")
    assert end(process) == 0


def test_debug_in_config_py_starts_no_second_process_and_shows_no_error(serve):
    client, process = serve("paragraph_reader")
    body = {"paragraphs": [{"context": "Paris is in France", "questions": ["Where?"]}]}

    broken = client.post("/model/predict", json=body, headers={"X-Break": "1"})
    answer = client.post("/model/predict", json=body)

    assert broken.status_code == 500
    assert broken.json() == {"message": "Internal Server Error"}
    assert answer.json()["predictions"] == [["in"]]
    children = Path(f"/proc/{process.pid}/task/{process.pid}/children")
    if children.exists():
        assert children.read_text() == ""
    assert end(process) == 0


def test_a_sent_file_arrives_whole(serve):
    client, process = serve("tone_generator")

    answer = client.get("/model/predict")

    assert answer.headers["Content-Disposition"] == "attachment; filename=result.wav"
    assert answer.content.startswith(b"RIFF")
    assert len(answer.content) == int(answer.headers["Content-Length"]) == 44 + 2 * 800
    assert end(process) == 0


def test_two_workers_serve_one_app(serve):
    client, process = serve("clip_watcher", MAXFW_WORKERS="2")

    answers = [
        client.post("/model/predict", files={"video": ("a.mp4", b"12345", "video/mp4")}) for _ in range(4)
    ]

    assert [answer.json() for answer in answers] == [{"status": "ok", "length": 5}] * 4
    assert end(process) == 0
