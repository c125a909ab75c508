"""`maxfw predict`: ask a model without a server."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click
import msgspec
from rich.console import Console
from rich.table import Table

from maxfw.catalog import find, load_model
from maxfw.drawing import draw
from maxfw.errors import BadInput, BadModel, BadParameter, MaxfwError, one_line
from maxfw.predictor import Predictor
from maxfw.settings import load_settings
from maxfw.tasks.base import Answer, Inputs, encode_json

LONGEST_CELL = 60


@click.command("predict", context_settings={"ignore_unknown_options": True, "allow_interspersed_args": True})
@click.argument("model")
@click.argument("words", nargs=-1, required=True, type=click.UNPROCESSED, metavar="INPUT...")
@click.option(
    "--json", "as_json", is_flag=True, help="One line of JSON for each input, as the server answers."
)
@click.option(
    "--save", type=click.Path(path_type=Path), help="Draw the answer into this file (a folder for several)."
)
def command(model: str, words: tuple[str, ...], as_json: bool, save: Path | None) -> None:
    """Ask MODEL about each INPUT: a file, or a text for models that read text.

    The model's parameters are options too: --threshold 0.5; where one is a picture, give its path.

    \b
    Examples:
      maxfw predict object_detector street.jpg --threshold 0.5 --save boxes.png
      maxfw predict text_sentiment_classifier "What a lovely day" --json
      maxfw predict ./my_model one.jpg two.jpg
    """
    arguments, parameters = split_words(words)
    if not arguments:
        raise BadInput("there is no input", hint="maxfw predict MODEL INPUT…")
    folder = find(model)
    if folder.is_old_style:
        raise BadModel(f"{folder.path} is an old-style repository", hint="serve it: maxfw serve PATH")
    predictor = Predictor(load_model(folder), load_settings())
    failed = False
    try:
        for argument in arguments:
            try:
                inputs, values = predictor.with_files(predictor.task.inputs_of(argument), parameters)
                answer = predictor.answer(inputs, values)
            except MaxfwError as error:
                if len(arguments) == 1 or isinstance(error, BadParameter):
                    raise
                click.echo(f"{argument}: {one_line(error)}", err=True)
                failed = True
                continue
            _show(argument, answer, as_json)
            if save is not None:
                _save(predictor, argument, inputs, answer, save, several=len(arguments) > 1)
    finally:
        predictor.close()
    if failed:
        raise click.exceptions.Exit(2)


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
    console.print(
        f"[bold]{argument if len(argument) <= LONGEST_CELL else argument[:LONGEST_CELL] + '…'}[/bold]"
    )
    for key, value in msgspec.to_builtins(answer, builtin_types=(bytes,)).items():
        if key != "status":
            console.print(_table(value) if _is_table(value) else f"{key}: {_cell(value)}")


def _is_table(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(row, dict) or _is_table(row) for row in value)


def _table(rows: list[Any]) -> Table | str:
    """A list of objects, or of lists of objects (one list for each text), as a table."""
    flat = [row for entry in rows for row in (entry if isinstance(entry, list) else [entry])]
    if not flat:
        return "nothing found"
    table = Table()
    for column in flat[0]:
        table.add_column(column)
    for row in flat:
        table.add_row(*(_cell(row.get(column)) for column in flat[0]))
    return table


def _cell(value: Any) -> str:
    if isinstance(value, float):
        return f"{value:.4f}"
    if isinstance(value, bytes):
        return f"{len(value)} bytes"
    if isinstance(value, list):
        text = ", ".join(_cell(item) for item in value[:8]) + (", …" if len(value) > 8 else "")
        return f"[{text}]".replace("[", r"\[")
    return str(value)


def _save(
    predictor: Predictor, argument: str, inputs: Inputs, answer: Answer, place: Path, *, several: bool
) -> None:
    picture = draw(predictor.task, inputs, answer)
    if several or place.is_dir():
        place.mkdir(parents=True, exist_ok=True)
        place = place / f"{Path(argument).stem[:80]}.png"
    try:
        picture.save(place)
    except (OSError, ValueError) as error:
        raise BadInput(f"cannot write {place}: {error}", hint="name a file like out.png") from None
    click.echo(f"drawn: {place}", err=True)
