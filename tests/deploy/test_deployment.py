"""A whole deployment on a real engine, models, a web app, nginx in front, from the files that `maxfw deploy` wrote.

nginx is Debian's, put into an image here, where the registry that has the official one cannot be reached.
"""

from __future__ import annotations

import io
import shutil
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from maxfw.deploy.compose import NGINX

pytestmark = [pytest.mark.docker, pytest.mark.mirror]

NGINX_OF_DEBIAN = "max-nginx:tested"
DOCKERFILE = b"""\
FROM python:3.11-slim-bookworm
RUN apt-get update && apt-get install --yes --no-install-recommends nginx-light
"""
ROOT = Path(__file__).resolve().parents[2]


def compose(folder: Path, *arguments: str) -> str:
    program = ["docker-compose"] if shutil.which("docker-compose") else ["docker", "compose"]
    done = subprocess.run(
        [*program, "--project-name", "maxfwtested", *arguments],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def deployment(
    engine: Any, built: Path, maxfw: Callable[..., Any], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[Path, str]]:
    """Two models behind a door → the folder of the deployment, and the door's address."""
    if shutil.which("docker-compose") is None:
        pytest.skip("needs docker-compose: apt-get install docker-compose")
    engine.images.build(fileobj=io.BytesIO(DOCKERFILE), tag=NGINX_OF_DEBIAN, rm=True)
    app = ["-f", "webapps/object_detector/Dockerfile", "-t", "max-object-detector-web:tested"]
    subprocess.run(["docker", "build", "-q", *app, "."], cwd=ROOT, check=True, capture_output=True)
    folder = tmp_path_factory.mktemp("deployment")
    done = maxfw(
        "deploy", "compose", "object_detector", "text_sentiment_classifier", "--tag", "tested", "--to", folder
    )
    assert done.returncode == 0, done.stderr
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    file = folder / "compose.yaml"
    text = (
        file.read_text(encoding="utf-8")
        .replace(NGINX, NGINX_OF_DEBIAN)
        .replace("8080:8080", f"127.0.0.1:{port}:8080")
    )
    file.write_text(text, encoding="utf-8")
    try:
        compose(folder, "up", "--detach", "door")
        url = f"http://127.0.0.1:{port}"
        for route in ("object_detector", "text_sentiment_classifier"):
            wait_until_ready(f"{url}/{route}/health/ready", folder)
        wait_until_ready(f"{url}/apps/object_detector/", folder)
        yield folder, url
    finally:
        compose(folder, "down", "--volumes", "--timeout", "40")


def wait_until_ready(url: str, folder: Path) -> None:
    deadline = time.monotonic() + 90
    while time.monotonic() < deadline:
        try:
            if httpx.get(url, timeout=30).status_code == 200:
                return
        except httpx.TransportError:
            pass
        time.sleep(0.2)
    raise AssertionError(compose(folder, "logs"))


def test_every_model_answers_behind_the_door(deployment: tuple[Path, str]) -> None:
    _, url = deployment

    answer = httpx.post(
        f"{url}/text_sentiment_classifier/model/predict", json={"text": ["wonderful"]}, timeout=60
    )
    labels = httpx.get(f"{url}/object_detector/model/labels", timeout=60)

    assert answer.json()["predictions"][0][0]["positive"] > 0.5
    assert labels.json()["count"] == 80
    assert "<title>Models</title>" in httpx.get(f"{url}/").text


def test_the_web_app_asks_its_model(deployment: tuple[Path, str]) -> None:
    _, url = deployment

    answer = httpx.get(f"{url}/apps/object_detector/api/model", timeout=60)

    assert answer.status_code == 200, answer.text
    assert answer.json()["name"] == "Object Detector"
    assert len(answer.json()["labels"]) == 80


def test_every_container_runs_with_no_right_to_spare(engine: Any, deployment: tuple[Path, str]) -> None:
    containers = engine.containers.list(filters={"label": "com.docker.compose.project=maxfwtested"})

    assert len(containers) == 4
    for container in containers:
        host = container.attrs["HostConfig"]
        assert host["ReadonlyRootfs"] is True
        assert host["CapDrop"] == ["ALL"]
        assert host["Memory"] > 0
        assert host["NanoCpus"] > 0
        code, said = container.exec_run(["id", "-u"])
        assert (code, said.strip() != b"0") == (0, True)


def test_a_model_cannot_leave_its_network(engine: Any, deployment: tuple[Path, str]) -> None:
    [model] = engine.containers.list(filters={"label": "com.docker.compose.service=max-object-detector"})
    program = "import socket; socket.create_connection(('deb.debian.org', 80), 5)"

    code, _ = model.exec_run(["python", "-c", program])

    assert code != 0
    assert not model.attrs["NetworkSettings"]["Ports"].get("5000/tcp")


def test_a_model_that_is_started_anew_is_found_again(deployment: tuple[Path, str]) -> None:
    folder, url = deployment

    compose(folder, "up", "--detach", "--no-deps", "--force-recreate", "max-text-sentiment-classifier")

    wait_until_ready(f"{url}/text_sentiment_classifier/health/ready", folder)
