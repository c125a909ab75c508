"""The rows of a list, in JSONL or CSV: one that cannot be read is a problem of its own, and those behind it are read on."""

from __future__ import annotations

import collections
import csv
from collections.abc import Iterator
from typing import Any, BinaryIO

import msgspec

from maxfw.errors import BadInput, quoted

BOM = b"\xef\xbb\xbf"


class Problem(str):
    """Why a row of a list is none."""


def json_rows(file: BinaryIO, limit: int) -> Iterator[Any]:
    """What stands on the lines of a file, of at most so many bytes each."""
    for line in _lines(file, limit):
        if isinstance(line, Problem):
            yield line
        elif line.strip():
            try:
                yield msgspec.json.decode(line)
            except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
                yield Problem(f"the line is not JSON: {error}")


def csv_rows(file: BinaryIO, limit: int) -> Iterator[Any]:
    """The rows of a file by the names in its head, without the empty cells.

    Raises:
        BadInput: the head is none.
    """
    rows = iter(_Rows(_lines(file, limit)))
    head = next(rows, [])
    if isinstance(head, Problem):
        raise BadInput(f"the head of {file.name!r}: {head}")
    if twice := next((name for name in head if head.count(name) > 1), ""):
        raise BadInput(f"the head of {file.name!r} names {quoted(twice)} twice", hint="rename a column")
    for cells in rows:
        if isinstance(cells, Problem):
            yield cells
        elif len(cells) > len(head):
            yield Problem(f"the row has {len(cells)} cells, and the head {len(head)}")
        elif cells:
            yield {name: cell for name, cell in zip(head, cells, strict=False) if cell}


class _Rows:
    """Rows of cells, which may go over several lines within quotes.

    A quote that is not closed, or closed where no cell ends, costs its line alone: the next line begins a row.
    """

    def __init__(self, lines: Iterator[bytes | Problem]) -> None:
        self._lines = lines
        self._again: collections.deque[str | Problem] = collections.deque()
        self._taken: list[str] = []

    def __iter__(self) -> Iterator[list[str] | Problem]:
        reader = csv.reader(self._texts(), strict=True)
        while True:
            self._taken.clear()
            try:
                yield next(reader)
            except StopIteration:
                return
            except _TooLong as error:
                yield error.problem
                reader = csv.reader(self._texts(), strict=True)
            except csv.Error as error:
                self._again.extendleft(reversed(self._taken[1:]))
                yield Problem(f"the row cannot be read: {_said(error)}")
                reader = csv.reader(self._texts(), strict=True)

    def _texts(self) -> Iterator[str]:
        while True:
            line = self._again.popleft() if self._again else next(self._lines, None)
            if line is None:
                return
            if isinstance(line, Problem):
                if not self._taken:
                    raise _TooLong(line)
                self._again.appendleft(line)
                raise csv.Error("a quote is not closed")
            text = line.decode("utf-8", "replace") if isinstance(line, bytes) else line
            self._taken.append(text)
            yield text


class _TooLong(Exception):
    def __init__(self, problem: Problem) -> None:
        super().__init__()
        self.problem = problem


def _said(error: csv.Error) -> str:
    if "unexpected end" in str(error):
        return "a quote is not closed"
    if "field limit" in str(error):
        return f"a cell has more than {csv.field_size_limit()} characters, or a quote is not closed"
    return str(error)


def _lines(file: BinaryIO, limit: int) -> Iterator[bytes | Problem]:
    """The lines of a file; of one that is too long only that it is so."""
    if file.read(len(BOM)) != BOM:
        file.seek(0)
    while line := file.readline(limit + 1):
        if len(line) > limit and not line.endswith(b"\n"):
            while (rest := file.readline(limit)) and not rest.endswith(b"\n"):
                pass
            yield Problem(f"the line has more than {limit} bytes")
        else:
            yield line
