"""What a job is about: a folder, a pattern, a list in JSONL or CSV, or single inputs, one after the other.

Nothing is held: a list of a hundred million lines takes the memory of one.
"""

from __future__ import annotations

import itertools
import os
import typing
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import msgspec
from msgspec import Struct

from maxfw.errors import BadInput, quoted
from maxfw.model import MAXModelWrapper
from maxfw.model.parameters import parameters_of
from maxfw.offline import walk
from maxfw.offline.lists import Problem, csv_rows, json_rows
from maxfw.settings import Settings
from maxfw.tasks.base import Inputs, Task, irregular, read_file

LISTS = (".jsonl", ".csv")

# What can be a text in a folder; other files are not read as one.
TEXTS = (".txt", ".json")


class Job(Struct, frozen=True, omit_defaults=True):
    """One input: the name of its line, and either a word as on the command line, or files and fields.

    `problem` is why it cannot be asked at all.
    """

    name: str
    word: str = ""
    files: dict[str, str] = {}
    body: dict[str, Any] = {}
    values: dict[str, Any] = {}
    problem: str = ""

    def inputs(self, task: Task) -> Inputs:
        """The inputs of its request.

        Raises:
            BadInput: a file cannot be read, or the line of the list was none.
        """
        if self.problem:
            raise BadInput(self.problem)
        if self.word:
            return task.inputs_of(self.word)
        return Inputs({field: read_file(path) for field, path in self.files.items()}, self.body)


class Listing(Struct, frozen=True):
    """The inputs of a job: words from the command line, and what they are words for.

    `pictures` are the parameters that are files, `skipped` the real paths of what the job writes itself, `folder` is what
    paths count from where that is not the working folder.
    """

    words: tuple[str, ...]
    task_files: tuple[str, ...]
    task_lists: dict[str, bool]
    pictures: tuple[str, ...]
    line_limit: int
    skipped: tuple[str, ...] = ()
    folder: str = ""

    @classmethod
    def of(
        cls,
        words: Iterable[str],
        model_class: type[MAXModelWrapper],
        settings: Settings,
        skipped: Iterable[Path] = (),
    ) -> Listing:
        """The inputs that these words stand for, to a model; `in/` and `./in` are `in`.

        Raises:
            BadInput: one of them is nothing that could be listed, or what the job writes itself.
        """
        task = model_class.task
        assert task is not None
        listing = cls(
            tuple(
                str(Path(word)) if word and (task.files or os.path.exists(word)) else word for word in words
            ),
            tuple(field.name for field in task.files),
            _fields_of(task),
            tuple(parameter.name for parameter in parameters_of(model_class) if parameter.is_picture),
            _line_limit(task, settings),
            tuple(os.path.realpath(path) for path in skipped),
        )
        for word in listing.words:
            listing._check(word)
        return listing

    def _check(self, word: str) -> None:
        is_there = os.path.exists(word)
        is_pattern = walk.is_pattern(word) and not is_there
        place = walk.split_pattern(word)[0] if is_pattern else word
        if os.path.realpath(place) in self.skipped:
            raise BadInput(
                f"{word!r} is what the job writes itself", hint="name other files or another folder"
            )
        if not is_there and not is_pattern and self.task_files and len(self.words) == 1:
            raise BadInput(f"no such file: {word!r}", hint="name a file, a folder, a pattern or a list")
        if not is_there and not self.task_files and _is_like_a_path(word):
            raise BadInput(f"no such file: {word!r}", hint="a text with a / needs a space, or a list")
        if next(self._of_word(word), None) is None:
            raise BadInput(f"there is no input in {word!r}", hint="maxfw predict MODEL INPUT… --out FILE")

    def absolute(self) -> Listing:
        """The same inputs, for a process that works in another folder; their names stay as they are."""
        return msgspec.structs.replace(self, folder=os.getcwd())

    @property
    def lists(self) -> tuple[str, ...]:
        """The words that are lists."""
        return tuple(word for word in self.words if self._is_list(word))

    def __iter__(self) -> Iterator[Job]:
        return itertools.chain.from_iterable(map(self._of_word, self.words))

    def _is_list(self, word: str) -> bool:
        path = os.path.join(self.folder, word)
        return (
            word.lower().endswith(LISTS)
            and not os.path.isdir(path)
            and (os.path.exists(path) or bool(self.task_files))
        )

    def _of_word(self, word: str) -> Iterator[Job]:
        path = (self.folder or ".") if word == "." else os.path.join(self.folder, word)
        if os.path.isdir(path):
            return self._of_files(word, path, walk.EVERYTHING)
        if self._is_list(word):
            return self._of_list(Path(path))
        is_pattern = walk.is_pattern(word) and not os.path.exists(path)
        if is_pattern and (self.task_files or word.lower().endswith(TEXTS)):
            return self._of_files(word, *walk.split_pattern(path))
        is_path = self.task_files or (word.lower().endswith(TEXTS) and os.path.isfile(path))
        return iter([Job(_shown(word), path if is_path else word)])

    def _of_files(self, word: str, folder: str, pattern: tuple[str, ...]) -> Iterator[Job]:
        strange = "" if os.path.isabs(word) or not self.folder else self.folder + os.sep
        for path, problem in walk.files_below(folder, pattern, self.skipped):
            name = _shown(path.removeprefix(strange))
            if problem:
                yield Job(name, problem=problem)
            elif self.task_files or path.lower().endswith(TEXTS):
                yield Job(name, path)
            else:
                yield Job(name, problem=f"{name!r} is neither .txt nor .json")

    def _of_list(self, path: Path) -> Iterator[Job]:
        rows = csv_rows if path.suffix.lower() == ".csv" else json_rows
        try:
            if kind := irregular(path):
                raise BadInput(f"cannot read {str(path)!r}: it is a {kind}", hint="name a file")
            with path.open("rb") as file:
                for number, row in enumerate(rows(file, self.line_limit), start=1):
                    yield self._of_row(row, f"{_shown(path.name)}:{number}", path.parent)
        except OSError as error:
            raise BadInput(f"cannot read {str(path)!r}: {error.strerror}") from None

    def _of_row(self, row: Any, place: str, folder: Path) -> Job:
        if isinstance(row, Problem):
            return Job(place, problem=f"{place}: {row}")
        if isinstance(row, str):
            row = {next(iter((*self.task_files, *self.task_lists))): row}
        if not isinstance(row, Mapping):
            return Job(place, problem=f"{place} is neither an object nor a text")
        given = dict(row)
        try:
            written = given.get(self.task_files[0]) if self.task_files else None
            files = {
                field: _path(folder, field, given.pop(field)) for field in self.task_files if field in given
            }
            name = _name(given.pop("name", written or place))
            body = {field: given.pop(field) for field in self.task_lists if field in given}
            pictures = {
                field: _path(folder, field, given[field]) for field in self.pictures if field in given
            }
        except BadInput as error:
            return Job(place, problem=f"{place}: {error.message}")
        body = {
            field: [value] if self.task_lists[field] and isinstance(value, str) else value
            for field, value in body.items()
        }
        return Job(name, files=files, body=body, values={**given, **pictures})


def _name(value: Any) -> str:
    if isinstance(value, str | int | float) and not isinstance(value, bool):
        return str(value)
    raise BadInput(f"field 'name': {quoted(value)} is no text")


def _path(folder: Path, field: str, value: Any) -> str:
    if isinstance(value, str) and value:
        return str(folder / value)
    raise BadInput(f"field {field!r}: {quoted(value)} is no path")


def _fields_of(task: Task) -> dict[str, bool]:
    """The fields of a JSON body → whether each is a list, of which a line may give the only entry."""
    if task.body is None:
        return {}
    fields = msgspec.structs.fields(task.body)
    return {field.name: typing.get_origin(field.type) is list for field in fields}


def _line_limit(task: Task, settings: Settings) -> int:
    return max(task.body_limit(settings) if task.body else 0, 1_000_000)


def _is_like_a_path(word: str) -> bool:
    return not any(map(str.isspace, word)) and (os.sep in word or word.lower().endswith((*LISTS, *TEXTS)))


def _shown(path: str) -> str:
    """A path as text; a file's name may hold bytes that are none."""
    return os.fsencode(path).decode("utf-8", "replace")
