"""The models of the zoo in service, each loaded once for all the tests of a file.

Models of a framework that is not installed here are tested where it is: `make test-all` has an environment for each.
"""

from __future__ import annotations

import importlib.util
from collections.abc import Iterator

import pytest

from maxfw.catalog import ModelFolder, load_class, load_model, models
from maxfw.errors import MissingExtra
from maxfw.predictor import Predictor
from maxfw.settings import load_settings
from maxfw.tasks.audio import AudioTask
from maxfw.tasks.base import ImageTask, Task
from maxfw.tasks.question_answering import QuestionAnswering
from maxfw.tasks.text_generation import TextGeneration
from maxfw.tasks.texts import TextsTask, TextTask

# The first extra that a folder's requirements.txt names → what must be importable, and the marker of its tests.
FRAMEWORKS = {
    "": ("numpy", ()),  # no extra: the model does its own arithmetic
    "fasttext": ("fasttext", ()),
    "hdf5": ("h5py", ()),
    "litert": ("ai_edge_litert", ()),
    "onnx": ("onnxruntime", ()),
    "speech": ("pocketsphinx", ()),
    "tensorflow": ("tensorflow", (pytest.mark.tensorflow,)),
    "pytorch": ("torch", (pytest.mark.pytorch,)),
}


def extra_of(folder: ModelFolder) -> str:
    """The first extra that a folder asks for, which decides where it is tested."""
    file = folder.path / "requirements.txt"
    text = file.read_text(encoding="utf-8") if file.is_file() else ""
    return text.split("[", 1)[1].split("]", 1)[0].split(",")[0].strip() if "[" in text else ""


def every(folders: list[ModelFolder]) -> list[object]:
    """The folders as parameters of tests; each asks for one of the frameworks first."""
    return [pytest.param(folder, id=folder.name, marks=FRAMEWORKS[extra_of(folder)][1]) for folder in folders]


ZOO = models()
READING = (TextTask, TextsTask, QuestionAnswering, TextGeneration)


def in_service(folder: ModelFolder) -> Iterator[tuple[ModelFolder, Predictor]]:
    """A model until its tests are over; they are skipped where its framework is not installed."""
    module = FRAMEWORKS[extra_of(folder)][0]
    if importlib.util.find_spec(module) is None:
        pytest.skip(f"{folder.name} runs on {module}, which is not installed here")
    try:
        made = Predictor(load_model(folder), load_settings())
    except MissingExtra as error:  # one of its other extras
        pytest.skip(f"{folder.name}: {error.message}")
    yield folder, made
    made.close()


@pytest.fixture(scope="module", params=every(ZOO))
def predictor(request: pytest.FixtureRequest) -> Iterator[tuple[ModelFolder, Predictor]]:
    """Every model."""
    yield from in_service(request.param)


def of_task(kind: type[Task] | tuple[type[Task], ...]) -> list[object]:
    """The models of these kinds of tasks, as parameters of tests."""
    return every([folder for folder in ZOO if isinstance(load_class(folder).task, kind)])


@pytest.fixture(scope="module", params=of_task(ImageTask))
def seeing(request: pytest.FixtureRequest) -> Iterator[tuple[ModelFolder, Predictor]]:
    """Every model that looks at a picture."""
    yield from in_service(request.param)


@pytest.fixture(scope="module", params=of_task(AudioTask))
def listening(request: pytest.FixtureRequest) -> Iterator[tuple[ModelFolder, Predictor]]:
    """Every model that listens to a sound."""
    yield from in_service(request.param)


@pytest.fixture(
    scope="module",
    params=of_task(READING),
)
def reading(request: pytest.FixtureRequest) -> Iterator[tuple[ModelFolder, Predictor]]:
    """Every model that reads a text."""
    yield from in_service(request.param)
