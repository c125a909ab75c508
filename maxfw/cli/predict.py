"""`maxfw predict`: ask a model without a server."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import click
import msgspec
from rich.console import Console
from rich.table import Table
from rich.text import Text

from maxfw.catalog import find, load_model
from maxfw.cli._job import run_job
from maxfw.cli._ray import ray_options
from maxfw.drawing import draw, page
from maxfw.errors import BadInput, BadModel, BadParameter, MaxfwError, one_line
from maxfw.predictor import Predictor
from maxfw.settings import load_settings
from maxfw.tasks.base import Answer, Inputs
from maxfw.tasks.values import encode_json, plain

LONGEST_CELL = 60
MOST_ENTRIES = 8
BAR = 20  # letters
SURE = ("probability", "prediction")  # columns of numbers from 0 to 1


@click.command("predict", context_settings={"ignore_unknown_options": True, "allow_interspersed_args": True})
@click.argument("model")
@click.argument("words", nargs=-1, required=True, type=click.UNPROCESSED, metavar="INPUT...")
@click.option(
    "--json", "as_json", is_flag=True, help="One line of JSON for each input, as the server answers."
)
@click.option(
    "--save",
    type=click.Path(path_type=Path),
    help="Draw the answer into this file (a folder for several); text with tags also as .html.",
)
@click.option(
    "--output",
    type=click.Path(path_type=Path),
    help="Write the answer as the server sends it, a picture or JSON, into this file (a folder for several).",
)
@click.option(
    "--out",
    type=click.Path(path_type=Path),
    help="A job: write a line of JSON for each input into this file; the same command goes on where it was stopped.",
)
@click.option(
    "--save-images",
    type=click.Path(path_type=Path),
    help="A job: draw each answer into a file of this folder.",
)
@ray_options(
    engine="A job: in this process, or by Ray Data, on as many machines as its cluster has.",
    replicas="auto",
    as_many_as="there is room for",
)
def command(
    model: str, words: tuple[str, ...], as_json: bool, save: Path | None, output: Path | None, **job: Any
) -> None:
    """Ask MODEL about each INPUT: a file, or a text for models that read text.

    With --out, an INPUT may be a folder, a pattern, or a list: a .jsonl with an object, or a .csv with a row, for each
    input. The model's parameters are options too: --threshold 0.5; where one is a picture, give its path.

    \b
    Examples:
      maxfw predict object_detector street.jpg --threshold 0.5 --save boxes.png
      maxfw predict text_sentiment_classifier "What a lovely day" --json
      maxfw predict fast_neural_style_transfer photo.jpg --output painted.png
      maxfw predict ./my_model one.jpg two.jpg
      maxfw predict object_detector photos --out results.jsonl
      maxfw predict object_detector "photos/**/*.jpg" --out results.jsonl --save-images drawn
    """
    arguments, parameters = split_words(words)
    if not arguments:
        raise BadInput("there is no input", hint="maxfw predict MODEL INPUT…")
    folder = find(model)
    if folder.is_old_style:
        raise BadModel(f"{folder.path} is an old-style repository", hint="serve it: maxfw serve PATH")
    if job["out"] is not None:
        if as_json or save or output:
            raise BadInput("--out goes with neither --json, --save nor --output", hint="--save-images draws")
        run_job(folder, arguments, parameters, **job)
        return
    if job["save_images"] is not None or job["engine"] == "ray":
        raise BadInput("--save-images and --engine need --out", hint="without a job, draw with --save")
    predictor = Predictor(load_model(folder), load_settings())
    if predictor.task.files and (listed := next((word for word in arguments if Path(word).is_dir()), "")):
        raise BadInput(f"{listed!r} is a folder", hint="a job over it: --out results.jsonl")
    writer = Writer(predictor, save, output, several=len(arguments) > 1)
    try:
        went_well = [_ask(predictor, argument, parameters, as_json, writer) for argument in arguments]
    finally:
        predictor.close()
    if not all(went_well):
        raise click.exceptions.Exit(2)


def _ask(
    predictor: Predictor, argument: str, parameters: dict[str, str], as_json: bool, writer: Writer
) -> bool:
    """Show and write the answer to one input; if it is one of several, its error is a line and no end."""
    try:
        inputs, values = predictor.with_files(predictor.task.inputs_of(argument), parameters)
        answer = predictor.answer(inputs, values)
    except MaxfwError as error:
        if not writer.several or isinstance(error, BadParameter):
            raise
        click.echo(f"{argument}: {one_line(error)}", err=True)
        return False
    _show(argument, answer, as_json)
    writer.write(argument, inputs, answer)
    return True


def split_words(words: Sequence[str]) -> tuple[list[str], dict[str, str]]:
    """What follows the model on the command line → its inputs, and parameters from `--name value` or `--name=value`.

    Raises:
        BadParameter: a parameter has no value.
    """
    inputs: list[str] = []
    parameters: dict[str, str] = {}
    rest = list(words)
    while rest:
        word = rest.pop(0)
        if not word.startswith("--"):
            inputs.append(word)
            continue
        name, equals, value = word[2:].partition("=")
        if not equals:
            if not rest:
                raise BadParameter(f"--{name} has no value", hint=f"write --{name} VALUE")
            value = rest.pop(0)
        parameters[name.replace("-", "_")] = value
    return inputs, parameters


def _show(argument: str, answer: Answer, as_json: bool) -> None:
    if as_json:
        click.echo(encode_json(answer).decode())
        return
    console = Console()
    # `Text` throughout: in a string, rich would take what stands in brackets for markup.
    short = argument if len(argument) <= LONGEST_CELL else argument[:LONGEST_CELL] + "…"
    console.print(Text(short, style="bold"))
    for key, value in msgspec.to_builtins(answer, builtin_types=(bytes,), enc_hook=plain).items():
        if key != "status":
            console.print(_table(value) if _is_table(value) else Text(f"{key}: {_cell(value)}"))


def _is_table(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(row, dict) or _is_table(row) for row in value)


def _table(rows: list[Any]) -> Table | str:
    """A list of objects, or of lists of objects (one list for each text), as a table."""
    flat = [row for entry in rows for row in (entry if isinstance(entry, list) else [entry])]
    if not flat:
        return "nothing found"
    table = Table()
    for column in flat[0]:
        table.add_column(Text(column))
    for row in flat:
        table.add_row(*(Text(_cell(row.get(column, "")) + _bar(column, row)) for column in flat[0]))
    return table


def _bar(column: str, row: dict[str, Any]) -> str:
    """A probability as a bar of blocks, to be seen at a glance; nothing for other columns."""
    value = row.get(column)
    if column not in SURE or not isinstance(value, float) or not 0 <= value <= 1:
        return ""
    whole, eighths = divmod(round(value * BAR * 8), 8)
    return " " + ("█" * whole + " ▏▎▍▌▋▊▉"[eighths]).ljust(BAR)


def _cell(value: Any) -> str:
    if isinstance(value, float):
        return f"{value:.4f}"
    if isinstance(value, bytes):
        return f"{len(value)} bytes"
    if isinstance(value, dict):
        return ", ".join(f"{key} {_cell(item)}" for key, item in value.items())
    if isinstance(value, list):
        return _entries(value)
    return str(value)


def _entries(values: list[Any]) -> str:
    """The first entries of a list, as many as fit a cell; a table within a table would tower over it."""
    shown: list[str] = []
    for value in values[:MOST_ENTRIES]:
        entry = _cell(value)
        if shown and len(", ".join([*shown, entry])) > LONGEST_CELL:
            break
        shown.append(entry if len(entry) <= LONGEST_CELL else entry[:LONGEST_CELL] + "…")
    more = f", … ({len(values)} in all)" if len(shown) < len(values) else ""
    return f"[{', '.join(shown)}{more}]"


class Writer:
    """Writes what `--save` and `--output` ask for: one file each, or files in a folder that are named as the inputs."""

    def __init__(
        self, predictor: Predictor, save: Path | None, output: Path | None, *, several: bool
    ) -> None:
        self.predictor = predictor
        self.task = predictor.task
        self.save = save
        self.output = output
        self.several = several
        self._written: set[str] = set()

    def write(self, argument: str, inputs: Inputs, answer: Answer) -> None:
        """Draw an answer, write it as it would be sent, or both.

        Raises:
            BadInput: a file cannot be written.
        """
        if self.save is not None and self.save.suffix.lower() in (".html", ".htm"):
            text = page(self.task, inputs, answer)
            self._put("drawn", self.save, argument, ".html", lambda path: path.write_text(text, "utf-8"))
        elif self.save is not None:
            picture = draw(self.task, inputs, answer, ask=self.predictor.answer)
            self._put("drawn", self.save, argument, ".png", picture.save)
        if self.output is not None:
            accept = "application/json" if self.output.suffix == ".json" else ""
            encoded = self.task.encode(answer, accept)
            suffix = "." + encoded.media_type.partition("/")[2]
            self._put(
                "written", self.output, argument, suffix, lambda path: path.write_bytes(encoded.content)
            )

    def _put(
        self, done: str, place: Path, argument: str, suffix: str, write: Callable[[Path], object]
    ) -> None:
        try:
            if self.several or place.is_dir():
                place.mkdir(parents=True, exist_ok=True)
                place = self._free(place, Path(argument).stem[:80] or "answer", suffix)
            write(place)
        except (OSError, ValueError) as error:
            raise BadInput(f"cannot write {place}: {error}", hint=f"name a file like out{suffix}") from None
        click.echo(f"{done}: {place}", err=True)

    def _free(self, folder: Path, stem: str, suffix: str) -> Path:
        """A file of this name in the folder; with a number behind it if this run has written one of that name."""
        names = itertools.chain([stem], (f"{stem}-{number}" for number in itertools.count(2)))
        path = next(p for name in names if str(p := folder / f"{name}{suffix}").lower() not in self._written)
        self._written.add(str(path).lower())
        return path
