"""What every task keeps; a new task is under these tests by being there."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from maxfw.catalog import ModelFolder, load_model, skeleton_folder
from maxfw.cli.new import make_folder, model_source
from maxfw.contract import check, samples_of
from maxfw.drawing import draw
from maxfw.errors import RequestError
from maxfw.predictor import Predictor
from maxfw.settings import Settings
from maxfw.tasks import all_tasks, task_named
from maxfw.tasks.base import Inputs, Task, Upload
from maxfw.tasks.values import encode_json

TASKS = list(all_tasks().values())
every_task = pytest.mark.parametrize("task", TASKS, ids=lambda task: task.name)


@every_task
def test_it_has_the_name_of_its_file_and_says_what_it_does(task: type[Task]) -> None:
    assert task.__module__.endswith("." + task.name.replace("-", "_"))
    assert task_named(task.name) is task
    assert task.__doc__
    assert task.title
    assert task.answer.__doc__


@every_task
def test_it_reads_its_own_sample(task: type[Task], settings: Settings) -> None:
    assert task().read(task.sample(), settings)


@every_task
def test_it_asks_for_files_or_for_a_body(task: type[Task]) -> None:
    assert bool(task.files) != (task.body is not None)


@every_task
def test_it_refuses_garbage(task: type[Task], settings: Settings) -> None:
    garbage = [Inputs()]
    for field in task.files:
        garbage += [
            Inputs(files={field.name: Upload(blob)}) for blob in (b"", b"\x00" * 100, b"no such file")
        ]
    if task.body is not None:
        names = [field.name for field in msgspec.structs.fields(task.body)]
        garbage += [Inputs(body=dict.fromkeys(names, value)) for value in (None, 1, {}, [None], [[]])]
    for inputs in garbage:
        with pytest.raises(RequestError) as refusal:
            task().read(inputs, settings)
        assert refusal.value.message


@every_task
def test_it_publishes_its_limits(task: type[Task], settings: Settings) -> None:
    assert task().limits(settings)
    assert task().body_limit(settings) > 0


@every_task
def test_its_answer_begins_with_the_status_and_has_a_schema(task: type[Task]) -> None:
    names = [field.name for field in msgspec.structs.fields(task.answer)]
    schema = msgspec.json.schema(task.answer)

    assert names[0] == "status"
    assert len(names) > 1
    assert schema["$defs"][task.answer.__name__]["properties"]["status"] == {"enum": ["ok"], "default": "ok"}


@every_task
def test_a_new_model_of_it_keeps_the_contract_and_can_be_drawn(
    task: type[Task], settings: Settings, tmp_path: Path
) -> None:
    make_folder(tmp_path / "new_model", task)
    folder = ModelFolder(tmp_path / "new_model")
    predictor = Predictor(load_model(folder), settings)
    samples = samples_of(folder, predictor.task)

    assert samples
    assert [finding for finding in check(predictor, folder, samples) if finding.problem] == []

    answer = predictor.answer(samples[0].inputs)
    assert msgspec.json.decode(encode_json(answer), type=task.answer) == answer
    assert draw(predictor.task, samples[0].inputs, answer).width > 1
    predictor.close()


def test_the_skeleton_is_what_a_new_model_looks_like() -> None:
    skeleton = (skeleton_folder() / "model.py").read_text(encoding="utf-8")

    assert skeleton == model_source("skeleton", task_named("image-classification"))
