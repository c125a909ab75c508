"""Answers drawn on their inputs, one file per task, found by the task's name."""

from __future__ import annotations

import importlib
import importlib.util
import inspect
from types import ModuleType

from PIL import Image

from maxfw.drawing.base import Ask
from maxfw.errors import BadInput
from maxfw.tasks.base import Answer, Inputs, Task


def draw(task: Task, inputs: Inputs, answer: Answer, *, ask: Ask | None = None) -> Image.Image:
    """An answer drawn on its input → a PIL image.

    Some drawings show more where they can `ask` the model about parts of the input.

    Raises:
        BadInput: nobody has written a drawing for this task.
    """
    drawing = _drawing(task).draw
    asked_for = inspect.signature(drawing).parameters
    known = {name: value for name, value in {"task": task, "ask": ask}.items() if name in asked_for}
    picture: Image.Image = drawing(inputs, answer, **known)
    return picture


def require_drawing(task: Task) -> None:
    """See that answers of this task can be drawn.

    Raises:
        BadInput: nobody has written a drawing for it.
    """
    _drawing(task)


def page(task: Task, inputs: Inputs, answer: Answer) -> str:
    """An answer as a page of HTML, for tasks whose answer is read rather than looked at.

    Raises:
        BadInput: nobody has written a page for this task.
    """
    drawing = _drawing(task)
    if not hasattr(drawing, "page"):
        raise BadInput(f"there is no page for task {task.name}", hint="save a picture: --save out.png")
    text: str = drawing.page(inputs, answer)
    return text


def _drawing(task: Task) -> ModuleType:
    module_name = f"{__name__}.{task.name.replace('-', '_')}"
    if importlib.util.find_spec(module_name) is None:
        raise BadInput(f"there is no drawing for task {task.name}", hint="use --json")
    return importlib.import_module(module_name)
