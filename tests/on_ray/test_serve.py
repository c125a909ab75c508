"""`maxfw serve --engine ray` as a process beside a cluster: where it answers, how it ends, what it says when it cannot."""

from __future__ import annotations

import signal
import subprocess
import time
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import httpx
import pytest

from tests.on_ray.conftest import png, wait_until

pytestmark = [pytest.mark.ray, pytest.mark.slow]

Maxfw = Callable[..., subprocess.Popen[str]]


def printed(process: subprocess.Popen[str]) -> str:
    """The address that it says it listens on."""
    assert process.stdout is not None
    for line in process.stdout:
        if line.startswith("listening on "):
            return line.split()[-1]
    raise AssertionError(process.communicate())


def applications() -> set[str]:
    from ray import serve

    return set(serve.status().applications)


def test_the_printed_address_answers_and_the_end_leaves_the_cluster_as_it_was(
    maxfw: Maxfw, cluster: Any, models: Path, free_port: int, ask: httpx.Client
) -> None:
    import ray

    before = applications()
    words = ("serve", models / "shares.py", "--engine", "ray", "--address", cluster.address)
    process = maxfw(*words, "--port", str(free_port))

    url = printed(process)

    assert url == cluster.url  # Serve ran there already, on a port of its own
    response = ask.post(f"{url}/model/predict", files={"image": ("a.png", png())})
    assert response.json()["predictions"][0]["label"] == "red"

    process.send_signal(signal.SIGTERM)
    _, told = process.communicate(timeout=30)

    assert process.returncode == 0, told
    assert "Serve runs on this cluster already" in told
    assert applications() == before
    assert sum(node["Alive"] for node in ray.nodes()) >= 2
    assert ask.get(f"{url}/model/metadata").status_code == 404


def test_it_ends_while_it_waits_for_room(maxfw: Maxfw, cluster: Any, models: Path) -> None:
    (models / "large.py").write_text((models / "shares.py").read_text().replace("cpus = 0.5", "cpus = 64"))
    words = ("serve", models / "large.py", "--engine", "ray", "--address", cluster.address)
    process = maxfw(*words, "--grace-s", "1")
    wait_until(lambda: "maxfw-large" in applications())

    process.send_signal(signal.SIGTERM)
    _, told = process.communicate(timeout=15)

    assert process.returncode == 0, told
    wait_until(lambda: "maxfw-large" not in applications())


def test_a_place_that_is_taken_is_said_in_a_line(
    maxfw: Maxfw, deploy: Callable[..., str], cluster: Any, models: Path
) -> None:
    deploy("shouting", "/")

    process = maxfw("serve", models / "shares.py", "--engine", "ray", "--address", cluster.address)
    _, told = process.communicate(timeout=60)

    assert process.returncode == 2
    [line] = [line for line in told.splitlines() if line.startswith("Error: ")]
    assert 'Prefix / is being used by application "shouting"' in line
    assert "Traceback" not in told
    assert "shouting" in applications()


@pytest.mark.parametrize("command", [["serve"], ["predict"]])
def test_an_address_without_a_cluster_is_said_in_a_line_soon(
    command: list[str], maxfw: Maxfw, models: Path, free_port: int
) -> None:
    web = ThreadingHTTPServer(("127.0.0.1", 0), BaseHTTPRequestHandler)
    Thread(target=web.serve_forever, daemon=True).start()
    words = [*command, models / "shouting.py", "--engine", "ray"]
    if command == ["predict"]:
        words += ["HELLO", "--out", "results.jsonl"]
    for address, reason in (
        (f"127.0.0.1:{free_port}", "refused"),
        (f"127.0.0.1:{web.server_port}", "a web server listens there"),
        ("nowhere", "Invalid address"),
    ):
        started = time.monotonic()
        process = maxfw(*words, "--address", address)
        _, told = process.communicate(timeout=60)

        assert time.monotonic() - started < 30
        assert process.returncode == 2, told
        lines = [line for line in told.splitlines() if "Error" in line]
        assert len(lines) == 1, told
        assert lines[0].startswith(f"Error: --address='{address}'"), told
        assert reason in lines[0]
        assert "Traceback" not in told
    web.shutdown()
    web.server_close()
