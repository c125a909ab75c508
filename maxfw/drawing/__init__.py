"""Answers drawn on their inputs, one file per task, found by the task's name."""

from __future__ import annotations

import importlib
import importlib.util

from PIL import Image

from maxfw.errors import BadInput
from maxfw.tasks.base import Answer, Inputs, Task


def draw(task: Task, inputs: Inputs, answer: Answer) -> Image.Image:
    """An answer drawn on its input → a PIL image.

    Raises:
        BadInput: nobody has written a drawing for this task.
    """
    module_name = f"{__name__}.{task.name.replace('-', '_')}"
    if importlib.util.find_spec(module_name) is None:
        raise BadInput(f"there is no drawing for task {task.name}", hint="use --json")
    picture: Image.Image = importlib.import_module(module_name).draw(inputs, answer)
    return picture
