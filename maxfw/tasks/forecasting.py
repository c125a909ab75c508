"""Forecasting: what comes next in a table of numbers."""

from __future__ import annotations

import functools
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

import numpy as np
from msgspec import Meta, Struct

from maxfw.errors import BadInput, TooLarge, quoted
from maxfw.settings import Settings
from maxfw.tasks.base import (
    FORM_SYNTAX_BYTES,
    Answer,
    FileField,
    Inputs,
    Label,
    Task,
    Upload,
    megabytes,
    read_file,
    required_file,
)
from maxfw.tasks.values import number_rows

MOST_COLUMNS = 1_000
_HINT = "send lines of numbers, separated by commas or spaces, with or without a line of names before them"


class ForecastingAnswer(Answer, kw_only=True):
    """The forecasts, a row of numbers each."""

    predictions: Annotated[list[list[float]], Meta(description="one row for each forecast")]


class Table(Struct, frozen=True):
    """Rows in the order of time, float64 (n, k), and the names of their columns; none if the file has no names."""

    names: tuple[str, ...]
    rows: np.ndarray


class Forecasting(Task):
    """A table in, oldest row first; what comes next out.

    The parameter `model` chooses what is forecast, and `_post_process` returns the rows of numbers.
    """

    name = "forecasting"
    title = "Forecasting"
    answer = ForecastingAnswer
    files = (FileField("file", "a table: CSV, or numbers as numpy writes them", "history.csv"),)
    standard_parameters = ("model",)

    template_imports = """\
from typing import Literal

import numpy as np

from maxfw.model import MAXModelWrapper
from maxfw.tasks.forecasting import Forecasting"""
    template = '''\
    task = Forecasting()

    def _pre_process(self, table):
        """A table → its rows, float64 (n, k), oldest first."""
        return table.rows

    def _predict(self, rows, *, model: Literal["same", "trend"] = "same"):
        """float64 (n, k) → the next row, float64 (1, k): the last one again, or one more of the mean step."""
        step = (rows[-1] - rows[0]) / max(len(rows) - 1, 1) if model == "trend" else 0
        return (rows[-1] + step)[None]

    def _post_process(self, forecasts):
        """float64 (1, k) → the same."""
        return forecasts
'''

    def __init__(self, *, columns: Sequence[str] = (), target: str = "", example: Path | None = None) -> None:
        """Declare the task of a model that looks ahead.

        `columns` are the names of the columns that it needs; a table that has names is brought into this order.
        `target` is the column that its forecasts continue, and `example` a file with a table that it takes.
        """
        super().__init__()
        self.columns = tuple(columns)
        self.target = target
        if example is not None:
            self.sample = functools.partial(self.inputs_of, str(example))  # type: ignore[method-assign]

    def read(self, inputs: Inputs, settings: Settings) -> list[Table]:
        """The uploaded table → names and rows, the declared columns in their order."""
        blob = required_file(self.files[0], inputs).blob
        if len(blob) > megabytes(settings.max_table_mb):
            raise TooLarge(
                f"field 'file': {len(blob)} bytes, at most {settings.max_table_mb:g} MB are accepted",
                hint="send the latest rows only",
            )
        return [self._in_order(read_table(blob))]

    def write(
        self, items: Sequence[Any], outcomes: Sequence[Any], labels: Sequence[Label]
    ) -> ForecastingAnswer:
        """Rows, numbers (n, k) → lists."""
        return ForecastingAnswer(predictions=number_rows(outcomes[0]))

    def limits(self, settings: Settings) -> dict[str, Any]:
        return {"file": {"bytes": megabytes(settings.max_table_mb), "formats": ["CSV", "numpy text"]}}

    def body_limit(self, settings: Settings) -> int:
        return megabytes(settings.max_table_mb) + FORM_SYNTAX_BYTES

    def inputs_of(self, argument: str) -> Inputs:
        return Inputs(files={"file": read_file(argument)})

    @classmethod
    def sample(cls) -> Inputs:
        """Two days of two columns, hour by hour."""
        hours = np.arange(48)
        rows = zip(
            15 + 8 * np.sin(hours / 24 * 2 * np.pi), 60 - 20 * np.sin(hours / 24 * 2 * np.pi), strict=True
        )
        lines = [f"{warm:.4f},{damp:.4f}" for warm, damp in rows]
        csv = "\n".join(["temperature,humidity", *lines, ""])
        return Inputs(files={"file": Upload(csv.encode(), "sample.csv", "text/csv")})

    def _in_order(self, table: Table) -> Table:
        if not self.columns:
            return table
        if not table.names:
            if table.rows.shape[1] != len(self.columns):
                raise BadInput(
                    f"field 'file': {table.rows.shape[1]} columns without names, this model needs "
                    f"{len(self.columns)}",
                    hint="the columns, in this order: " + ", ".join(self.columns),
                )
            return Table((), table.rows)
        positions = {name.casefold(): index for index, name in enumerate(table.names)}
        if missing := [name for name in self.columns if name.casefold() not in positions]:
            raise BadInput(
                f"field 'file': there is no column {missing[0]!r}",
                hint="the first line names the columns; needed are " + ", ".join(self.columns),
            )
        order = [positions[name.casefold()] for name in self.columns]
        return Table(self.columns, table.rows[:, order])


def read_table(blob: bytes) -> Table:
    """Lines of numbers, separated by commas, semicolons, tabs or spaces → a table.

    Names may stand in the first line; lines that begin with # are passed over.

    Raises:
        BadInput: it is empty, no text, not numbers throughout, not finite, or its rows are of different lengths.
    """
    try:
        text = blob.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise BadInput(f"field 'file': no text: byte {error.start} is not UTF-8", hint=_HINT) from None
    lines = [line for line in text.splitlines() if line.strip() and not line.lstrip().startswith("#")]
    if not lines or "\0" in text:
        raise BadInput(f"field 'file': {len(blob)} bytes without a table", hint=_HINT)
    mark = next((mark for mark in (";", "\t", ",") if mark in lines[0]), None)
    first = [cell.strip().strip('"') for cell in lines[0].split(mark)]
    if len(first) > MOST_COLUMNS:
        raise TooLarge(f"field 'file': {len(first)} columns, at most {MOST_COLUMNS} are accepted")
    named = not all(_is_number(cell) for cell in first)
    if named and len(lines) == 1:
        raise BadInput(f"field 'file': no rows of numbers after {quoted(lines[0])}", hint=_HINT)
    try:
        rows = np.loadtxt(lines[named:], delimiter=mark, ndmin=2, comments=None)
    except ValueError as error:
        raise BadInput(f"field 'file': {_counted(str(error), named)}", hint=_HINT) from None
    if named and rows.shape[1] != len(first):
        raise BadInput(f"field 'file': {len(first)} names for {rows.shape[1]} columns", hint=_HINT)
    if not np.isfinite(rows).all():
        row, column = (int(place[0]) for place in np.nonzero(~np.isfinite(rows)))
        raise BadInput(f"field 'file': row {row + 1}, column {column + 1} is no finite number", hint=_HINT)
    return Table(tuple(first) if named else (), rows)


def _is_number(cell: str) -> bool:
    try:
        float(cell)
    except ValueError:
        return False
    return True


def _counted(message: str, named: bool) -> str:
    """What numpy says of a table it cannot read, without its advice."""
    message = message.split(";")[0].rstrip(".")
    message = re.sub(r"float64 at row (\d+)", lambda row: f"a number in row {int(row[1]) + 1}", message)
    return message[:300] + (" (the line of names not counted)" if named else "")
