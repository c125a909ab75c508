"""The class that every model subclasses."""

from __future__ import annotations

import functools
import inspect
import sys
from abc import ABC
from collections.abc import Sequence
from pathlib import Path
from typing import Any, ClassVar

from maxfw.assets import Asset, fetch
from maxfw.errors import BadModel
from maxfw.tasks.base import Label, Task


class MAXModelWrapper(ABC):
    """A model, wrapped: subclass it, fill in up to three methods.

    The request's line is `_pre_process` → `_predict_batch` → `_post_process`.
    Write `_predict(x)` for one input or `_predict_batch(xs)` for several; the other is derived from it.
    Keyword-only arguments of these methods are the request's parameters.

    `MODEL_META_DATA` is the card: `id`, `name`, `description`, `type`, `source`, `license`.
    `assets` are the files that the model downloads, `max_batch_size` the most inputs it takes at once.
    `cpus` and `gpus` are what one copy of it needs of a machine, where a cluster has to know.
    """

    MODEL_META_DATA: ClassVar[dict[str, Any]] = {}
    task: ClassVar[Task | None] = None
    assets: ClassVar[Sequence[Asset]] = ()
    max_batch_size: ClassVar[int] = 16
    cpus: ClassVar[float] = 1
    gpus: ClassVar[float] = 0

    def __new__(cls, *args: Any, **kwargs: Any) -> MAXModelWrapper:
        # Repositories of 2019 may have a `predict` of their own and nothing else; a task calls the three steps.
        answers_itself = cls.task is None and cls.predict is not MAXModelWrapper.predict
        if cls._predict is MAXModelWrapper._predict and not answers_itself:
            raise TypeError(
                f"Can't instantiate abstract class {cls.__name__}: it needs `_predict(self, x)` for one input "
                "or `_predict_batch(self, xs)` for a list of inputs"
            )
        validate(cls)
        return super().__new__(cls)

    def __init__(self, path: str | None = None) -> None:
        """Load the weights; `path` is a folder (or file) to take them from instead of the assets.

        Subclasses need not call this: it does nothing.
        """

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        written = vars(cls)
        if "_predict" in written and "_predict_batch" not in written:
            # What is new in this class counts: an inherited batch method would ignore the new `_predict`.
            cls._predict_batch = _batch_from_single  # type: ignore[method-assign]
            if "max_batch_size" not in written:
                cls.max_batch_size = 1  # a loop gains nothing from waiting inputs
        elif "_predict_batch" in written and "_predict" not in written:
            cls._predict = _single_from_batch  # type: ignore[method-assign]

    def _pre_process(self, x: Any) -> Any:
        """What the task read → what the network takes; the identity unless overridden."""
        return x

    def _predict(self, x: Any) -> Any:
        """One prepared input → what the network says about it."""
        raise NotImplementedError

    def _predict_batch(self, xs: Sequence[Any]) -> Sequence[Any]:
        """n prepared inputs of equal shape → n results, in the same order."""
        raise NotImplementedError

    def _post_process(self, x: Any) -> Any:
        """What the network said about one input → what the task answers; the identity unless overridden."""
        return x

    def predict(self, x: Any) -> Any:
        """The three steps in a row, for one input."""
        return self._post_process(self._predict(self._pre_process(x)))

    def asset(self, name: str, path: str | None = None) -> Path:
        """The verified local file of the asset called `name`, or the one at `path`.

        `path` may be the file itself or a folder that holds a file of this name.

        Raises:
            BadModel: neither an asset nor a file of the model's folder has this name.
            AssetUnavailable: it could not be downloaded.
            AssetCorrupt: it is not the file that the model states.
        """
        if path is not None:
            given = Path(path)
            return given / name if given.is_dir() else given
        for asset in self.assets:
            if asset.name == name:
                return fetch(asset)
        if (own := folder_of(type(self)) / name).is_file():
            return own
        known = [asset.name for asset in self.assets]
        raise BadModel(f"{type(self).__name__} has no asset {name!r}; its assets are {known}")

    @functools.cached_property
    def labels(self) -> tuple[Label, ...]:
        """The labels that the task declares, in the order of the network's outputs.

        Raises:
            BadModel: their file is not UTF-8; see also `asset`.
        """
        if self.task is None:
            return ()
        declared = self.task.labels
        if isinstance(declared, str):
            file = self.asset(declared)
            try:
                declared = file.read_text(encoding="utf-8").rstrip("\n").split("\n")
            except UnicodeDecodeError as error:
                raise BadModel(
                    f"the labels file {declared!r} is not UTF-8: byte {error.start}", hint="save it as UTF-8"
                ) from error
        first = self.task.first_label_id
        return tuple(
            name if isinstance(name, Label) else Label(str(first + index), name.strip())
            for index, name in enumerate(declared)
        )


def _batch_from_single(self: MAXModelWrapper, xs: Sequence[Any], **parameters: Any) -> list[Any]:
    return [self._predict(x, **parameters) for x in xs]


def _single_from_batch(self: MAXModelWrapper, x: Any, **parameters: Any) -> Any:
    return self._predict_batch([x], **parameters)[0]


def validate(model_class: type[MAXModelWrapper]) -> None:
    """Refuse a new-style class whose declarations are of another kind than asked for.

    Raises:
        BadModel: `task`, `assets` or `max_batch_size` is not what it should be; says what it is and what to write.
    """
    where, task = model_class.__name__, model_class.task
    if task is None:  # old style: its attributes are its own affair
        return
    if isinstance(task, type):
        raise BadModel(f"{where}.task is the class {task.__name__}", hint=f"write: task = {task.__name__}(…)")
    if not isinstance(task, Task):
        raise BadModel(f"{where}.task is {task!r}, not a task", hint="write, e.g.: task = ObjectDetection(…)")
    if not isinstance(task.labels, Sequence) or not all(
        isinstance(label, str | Label) for label in task.labels
    ):
        raise BadModel(
            f"the labels of {where} are neither a file's name nor names", hint='write, e.g.: labels=["cat"]'
        )
    most = model_class.max_batch_size
    if not isinstance(most, int) or isinstance(most, bool) or most < 1:
        raise BadModel(f"{where}.max_batch_size is {most!r}", hint="write a number of inputs from 1 on")
    assets = model_class.assets
    if not isinstance(assets, Sequence) or not all(isinstance(asset, Asset) for asset in assets):
        raise BadModel(f"{where}.assets is {assets!r:.200}", hint="write: assets = [Asset(…)]")


def writes_single(model_class: type[MAXModelWrapper]) -> bool:
    """Whether the author wrote `_predict`, so that `_predict_batch` is derived from it."""
    return model_class._predict_batch is _batch_from_single


def folder_of(model_class: type) -> Path:
    """The folder that a model's class was written in."""
    module = sys.modules.get(model_class.__module__)
    file = getattr(module, "__file__", None) or inspect.getfile(model_class)
    return Path(file).resolve().parent
