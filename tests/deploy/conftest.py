"""Model folders to deploy, and the command line as people run it."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]

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
