"""Fixtures for all tests: settings that touch nothing of the user's, small models, the mirror of public files."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest

from maxfw.errors import AssetUnavailable
from maxfw.model import MAXModelWrapper, Probability
from maxfw.settings import Settings, load_settings
from maxfw.tasks.image_classification import ImageClassification
from maxfw.tasks.text_classification import TextClassification

ROOT = Path(__file__).resolve().parent.parent
MUST_HAVE_MIRROR = os.environ.get("MAXFW_REQUIRE_MIRROR") == "1"


@pytest.fixture
def settings() -> Settings:
    """The defaults, whatever the environment of the machine says."""
    return load_settings({})


@pytest.fixture(autouse=True)
def _no_downloads(monkeypatch: pytest.MonkeyPatch) -> None:
    """Tests take public files from the mirror or skip; they never ask the internet."""
    monkeypatch.setenv("MAXFW_OFFLINE", "1")


def _skip_without_mirror(item: pytest.Item) -> Iterator[None]:
    """A test marked `mirror` that misses a public file is skipped by name, or fails where the mirror is required."""
    try:
        return (yield)
    except AssetUnavailable as error:
        if MUST_HAVE_MIRROR or item.get_closest_marker("mirror") is None:
            raise
        pytest.skip(f"needs a file of the mirror: {error.message[:200]}")


pytest_runtest_setup = pytest.hookimpl(wrapper=True)(_skip_without_mirror)
pytest_runtest_call = pytest.hookimpl(wrapper=True)(_skip_without_mirror)


class Loudness(MAXModelWrapper):
    """A text model: the share of capitals, with a factor as a parameter of the batch."""

    MODEL_META_DATA = {
        "id": "max-loudness",
        "name": "Loudness",
        "description": "Is it shouted?",
        "type": "Text Classification",
        "source": "https://example.org",
        "license": "Apache-2.0",
    }
    task = TextClassification(labels=["loud", "quiet"])
    max_batch_size = 8

    def _pre_process(self, text: str) -> np.ndarray:
        return np.array([sum(letter.isupper() for letter in text) / max(len(text), 1)], dtype=np.float32)

    def _predict_batch(self, batch: list[np.ndarray], *, factor: Probability = 1.0) -> np.ndarray:
        loud = np.stack(batch)[:, 0] * factor
        return np.stack([loud, 1 - loud], axis=1)


class Colours(MAXModelWrapper):
    """A picture model: the share of red, green and blue."""

    MODEL_META_DATA = {**Loudness.MODEL_META_DATA, "id": "max-colours", "type": "Image Classification"}
    task = ImageClassification(labels=["red", "green", "blue"])

    def _pre_process(self, image: object) -> np.ndarray:
        return np.asarray(image, dtype=np.float32).mean(axis=(0, 1))

    def _predict(self, colour: np.ndarray) -> np.ndarray:
        return colour / (colour.sum() + 1e-6)


@pytest.fixture
def loudness() -> Loudness:
    return Loudness()


@pytest.fixture
def colours() -> Colours:
    return Colours()


@pytest.fixture
def free_port() -> int:
    """A TCP port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    return port


Start = Callable[..., subprocess.Popen[str]]


@pytest.fixture
def start() -> Iterator[Start]:
    """Start a program of this Python and wait until it listens on a port; it is ended with the test."""
    started: list[subprocess.Popen[str]] = []

    def run(*arguments: str, port: int, cwd: Path | None = None, **environment: str) -> subprocess.Popen[str]:
        process = subprocess.Popen(
            [sys.executable, *arguments],
            cwd=cwd,
            env={**os.environ, "PYTHONPATH": str(ROOT), "PYTHONUNBUFFERED": "1", **environment},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        started.append(process)
        wait_for_port(port, process)
        return process

    yield run
    for process in started:
        if process.poll() is None:
            process.terminate()
            try:
                process.wait(20)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        if process.stdout is not None:
            process.stdout.close()


def wait_for_port(port: int, process: subprocess.Popen[str], timeout_s: float = 90) -> None:
    """Return when something accepts connections on the port; fail at once if the process ends before."""
    deadline = time.monotonic() + timeout_s
    while time.monotonic() < deadline:
        if process.poll() is not None:
            output = process.stdout.read() if process.stdout else ""
            raise AssertionError(f"ended with exit code {process.returncode}: {output}")
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
            return
        except OSError:
            time.sleep(0.05)
    raise AssertionError(f"nothing listens on port {port} after {timeout_s} s")
