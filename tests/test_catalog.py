"""Where models are found: in the zoo, by path, in a checkout, an editable install and a wheel."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import venv
import zipfile
from pathlib import Path

import pytest

from maxfw.assets import fetch
from maxfw.catalog import ModelFolder, card, find, load_class, load_model, models
from maxfw.errors import BadModel, ModelNotFound

ROOT = Path(__file__).resolve().parent.parent

HELLO = """
from maxfw.model import MAXModelWrapper
from maxfw.tasks import TextClassification
class ModelWrapper(MAXModelWrapper):
    task = TextClassification(labels=["shouting", "talking"])
    def _predict(self, text):
        return [text.isupper(), not text.isupper()]
"""


def folder_with(path: Path, source: str, name: str = "model.py") -> Path:
    path.mkdir()
    (path / name).write_text(source, encoding="utf-8")
    return path


@pytest.mark.parametrize(
    "name", ["object_detector", "object-detector", "max-object-detector", "MAX-Object-Detector"]
)
def test_a_model_of_the_zoo_is_found_by_its_name_or_id(name: str) -> None:
    assert find(name).name == "object_detector"


def test_a_folder_and_its_file_are_the_same_model(tmp_path: Path) -> None:
    folder = folder_with(tmp_path / "hello", HELLO)

    assert find(str(folder)) == find(str(folder / "model.py"))
    assert load_model(find(str(folder)))._predict("HEY") == [True, False]


def test_a_single_file_of_any_name_is_a_model(tmp_path: Path) -> None:
    file = tmp_path / "shouting.py"
    file.write_text(HELLO, encoding="utf-8")

    assert find(str(file)).name == "shouting"
    assert load_class(find(str(file))).task is not None


def test_a_folder_with_an_app_is_an_old_repository(tmp_path: Path) -> None:
    assert find(str(folder_with(tmp_path / "old", "", "app.py"))).is_old_style
    assert not find(str(folder_with(tmp_path / "new", HELLO))).is_old_style


@pytest.mark.parametrize(
    ("name", "told"),
    [("no_such_model", "the zoo"), ("./nowhere", "does not exist"), ("/tmp", "neither model.py")],
)
def test_what_is_not_there_is_said_with_what_to_do(name: str, told: str) -> None:
    with pytest.raises(ModelNotFound) as error:
        find(name)

    assert told in f"{error.value.message} {error.value.hint}"
    assert error.value.hint


def test_a_folder_without_a_model_is_not_called_missing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "photos").mkdir()
    (tmp_path / "object_detector").mkdir()

    with pytest.raises(ModelNotFound, match=r"photos has neither model\.py nor app\.py"):
        find("photos")
    assert find("object_detector").path.parent != tmp_path  # the zoo's


@pytest.mark.parametrize(
    ("source", "told"),
    [
        ("import nonsense_that_is_not_there", "model.py:1: cannot be imported: ModuleNotFoundError"),
        ("x = 1\ny = 1 / 0", "model.py:2: cannot be imported: ZeroDivisionError"),
        ("def broken(:", "model.py:1: cannot be imported: SyntaxError"),
        ("x = 1", "0 subclasses"),
        (HELLO.replace("ModelWrapper(", "One(") + HELLO.replace("ModelWrapper(", "Two("), "2 subclasses"),
    ],
)
def test_an_authors_mistake_is_named_with_its_line(tmp_path: Path, source: str, told: str) -> None:
    with pytest.raises(BadModel) as error:
        load_class(find(str(folder_with(tmp_path / "broken", source))))

    assert told in error.value.message


HELPED = HELLO.replace("import MAXModelWrapper", "import MAXModelWrapper\nfrom . import helper").replace(
    '"shouting"', "helper.LOUD"
)


def test_a_model_imports_the_file_beside_it_and_not_that_of_another_model(tmp_path: Path) -> None:
    folders = {loud: folder_with(tmp_path / loud, HELPED) for loud in ("shouting", "yelling")}
    for loud, folder in folders.items():
        (folder / "helper.py").write_text(f'LOUD = "{loud}"', encoding="utf-8")

    names = [load_model(find(str(folder))).labels[0].name for folder in folders.values()]

    assert names == ["shouting", "yelling"]
    assert "helper" not in sys.modules


def test_a_helper_that_failed_is_read_again(tmp_path: Path) -> None:
    folder = folder_with(tmp_path / "mended", HELPED)
    (folder / "helper.py").write_text("LOUD = 'shouting'\n1 / 0", encoding="utf-8")
    with pytest.raises(BadModel, match="ZeroDivisionError"):
        load_model(find(str(folder)))

    (folder / "helper.py").write_text("LOUD = 'mended and longer than before'", encoding="utf-8")

    assert load_model(find(str(folder))).labels[0].name == "mended and longer than before"


@pytest.mark.parametrize(
    ("line", "files", "told"),
    [
        ("import helper", ["helper.py"], "write: from . import helper"),
        ("from helper.deeper import x", ["helper.py"], "write: from . import helper"),
        ("import torch_that_is_not_there.nn", ["requirements.txt"], "pip install -r "),
        ("import torch_that_is_not_there.nn", [], "that holds torch_that_is_not_there"),
        ("from .missing import x", ["requirements.txt"], "there is no missing.py in "),
    ],
)
def test_an_import_that_finds_nothing_says_what_to_do(
    tmp_path: Path, line: str, files: list[str], told: str
) -> None:
    folder = folder_with(tmp_path / "needy", line)
    for name in files:
        (folder / name).touch()

    with pytest.raises(BadModel, match=r"model\.py:1: cannot be imported") as error:
        load_class(find(str(folder)))

    assert told in error.value.hint


def test_a_model_that_cannot_load_is_named_with_its_line(tmp_path: Path) -> None:
    source = HELLO + "    def __init__(self, path=None):\n        open('weights.bin')\n"

    with pytest.raises(BadModel, match=r"model\.py:\d+: cannot be loaded: FileNotFoundError"):
        load_model(find(str(folder_with(tmp_path / "unloadable", source))))


def test_two_models_of_the_same_name_do_not_meet(tmp_path: Path) -> None:
    one = folder_with(tmp_path / "one", HELLO)
    (tmp_path / "sub").mkdir()
    other = folder_with(tmp_path / "sub/one", HELLO.replace("shouting", "yelling"))

    labels = [load_model(find(str(path))).labels[0].name for path in (one, other)]

    assert labels == ["shouting", "yelling"]


def test_a_card_is_filled_in_from_the_folder(tmp_path: Path) -> None:
    source = '"""Finds shouting in a text."""' + HELLO
    model_class = load_class(find(str(folder_with(tmp_path / "loud_text", source))))

    assert card(model_class) == {
        "id": "max-loud-text",
        "name": "Loud text",
        "description": "Finds shouting in a text.",
        "type": "Text Classification",
        "source": "",
        "license": "",
    }


def test_the_checkout_has_a_zoo() -> None:
    assert "text_sentiment_classifier" in [folder.name for folder in models()]


@pytest.mark.mirror
@pytest.mark.parametrize("folder", models(), ids=lambda folder: folder.name)
def test_the_size_that_a_model_states_is_that_of_its_file(folder: ModelFolder) -> None:
    for asset in load_class(folder).assets:
        assert fetch(asset).stat().st_size == asset.size, asset.name


PROGRAM = """
from maxfw.catalog import find, models, skeleton_folder
print(find("text_sentiment_classifier").path)
print(skeleton_folder() / "model.py")
print(*(folder.name for folder in models()))
"""


def located_by(python: Path, cwd: Path) -> list[str]:
    """Where an installed maxfw, asked from another folder, finds its models."""
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    run = subprocess.run(
        [python, "-c", PROGRAM], cwd=cwd, env=environment, capture_output=True, text=True, check=True
    )
    return run.stdout.splitlines()


def new_environment(path: Path) -> Path:
    """An environment that sees this one's packages, but not its maxfw → its Python."""
    venv.create(path)
    python = path / "bin/python"
    here = next(entry for entry in sys.path if entry.endswith("site-packages"))
    [there] = path.glob("lib/python*/site-packages")
    (there / "borrowed.pth").write_text(here + "\n", encoding="utf-8")
    return python


def install(python: Path, *what: str) -> None:
    """Install into another environment, from this machine alone."""
    pip = [
        sys.executable,
        "-m",
        "pip",
        "--python",
        str(python),
        "install",
        "--quiet",
        "--no-deps",
        "--no-index",
    ]
    # The borrowed packages may hold a maxfw of their own, which is not the one to look at.
    subprocess.run(
        [*pip, "--no-build-isolation", "--ignore-installed", *what], check=True, capture_output=True
    )


def copy_of_the_source(path: Path) -> Path:
    """What a release is built from, so that no build leaves anything in the checkout."""
    ignored = shutil.ignore_patterns("__pycache__", "*.egg-info")
    for name in ("maxfw", "models", "skeleton"):
        shutil.copytree(ROOT / name, path / name, ignore=ignored)
    for name in (
        "setup.py",
        "pyproject.toml",
        "MANIFEST.in",
        "README.md",
        "LICENSE",
        "CHANGELOG.md",
        "Dockerfile.base",
    ):
        shutil.copy(ROOT / name, path)
    return path


@pytest.mark.slow
def test_the_wheel_carries_the_zoo_and_nothing_beside_the_package(tmp_path: Path) -> None:
    source = copy_of_the_source(tmp_path / "source")
    build = [
        sys.executable,
        "-m",
        "build",
        "--wheel",
        "--no-isolation",
        "--outdir",
        str(tmp_path),
        str(source),
    ]
    subprocess.run(build, check=True, capture_output=True)
    [wheel] = tmp_path.glob("*.whl")
    names = zipfile.ZipFile(wheel).namelist()

    assert {name.split("/")[0] for name in names} == {"maxfw", "maxfw-2.0.0.dist-info"}
    carried = {file.relative_to(ROOT / "models") for file in (ROOT / "models").rglob("*") if file.is_file()}
    expected = {f"maxfw/zoo/{path}" for path in carried if "__pycache__" not in path.parts}
    assert expected <= set(names)
    assert {
        "maxfw/skeleton/model.py",
        "maxfw/skeleton/Dockerfile",
        "maxfw/Dockerfile.base",
        "maxfw/py.typed",
    } <= set(names)
    assert not [name for name in names if name.endswith(".pyc")]

    python = new_environment(tmp_path / "env")
    install(python, str(wheel))
    model, skeleton, zoo = located_by(python, tmp_path)
    assert model.startswith(str(tmp_path / "env"))
    assert Path(skeleton).is_file()
    assert zoo.split() == [folder.name for folder in models()]


@pytest.mark.slow
def test_an_editable_install_finds_the_zoo_of_the_checkout(tmp_path: Path) -> None:
    source = copy_of_the_source(tmp_path / "source")
    python = new_environment(tmp_path / "env")
    install(python, "--editable", str(source))

    model, skeleton, _ = located_by(python, tmp_path)

    assert model == str(source / "models/text_sentiment_classifier")
    assert skeleton == str(source / "skeleton/model.py")
