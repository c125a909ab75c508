"""Models are trained by one command, and what was measured is found by another."""

from __future__ import annotations

import gzip
import hashlib
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from maxfw.assets import Asset
from maxfw.catalog import ModelFolder
from maxfw.cli import main
from maxfw.datasets import read
from maxfw.errors import AssetCorrupt, BadModel
from maxfw.quality import Measured, evaluated, measure, renewed, rows_of
from maxfw.settings import Settings

ROOT = Path(__file__).resolve().parents[2]

MODEL = """
from maxfw.model import MAXModelWrapper
from maxfw.tasks import TextClassification
class ModelWrapper(MAXModelWrapper):
    task = TextClassification(labels=["shouting", "talking"])
    def _predict(self, text):
        return [text.isupper(), not text.isupper()]
"""


def folder_with(path: Path, **files: str) -> ModelFolder:
    path.mkdir()
    for name, text in {"model": MODEL, **files}.items():
        (path / f"{name}.py").write_text(text, encoding="utf-8")
    return ModelFolder(path)


@pytest.mark.pytorch
@pytest.mark.mirror
@pytest.mark.slow
def test_the_name_generator_is_trained_anew_and_reaches_its_bar(tmp_path: Path) -> None:
    pytest.importorskip("torch")
    command = [
        sys.executable,
        "-m",
        "maxfw",
        "train",
        "name_generator",
        "--out",
        str(tmp_path),
        "--epochs",
        "4",
    ]

    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)

    assert done.returncode == 0, done.stdout + done.stderr
    assert "epoch 4 of 4" in done.stdout
    assert (tmp_path / "names.npz").stat().st_size < 3_000_000
    [measured] = json.loads((tmp_path / "metrics.json").read_text())["held_out"]
    assert measured["what"] == "perplexity a letter"
    assert measured["value"] <= 7.2


def test_train_hands_its_options_on_and_its_exit_code_back(tmp_path: Path) -> None:
    folder = folder_with(
        tmp_path / "loud", train="import sys\nprint('told', sys.argv[1:])\nsys.exit(int(sys.argv[-1]))\n"
    )
    command = [sys.executable, "-m", "maxfw", "train", str(folder.path), "--seed", "3"]

    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)

    assert done.returncode == 3
    assert "told ['--seed', '3']" in done.stdout


def test_a_model_that_was_trained_elsewhere_says_so(tmp_path: Path) -> None:
    said = CliRunner().invoke(main, ["train", str(folder_with(tmp_path / "loud").path)])

    assert said.exit_code == 2
    assert "has no train.py" in said.output


def test_every_model_that_is_trained_here_is_measured() -> None:
    names = {folder.name for folder in evaluated()}

    assert {
        "name_generator",
        "named_entity_tagger",
        "toxic_comment_classifier",
        "text_sentiment_classifier",
    } <= names


def test_a_model_is_measured_by_the_file_beside_it(tmp_path: Path) -> None:
    folder = folder_with(
        tmp_path / "loud",
        evaluate="from maxfw.quality import Measured\n"
        "def evaluate(model):\n    return [Measured('right', 'two texts', model.predict('A')[0], bar=0.5)]\n",
    )

    [found] = measure(folder)

    assert found == Measured("right", "two texts", 1.0, bar=0.5)
    assert found.reached


def test_what_is_no_measurement_is_refused_by_the_name_of_its_file(tmp_path: Path) -> None:
    folder = folder_with(tmp_path / "loud", evaluate="def evaluate(model):\n    return 0.9\n")

    with pytest.raises(BadModel, match=r"evaluate.py: evaluate\(\) returned no list"):
        measure(folder)


@pytest.mark.parametrize(
    ("value", "at_most", "reached"), [(7.0, True, True), (7.3, True, False), (7.3, False, True)]
)
def test_some_bars_are_from_above(value: float, at_most: bool, reached: bool) -> None:
    assert Measured("perplexity", "names", value, bar=7.2, at_most=at_most).reached is reached


def test_only_the_lines_of_the_models_measured_now_are_new() -> None:
    old = [*rows_of("b", [Measured("old", "x", 1, 1)]), *rows_of("c", [Measured("kept", "x", 1, 1)])]

    lines = renewed(old, {"b": [Measured("new", "x", 1, 1)], "a": [Measured("first", "x", 0, 1)]})

    assert [line.split(" | ")[1] for line in lines] == ["first", "new", "kept"]
    assert "**no**" in lines[0]


def asset(**stated: Any) -> Asset:
    return Asset("rows.csv", url="https://example.org/rows.csv", **stated)


def test_data_may_lie_packed_in_the_mirror(tmp_path: Path) -> None:
    (tmp_path / "rows.csv.gz").write_bytes(gzip.compress(b"a,b"))
    settings = Settings(assets_mirror=str(tmp_path), offline=True)

    assert read(asset(sha256=hashlib.sha256(b"a,b").hexdigest()), settings) == b"a,b"
    with pytest.raises(AssetCorrupt, match="unpacked it has the sha256"):
        read(asset(sha256="0" * 64), settings)
