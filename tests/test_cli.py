"""The command line, as people type it."""

from __future__ import annotations

import json
import os
import shlex
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from PIL import Image

from maxfw.catalog import models
from maxfw.cli import main
from maxfw.cli.predict import _cell
from maxfw.settings import load_settings

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


def test_a_broken_batch_is_a_finding_and_no_traceback(run: Run, model: str) -> None:
    file = Path("colour_finder/model.py")
    source = file.read_text(encoding="utf-8")
    assert "np.stack(batch) + 1e-6" in source
    broken = source.replace("np.stack(batch) + 1e-6", "np.stack(batch[: max(1, len(batch) - 1)]) + 1e-6")
    Path("colour_finder/broken.py").write_text(broken, encoding="utf-8")

    result = run("test", "colour_finder/broken.py")

    assert result.exit_code == 1
    assert "✗ a batch answers like single inputs" in result.output
    assert "`_predict_batch` returned 2 results for a batch of 3" in result.output
    assert "Traceback" not in result.output


INVERTER = """
from maxfw.model import MAXModelWrapper
from maxfw.tasks.image_to_image import ImageToImage
from PIL import ImageOps

class ModelWrapper(MAXModelWrapper):
    task = ImageToImage()

    def _predict(self, image):
        return ImageOps.invert(image)
"""


def test_the_picture_that_was_made_can_be_had(run: Run) -> None:
    Path("inverter.py").write_text(INVERTER, encoding="utf-8")
    Image.new("RGB", (4, 2), (255, 0, 9)).save("a.png")

    for file in ("out.png", "out.json"):
        assert run("predict", "./inverter.py", "a.png", "--output", file).exit_code == 0

    with Image.open("out.png") as made:
        assert (made.format, made.size, made.getpixel((0, 0))) == ("PNG", (4, 2), (0, 255, 246))
    assert json.loads(Path("out.json").read_bytes())["image_size"] == [4, 2]


def test_an_answer_of_another_task_is_written_as_json(run: Run, model: str) -> None:
    result = run("predict", model, "colour_finder/samples/sample.png", "--json", "--output", "out.json")

    assert Path("out.json").read_text(encoding="utf-8") == result.stdout.rstrip("\n")


def test_inputs_of_the_same_name_do_not_overwrite_each_other(run: Run) -> None:
    Path("inverter.py").write_text(INVERTER, encoding="utf-8")
    photos = [Path(folder, "p.png") for folder in ("one", "two", "three")]
    for side, photo in enumerate(photos, start=1):
        photo.parent.mkdir()
        Image.new("RGB", (side, side)).save(photo)

    for _ in "ab":  # a second run writes the same files anew
        result = run("predict", "./inverter.py", *map(str, photos), "--output", "made", "--save", "drawn")
        assert result.exit_code == 0, result.output

    for folder in ("made", "drawn"):
        assert sorted(os.listdir(folder)) == ["p-2.png", "p-3.png", "p.png"]
    for name, side in (("p", 1), ("p-2", 2), ("p-3", 3)):
        with Image.open(f"made/{name}.png") as made:
            assert made.size == (side, side)


def test_a_drawing_and_its_answer_may_share_a_folder(run: Run) -> None:
    Path("inverter.py").write_text(INVERTER, encoding="utf-8")
    Image.new("RGB", (4, 2)).save("a.png")
    Path("both").mkdir()

    run("predict", "./inverter.py", "a.png", "--output", "both", "--save", "both")

    assert sorted(os.listdir("both")) == ["a-2.png", "a.png"]


def test_a_file_where_a_folder_is_needed_is_a_mistake(run: Run, model: str) -> None:
    sample = "colour_finder/samples/sample.png"
    Path("taken").touch()

    result = run("predict", model, sample, sample, "--output", "taken")

    assert result.exit_code == 2
    assert "cannot write taken: " in result.stderr
    assert "Traceback" not in result.output


BRACKETS = """
from maxfw.model import MAXModelWrapper
from maxfw.tasks.text_classification import TextClassification

class ModelWrapper(MAXModelWrapper):
    task = TextClassification(labels=["[red]", "[/b]"])

    def _predict(self, text):
        return [0.25, 0.75]
"""


@pytest.mark.parametrize("text", ["I love [/b] this", "[red]", "a :smile: [bold]b"])
def test_brackets_in_texts_and_labels_are_shown_as_they_are(run: Run, text: str) -> None:
    Path("brackets.py").write_text(BRACKETS, encoding="utf-8")

    result = run("predict", "./brackets.py", text)

    assert result.exit_code == 0, result.output
    assert result.output.splitlines()[0] == text
    table = result.output.split("\n", 1)[1]
    assert "[red]" in table
    assert "[/b]" in table


@pytest.mark.parametrize(
    ("value", "cell"),
    [
        (0.123456, "0.1235"),
        ("[b]", "[b]"),
        ([0.1, 0.2, 0.3, 0.4], "[0.1000, 0.2000, 0.3000, 0.4000]"),
        (list(range(512)), "[0, 1, 2, 3, 4, 5, 6, 7, … (512 in all)]"),
        ({"x": 1, "y": 0.5}, "x 1, y 0.5000"),
        ([], "[]"),
    ],
)
def test_a_value_in_a_cell_is_short(value: object, cell: str) -> None:
    assert _cell(value) == cell


def test_a_list_of_objects_in_a_cell_stays_low() -> None:
    landmarks = [{"name": f"corner_{i}", "x": 0.1, "y": 0.2} for i in range(5)]
    rows = [[0] * 300] * 200

    assert _cell(landmarks) == "[name corner_0, x 0.1000, y 0.2000, … (5 in all)]"
    assert _cell(rows).endswith("… (200 in all)]")
    assert max(len(_cell(landmarks)), len(_cell(rows))) < 100


@pytest.mark.parametrize("name", ["plain", "a folder/deep", "{}/absolute"])
def test_what_new_says_to_type_works(run: Run, tmp_path: Path, name: str) -> None:
    Path("a folder").mkdir()

    said = run("new", name.format(tmp_path)).output
    [command] = [line for line in said.splitlines() if "maxfw test" in line]

    assert run(*shlex.split(command)[1:]).exit_code == 0


def test_several_inputs_are_answered_and_a_bad_one_does_not_stop_the_others(run: Run, model: str) -> None:
    Path("bad.png").write_bytes(b"no picture")
    good = "colour_finder/samples/sample.png"

    result = run("predict", model, good, "bad.png", good, "--json", "--save", "drawn")

    assert result.exit_code == 2
    assert len(result.stdout.splitlines()) == 2
    assert "bad.png: Error: " in result.stderr
    assert sorted(os.listdir("drawn")) == ["sample-2.png", "sample.png"]


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


def test_the_size_of_what_is_not_here_is_what_the_model_states(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MAXFW_ASSETS_DIR", str(tmp_path))
    monkeypatch.delenv("MAXFW_ASSETS_MIRROR", raising=False)
    rows = {row["model"]: row for row in json.loads(run("list", "--json").stdout)}

    assert rows["object_detector"]["here"] is False
    assert rows["object_detector"]["size"] == "4.2 MB"


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
        (["new", "class"], "'class' is a word of Python"),
        (["predict", "colour_finder/samples", "x.png"], "neither model.py nor app.py"),
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


def test_what_is_on_by_default_can_be_turned_off_by_a_flag() -> None:
    from maxfw.cli.serve import command as serve_command

    options = serve_command.make_context("serve", ["--no-access-log", "--offline"]).params
    settings = load_settings({}, **{name: options[name] for name in ("access_log", "offline")})

    assert (settings.access_log, settings.offline) == (False, True)
