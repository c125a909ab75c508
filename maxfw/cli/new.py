"""`maxfw new`: start a model."""

from __future__ import annotations

import keyword
import os
import re
import shlex
import shutil
from pathlib import Path
from typing import Any

import click

from maxfw.catalog import ModelFolder, load_model, skeleton_folder
from maxfw.contract import comparable, sample_text
from maxfw.errors import BadInput
from maxfw.predictor import Predictor
from maxfw.settings import load_settings
from maxfw.tasks import all_tasks, task_named
from maxfw.tasks.base import Task


@click.command("new")
@click.argument("name")
@click.option(
    "--task", default="image-classification", show_default=True, help="One of: " + ", ".join(all_tasks())
)
def command(name: str, task: str) -> None:
    """Make the model folder NAME, with a trivial model of the task that answers at once.

    \b
    Examples:
      maxfw new flower_classifier --task image-classification
      maxfw serve ./flower_classifier
    """
    if not re.fullmatch(r"[a-z][a-z0-9_]*", Path(name).name):
        raise BadInput(
            f"{name!r} is no folder name for a model", hint="use small letters, digits and _, like dog_finder"
        )
    if keyword.iskeyword(Path(name).name):
        raise BadInput(
            f"{Path(name).name!r} is a word of Python itself", hint="use another name, like dog_finder"
        )
    folder = Path(name)
    if folder.exists():
        raise BadInput(f"{folder} exists already", hint="choose another name")
    make_folder(folder, task_named(task))
    # A bare name would be looked for in the zoo.
    typed = shlex.quote(str(folder) if os.sep in str(folder) else os.path.join(os.curdir, folder))
    click.echo(f"{folder} is ready:\n  maxfw serve {typed}\n  maxfw test {typed}")
    click.echo(f"then replace the method bodies in {folder / 'model.py'}")


def make_folder(folder: Path, task: type[Task]) -> None:
    """Copy the skeleton, with the task's trivial model and a sample of it."""
    ignored = shutil.ignore_patterns("__pycache__", "samples", "model.py")
    shutil.copytree(skeleton_folder(), folder, ignore=ignored)
    (folder / "model.py").write_text(model_source(folder.name, task), encoding="utf-8")
    readme = folder / "README.md"
    title = folder.name.replace("_", " ").capitalize()
    readme.write_text(readme.read_text(encoding="utf-8").replace("Skeleton", title), encoding="utf-8")
    write_sample(ModelFolder(folder.resolve()))


def model_source(name: str, task: type[Task]) -> str:
    """The source of the trivial model of a task."""
    title = name.replace("_", " ").capitalize()
    return f'''"""{title}: say in one sentence what it finds in what."""

{task.template_imports}


class ModelWrapper(MAXModelWrapper):
    MODEL_META_DATA = {{
        "id": "max-{name.replace("_", "-")}",
        "name": "{title}",
        "description": "Say in one sentence what it finds in what.",
        "type": "{task.title}",
        "source": "https://example.org/where-the-model-comes-from",
        "license": "Apache-2.0",
    }}
{task.template}'''


def write_sample(folder: ModelFolder) -> None:
    """The task's own input, with what the model answers to it, as the first sample."""
    predictor = Predictor(load_model(folder), load_settings())
    try:
        inputs = predictor.task.sample()
        answer = predictor.answer(inputs)
    finally:
        predictor.close()
    folder.samples.mkdir(exist_ok=True)
    sample: dict[str, Any] = {"body": dict(inputs.body)}
    for upload in inputs.files.values():
        (folder.samples / upload.filename).write_bytes(upload.blob)
        sample = {"input": upload.filename}
    sample["answer"] = comparable(answer)
    (folder.samples / "first.json").write_text(sample_text(sample), encoding="utf-8")
