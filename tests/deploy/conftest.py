"""Model folders to deploy, and the command line as people run it."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]

FROM_PYTHON = "python:3.11-slim-bookworm"
DETECTOR, TEXTS = "max-object-detector:tested", "max-text-sentiment-classifier:tested"

MODEL = '''"""A model."""

import numpy as np

from maxfw.model import MAXModelWrapper
from maxfw.tasks import ImageClassification


class ModelWrapper(MAXModelWrapper):
    MODEL_META_DATA = {card!r}
    task = ImageClassification(labels=["a", "b"])
    assets = []

    def _predict(self, image):
        """PIL RGB image → float32 (2,)."""
        return np.array([0.25, 0.75], dtype=np.float32)
'''

Maxfw = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture(scope="session")
def write_model() -> Callable[..., Path]:
    """Write a model folder with this card."""

    def write(folder: Path, requirements: str = "maxfw\n", **card: str) -> Path:
        folder.mkdir(parents=True)
        (folder / "model.py").write_text(MODEL.format(card=card), encoding="utf-8")
        (folder / "requirements.txt").write_text(requirements, encoding="utf-8")
        return folder

    return write


@pytest.fixture(scope="session")
def maxfw(tmp_path_factory: pytest.TempPathFactory) -> Maxfw:
    """Run `maxfw …`, in an empty folder if no other is given."""

    def run(
        *arguments: str | Path, cwd: Path | None = None, **environment: str
    ) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "maxfw", *map(str, arguments)],
            cwd=cwd or tmp_path_factory.mktemp("empty"),
            env={**os.environ, "PYTHONPATH": str(ROOT), "MAXFW_OFFLINE": "1", **environment},
            capture_output=True,
            text=True,
            timeout=600,
        )

    return run


@pytest.fixture(scope="session")
def engine() -> Any:
    """The engine of this machine."""
    docker = pytest.importorskip("docker", reason="needs the extra maxfw[docker]")
    try:
        client = docker.from_env(timeout=600)
        client.ping()
    except docker.errors.DockerException as error:
        pytest.skip(f"needs a running container engine: {error}")
    try:
        client.images.get(FROM_PYTHON)
    except docker.errors.ImageNotFound:
        client.images.pull(FROM_PYTHON)
    yield client
    client.close()


@pytest.fixture(scope="session")
def built(engine: Any, maxfw: Maxfw, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The two images → the folder that they were built in, with their bills of materials."""
    folder = tmp_path_factory.mktemp("built")
    for model, tag in (("object_detector", DETECTOR), ("text_sentiment_classifier", TEXTS)):
        done = maxfw("build", model, "--tag", tag, cwd=folder)
        assert done.returncode == 0, done.stdout + done.stderr
    return folder
