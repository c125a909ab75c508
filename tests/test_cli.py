"""The command line, as people type it."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from PIL import Image

from maxfw.catalog import models
from maxfw.cli import main

Run = Callable[..., Result]


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Type a command in an empty folder."""
    monkeypatch.chdir(tmp_path)
    return lambda *words: CliRunner().invoke(main, list(words))


@pytest.fixture
def model(run: Run) -> str:
    """A new picture model in the empty folder."""
    assert run("new", "colour_finder").exit_code == 0
    return "./colour_finder"


def assert_one_line(result: Result, *told: str) -> None:
    """A mistake is answered with one line on stderr and exit code 2."""
    assert result.exit_code == 2, result.output
    assert result.stdout == ""
    assert result.stderr.count("\n") == 1, result.stderr
    for words in told:
        assert words in result.stderr


@pytest.mark.parametrize("command", ["serve", "predict", "list", "new", "test"])
def test_every_command_has_help_with_examples(run: Run, command: str) -> None:
    assert f"  {command} " in run("--help").output
    text = run(command, "--help").output
    assert "Examples:" in text
    assert f"maxfw {command}" in text


def test_a_new_model_passes_the_contract_and_predicts(run: Run, model: str) -> None:
    tested = run("test", model)
    predicted = run("predict", model, "colour_finder/samples/sample.png")

    assert tested.exit_code == 0, tested.output
    assert tested.output.count("✓") == 5
    assert predicted.exit_code == 0
    assert "probability" in predicted.output
    assert "red" in predicted.output


def test_json_is_what_the_server_would_answer(run: Run, model: str) -> None:
    result = run("predict", model, "colour_finder/samples/sample.png", "--json")
    expected = json.loads(Path("colour_finder/samples/first.json").read_text(encoding="utf-8"))["answer"]

    [line] = result.stdout.splitlines()
    answer = json.loads(line)
    assert answer["status"] == "ok"
    assert [p["label"] for p in answer["predictions"]] == [p["label"] for p in expected["predictions"]]


def test_an_answer_can_be_drawn(run: Run, model: str) -> None:
    result = run("predict", model, "colour_finder/samples/sample.png", "--save", "out.png")

    assert result.exit_code == 0
    with Image.open("out.png") as picture:
        assert picture.width == 640


def test_several_inputs_are_answered_and_a_bad_one_does_not_stop_the_others(run: Run, model: str) -> None:
    Path("bad.png").write_bytes(b"no picture")
    good = "colour_finder/samples/sample.png"

    result = run("predict", model, good, "bad.png", good, "--json", "--save", "drawn")

    assert result.exit_code == 2
    assert len(result.stdout.splitlines()) == 2
    assert "bad.png: Error: " in result.stderr
    assert os.listdir("drawn") == ["sample.png"]


def test_parameters_are_options(run: Run) -> None:
    run("new", "finder", "--task", "object-detection")
    sample = "finder/samples/sample.png"

    found = [
        json.loads(run("predict", "./finder", sample, "--json", *option).stdout)["predictions"]
        for option in (["--threshold", "0.1"], ["--threshold=1"], [])
    ]

    assert [len(predictions) for predictions in found] == [1, 0, 1]


def test_a_text_is_an_input_too(run: Run) -> None:
    run("new", "loud", "--task", "text-classification")
    Path("letter.txt").write_text("HELLO", encoding="utf-8")
    Path("body.json").write_text('{"text": ["HELLO", "you"]}', encoding="utf-8")

    typed, read, body = (
        json.loads(run("predict", "./loud", what, "--json").stdout)["predictions"]
        for what in ("HELLO", "letter.txt", "body.json")
    )

    assert typed == read == body[:1] == [[{"shouting": 1.0, "talking": 0.0}]]


def test_a_changed_model_breaks_its_sample_until_it_is_recorded(run: Run, model: str) -> None:
    file = Path("colour_finder/model.py")
    changed = file.read_text(encoding="utf-8").replace(
        "np.stack(batch) + 1e-6", "np.stack(batch)[:, ::-1] + 1e-6"
    )
    file.write_text(changed, encoding="utf-8")
    # A program reads a model once; so does each run of the command.
    import sys

    for name in [name for name in sys.modules if name.startswith("maxfw_models.colour_finder")]:
        del sys.modules[name]

    broken = run("test", model)
    recorded = run("test", model, "--record")

    assert broken.exit_code == 1
    assert "✗ sample first is answered" in broken.output
    assert "answer.predictions[0].label_id is '2', expected '0'" in broken.output
    assert recorded.exit_code == 0
    assert run("test", model).exit_code == 0


def test_the_zoo_is_listed_with_task_licence_size_and_place(run: Run) -> None:
    rows = json.loads(run("list", "--json").stdout)
    table = run("list").output

    assert [row["model"] for row in rows] == [folder.name for folder in models()]
    own = next(row for row in rows if row["model"] == "text_sentiment_classifier")
    assert own["task"] == "text-classification"
    assert own["license"] == "Apache-2.0"
    assert own["size"].endswith(" MB")
    assert own["weights_from"] == "this package"
    assert own["here"] is True
    for row in rows:
        assert row["model"] in table


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["serve", "no_such_model"], "the zoo"),
        (["serve", "./nowhere"], "does not exist"),
        (["serve", "--port", "99999"], "--port"),
        (["serve", "--workers", "none"], "--workers"),
        (["predict", "no_such_model", "x"], "no_such_model"),
        (["predict", "./colour_finder", "missing.png"], "missing.png"),
        (["predict", "./colour_finder", "colour_finder/README.md"], "image"),
        (["predict", "./colour_finder", "--size", "3"], "no input"),
        (
            ["predict", "./colour_finder", "colour_finder/samples/sample.png", "--size", "3"],
            "unknown parameter 'size'",
        ),
        (["predict", "./colour_finder", "colour_finder/samples/sample.png", "--size"], "--size has no value"),
        (
            ["predict", "./colour_finder", "colour_finder/samples/sample.png", "--save", "no/where.png"],
            "no/where.png",
        ),
        (["new", "colour_finder"], "exists already"),
        (["new", "Bad Name"], "small letters"),
        (["new", "other", "--task", "nonsense"], "object-detection"),
        (["test", "./nowhere"], "does not exist"),
    ],
)
def test_a_mistake_is_one_line_and_exit_code_2(run: Run, model: str, words: list[str], told: str) -> None:
    result = run(*words)

    if "where.png" in told:  # the answer itself was printed before it could not be drawn
        assert result.exit_code == 2
        assert told in result.stderr
        return
    assert_one_line(result, told)


def test_click_s_own_mistakes_have_exit_code_2_too(run: Run) -> None:
    assert run("nonsense").exit_code == 2
    assert run("predict").exit_code == 2


def test_an_old_repository_is_served_not_asked(run: Run) -> None:
    Path("old").mkdir()
    Path("old/app.py").touch()

    assert_one_line(run("predict", "./old", "x.png"), "maxfw serve")
    assert_one_line(run("test", "./old"), "old-style")


BLENDER = """
from PIL import Image
from maxfw.model import MAXModelWrapper, UploadedImage
from maxfw.tasks.image_to_image import ImageToImage

class ModelWrapper(MAXModelWrapper):
    task = ImageToImage()

    def _predict(self, image):
        return image

    def _post_process(self, image, *, other: UploadedImage | None = None):
        return image if other is None else other
"""


def test_a_parameter_that_is_a_picture_is_given_as_a_path(run: Run) -> None:
    Path("blender.py").write_text(BLENDER, encoding="utf-8")
    Image.new("RGB", (4, 2)).save("a.png")
    Image.new("RGB", (6, 3)).save("b.png")

    assert (
        '"image_size":[6,3]' in run("predict", "./blender.py", "a.png", "--other", "b.png", "--json").stdout
    )
    assert '"image_size":[4,2]' in run("predict", "./blender.py", "a.png", "--json").stdout
    assert_one_line(run("predict", "./blender.py", "a.png", "--other", "none.png"), "cannot read 'none.png'")
    assert_one_line(run("predict", "./blender.py", "a.png", "--other", "blender.py"), "field 'other'")
