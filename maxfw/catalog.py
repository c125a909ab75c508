"""Find model folders, import one, read its card.

A model is named by its folder in the zoo (`object_detector`, or its id `max-object-detector`), or by a path.
The zoo is `models/` of a checkout, or the copy of it that the installed package carries.
"""

from __future__ import annotations

import importlib
import importlib.util
import os
import sys
import traceback
import zlib
from pathlib import Path
from types import ModuleType
from typing import Any

from msgspec import Struct

import maxfw
from maxfw.errors import BadModel, MaxfwError, ModelNotFound
from maxfw.model import MAXModelWrapper
from maxfw.model.model import folder_of

CARD_KEYS = ("id", "name", "description", "type", "source", "license")
DEFAULT_MODEL = "text_sentiment_classifier"
PACKAGE = "maxfw_models"
"""What the names of imported models begin with in `sys.modules`."""


class ModelFolder(Struct, frozen=True):
    """A folder with a model in it: new-style (`model.py`) or a repository of 2019 (`app.py`)."""

    path: Path

    @property
    def name(self) -> str:
        """The folder's name, or the file's where a model is a single file."""
        return self.path.stem

    @property
    def file(self) -> Path:
        """The Python file that holds the model's class."""
        return self.path if self.path.is_file() else self.path / "model.py"

    @property
    def is_old_style(self) -> bool:
        """Whether this is a repository of the original framework, with its own `app.py`."""
        return self.path.is_dir() and (self.path / "app.py").is_file()

    @property
    def samples(self) -> Path:
        """Where the samples with their expected answers lie."""
        return (self.path if self.path.is_dir() else self.path.parent) / "samples"


def zoo_folder() -> Path:
    """Where the zoo lies: beside the package in a checkout, inside it when installed."""
    package = Path(maxfw.__file__).resolve().parent
    installed = package / "zoo"
    return installed if installed.is_dir() else package.parent / "models"


def skeleton_folder() -> Path:
    """Where the skeleton lies that `maxfw new` copies."""
    package = Path(maxfw.__file__).resolve().parent
    installed = package / "skeleton"
    return installed if installed.is_dir() else package.parent / "skeleton"


def models() -> list[ModelFolder]:
    """Every model of the zoo, by name."""
    return [ModelFolder(file.parent) for file in sorted(zoo_folder().glob("*/model.py"))]


def find(name: str) -> ModelFolder:
    """The model folder of this name, id or path.

    Raises:
        ModelNotFound: there is none; says where it was looked for, and what there is.
    """
    path = Path(name)
    looks_like_path = os.sep in name or name in (".", "..") or name.endswith(".py")
    if looks_like_path or (path / "model.py").is_file() or (path / "app.py").is_file():
        return _at(path)
    plain = name.lower().removeprefix("max-").replace("-", "_")
    for folder in models():
        if folder.name == plain:
            return folder
    if path.is_dir():
        return _at(path)
    names = ", ".join(folder.name for folder in models()) or f"none in {zoo_folder()}"
    raise ModelNotFound(
        f"no model {name!r} in the zoo and no folder of that name here", hint=f"the zoo: {names}"
    )


def load_class(folder: ModelFolder) -> type[MAXModelWrapper]:
    """Import a new-style model → its class, `ModelWrapper` or the only subclass in the file.

    Raises:
        BadModel: the file cannot be imported or holds no model.
    """
    module = load_module(folder)
    named = getattr(module, "ModelWrapper", None)
    if isinstance(named, type) and issubclass(named, MAXModelWrapper):
        return named
    own = [
        value
        for value in vars(module).values()
        if isinstance(value, type)
        and issubclass(value, MAXModelWrapper)
        and value.__module__ == module.__name__
    ]
    if len(own) != 1:
        raise BadModel(
            f"{folder.file} has {len(own)} subclasses of MAXModelWrapper",
            hint="write one class ModelWrapper(MAXModelWrapper)",
        )
    return own[0]


def load_model(folder: ModelFolder) -> MAXModelWrapper:
    """A new-style model, with its weights.

    Raises:
        SetupError: it cannot be imported, its weights cannot be had, or a framework is missing.
    """
    model_class = load_class(folder)
    try:
        return model_class()
    except Exception as error:
        raise _authors_error(folder, "cannot be loaded", error) from error


def card(model_class: type[MAXModelWrapper]) -> dict[str, str]:
    """The six historical keys of a model's card; what the author left out is filled in from the folder."""
    title = model_class.task.title if model_class.task else ""
    name = folder_of(model_class).name
    described = (sys.modules[model_class.__module__].__doc__ or "").strip().split("\n")[0]
    defaults = {
        "id": "max-" + name.replace("_", "-"),
        "name": name.replace("_", " ").capitalize(),
        "description": described,
        "type": title,
        "source": "",
        "license": "",
    }
    stated: dict[str, Any] = model_class.MODEL_META_DATA
    return {key: str(stated.get(key, defaults[key])) for key in CARD_KEYS}


def _at(path: Path) -> ModelFolder:
    path = path.expanduser().resolve()
    if path.is_file() and path.suffix == ".py":
        return ModelFolder(path.parent if path.name in ("model.py", "app.py") else path)
    if (path / "model.py").is_file() or (path / "app.py").is_file():
        return ModelFolder(path)
    what = "has neither model.py nor app.py" if path.is_dir() else "does not exist"
    raise ModelNotFound(f"{path} {what}", hint="make a model folder with: maxfw new NAME --task TASK")


def load_module(folder: ModelFolder) -> ModuleType:
    """Import a new-style model's file → its module; a second call gives the same one.

    A file beside it is imported with `from . import helper`.
    A model of the zoo that builds on another gets it so: `load_module(find("face_detector"))`.

    Raises:
        BadModel: the file cannot be imported; names the line.
    """
    # A name of its own for each folder: several models may be loaded side by side.
    plain = folder.name.replace(".", "_")
    module_name = f"{PACKAGE}.{plain}_{zlib.crc32(str(folder.file).encode()):x}"
    if module_name in sys.modules:
        return sys.modules[module_name]
    # As a package, whose other modules are the files beside it: `from . import helper` finds them, and the helper.py
    # of one model is never taken for that of another.
    beside = [str(folder.file.parent)]
    spec = importlib.util.spec_from_file_location(module_name, folder.file, submodule_search_locations=beside)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules.setdefault(PACKAGE, ModuleType(PACKAGE))  # `from . import helper` looks for it
    sys.modules[module_name] = module
    try:
        spec.loader.exec_module(module)
    except Exception as error:
        for name in [name for name in sys.modules if f"{name}.".startswith(f"{module_name}.")]:
            del sys.modules[name]
        raise _authors_error(folder, "cannot be imported", error) from error
    return module


def load_beside(folder: ModelFolder, name: str) -> ModuleType:
    """Import a file that lies beside a model's, such as its `evaluate.py` → its module.

    Raises:
        BadModel: there is no such file, or it cannot be imported.
    """
    model = load_module(folder)
    try:
        return importlib.import_module(f"{model.__name__}.{name}")
    except Exception as error:
        raise _authors_error(folder, f"{name}.py cannot be imported", error) from error


def _authors_error(folder: ModelFolder, what: str, error: Exception) -> MaxfwError:
    """An exception of a model's own code, in one line that names the author's file and line."""
    if isinstance(error, MaxfwError):
        return error
    lines = [
        frame.lineno
        for frame in traceback.extract_tb(error.__traceback__)
        if frame.filename == str(folder.file)
    ]
    if isinstance(error, SyntaxError) and error.filename == str(folder.file):
        lines.append(error.lineno)
    place = f"{folder.file}:{lines[-1]}" if lines else str(folder.file)
    hint = _missing_module(folder, error) if isinstance(error, ModuleNotFoundError) else None
    return BadModel(f"{place}: {what}: {type(error).__name__}: {error}", hint=hint)


def _missing_module(folder: ModelFolder, error: ModuleNotFoundError) -> str:
    """What to do about an import that found nothing: another spelling, another file name, or a package to install."""
    beside = folder.file.parent
    first, *_, last = f"{error.name}.{error.name}".split(".")
    if first == PACKAGE:
        return f"there is no {last}.py in {beside}"
    if (beside / f"{first}.py").is_file() or (beside / first).is_dir():
        return f"for what lies beside {folder.file.name}, write: from . import {first}"
    requirements = beside / "requirements.txt"
    if requirements.is_file():
        return f"pip install -r {requirements}"
    return f"pip install the package that holds {first}, and name it in {requirements}"
