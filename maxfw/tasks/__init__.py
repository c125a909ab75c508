"""The tasks: what goes into a model and what comes out, one file per task.

`from maxfw.tasks import ObjectDetection` finds the class in `object_detection.py`; a new task is a new file.
"""

from __future__ import annotations

import importlib
import pkgutil
import re
from typing import Any

from maxfw.errors import BadModel
from maxfw.tasks.base import Task

__all__ = ["Task", "all_tasks", "task_named"]

NOT_TASKS = {"audio", "base", "texts", "values"}


def all_tasks() -> dict[str, type[Task]]:
    """Every task by name, `{"object-detection": ObjectDetection, …}`, sorted by name."""
    found: dict[str, type[Task]] = {}
    for module in pkgutil.iter_modules(__path__):
        if module.name not in NOT_TASKS:
            task = _task_in(module.name)
            found[task.name] = task
    return dict(sorted(found.items()))


def task_named(name: str) -> type[Task]:
    """The class of the task called `name`, such as `object-detection`.

    Raises:
        BadModel: there is no such task; lists the names.
    """
    tasks = all_tasks()
    if name not in tasks:
        raise BadModel(f"there is no task {name!r}", hint="tasks are: " + ", ".join(tasks))
    return tasks[name]


def _task_in(module_name: str) -> type[Task]:
    module = importlib.import_module(f"{__name__}.{module_name}")
    task: type[Task] = getattr(module, "".join(part.title() for part in module_name.split("_")))
    return task


def __getattr__(name: str) -> Any:
    """The task class of this name, so that one import line serves every task."""
    module_name = re.sub(r"(?<!^)(?=[A-Z])", "_", name).lower()
    if name[:1].isupper() and module_name in {module.name for module in pkgutil.iter_modules(__path__)}:
        return _task_in(module_name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
