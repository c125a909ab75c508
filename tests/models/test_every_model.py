"""What every model of the zoo keeps; a new folder is under these tests by being there.

Models of a framework that is not installed here are tested where it is: `make test-all` has an environment for each.
"""

from __future__ import annotations

import ast
from concurrent.futures import ThreadPoolExecutor

import pytest

from maxfw.catalog import ModelFolder, load_class, models
from maxfw.contract import check, comparable, difference, sample_asset, samples_of
from maxfw.drawing import draw
from maxfw.predictor import Predictor
from maxfw.web.app import create_app

ZOO = models()
pytestmark = pytest.mark.mirror
every_model = pytest.mark.parametrize("folder", ZOO, ids=lambda folder: folder.name)


@every_model
def test_the_folder_is_complete(folder: ModelFolder) -> None:
    for name in ("model.py", "README.md", "requirements.txt"):
        assert (folder.path / name).is_file(), name
    assert list(folder.samples.glob("*.json"))


@every_model
def test_the_source_is_short_and_has_no_web_word(folder: ModelFolder) -> None:
    source = folder.file.read_text(encoding="utf-8")
    imported = {
        name.split(".")[0]
        for node in ast.walk(ast.parse(source))
        for name in (
            [alias.name for alias in node.names]
            if isinstance(node, ast.Import)
            else [node.module or ""]
            if isinstance(node, ast.ImportFrom)
            else []
        )
    }

    assert source.count("\n") <= 120
    assert not imported & {"flask", "flask_restx", "werkzeug", "granian"}


@every_model
def test_the_card_states_source_and_licence_and_the_readme_the_quality(folder: ModelFolder) -> None:
    card = load_class(folder).MODEL_META_DATA
    readme = (folder.path / "README.md").read_text(encoding="utf-8").lower()

    for key in ("id", "name", "description", "type", "source", "license"):
        assert card.get(key), key
    assert card["id"] == "max-" + folder.name.replace("_", "-")
    ours = "train.py" in card["source"] and (folder.path / "train.py").is_file()
    assert card["source"].startswith("https://") or ours
    for word in ("licence", "training data", "quality", "limits"):
        assert word in readme, word


@every_model
def test_its_own_files_are_small_and_public_ones_are_named_not_kept(folder: ModelFolder) -> None:
    for file in folder.path.rglob("*"):
        assert not file.is_file() or file.stat().st_size <= 3_000_000, file
    public = [sample_asset(file) for file in folder.samples.glob("*.asset")]
    for asset in public:
        assert asset.licence, asset.name
        assert not (folder.samples / asset.name).exists()


def test_it_keeps_the_contract(predictor: tuple[ModelFolder, Predictor]) -> None:
    folder, made = predictor
    samples = samples_of(folder, made.task)

    assert samples
    assert [finding for finding in check(made, folder, samples) if finding.problem] == []


def test_many_at_once_get_the_answers_of_their_own_requests(predictor: tuple[ModelFolder, Predictor]) -> None:
    folder, made = predictor
    samples = samples_of(folder, made.task)
    samples *= max(1, 16 // len(samples))

    with ThreadPoolExecutor(8) as pool:
        answers = pool.map(lambda sample: made.answer(sample.inputs, sample.parameters), samples)

    for sample, answer in zip(samples, answers, strict=True):
        assert difference(dict(sample.answer), comparable(answer), sample.tolerance) == ""


def test_its_answers_can_be_drawn(predictor: tuple[ModelFolder, Predictor]) -> None:
    folder, made = predictor
    [sample, *_] = samples_of(folder, made.task)

    picture = draw(made.task, sample.inputs, made.answer(sample.inputs, sample.parameters))

    assert len(picture.convert("RGB").getcolors(1 << 24) or []) > 2


def test_it_is_served(predictor: tuple[ModelFolder, Predictor]) -> None:
    _, made = predictor
    app = create_app(made.model, made.settings)
    client = app.test_client()
    served = client.get("/model/metadata").get_json()

    assert served["task"] == made.task.name
    assert client.get("/swagger.json").status_code == 200
    assert client.get("/model/labels").status_code == (200 if made.labels else 404)
    app.extensions["maxfw"].close()
