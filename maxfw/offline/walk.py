"""Files below a folder, in an order that is the same each time, in memory that does not grow with their number."""

from __future__ import annotations

import contextlib
import fnmatch
import heapq
import itertools
import json
import os
import tempfile
from collections.abc import Collection, Iterable, Iterator
from typing import IO, NamedTuple

from maxfw.errors import BadInput

EVERYTHING = ("**", "*")

CHUNK = 50_000
"""Names that are sorted in memory; those of a larger folder are sorted in parts, on disk, and merged."""

MAGIC = frozenset("*?[")


def is_pattern(word: str) -> bool:
    """Whether a word has wildcards."""
    return not MAGIC.isdisjoint(word)


def split_pattern(word: str) -> tuple[str, tuple[str, ...]]:
    """`photos/**/*.jpg` → the folder before the first wildcard, and the parts to match below it."""
    parts = word.split("/")
    first = next(number for number, part in enumerate(parts) if is_pattern(part))
    folder = "/".join(parts[:first]) or ("/" if word.startswith("/") else ".")
    wanted = [part for part in parts[first:] if part]
    if wanted[-1] == "**":
        wanted.append("*")
    # `**/**` would find everything twice.
    return folder, tuple(part for part, before in zip(wanted, ["", *wanted], strict=False)
                         if not part == before == "**")  # fmt: skip


class Found(NamedTuple):
    """The path of a file, or of a folder and why there are no files of it."""

    path: str
    problem: str = ""


class Unreadable(BadInput):
    """A folder cannot be read."""


def files_below(
    folder: str, pattern: tuple[str, ...], skipped: Collection[str] = (), above: tuple[str, ...] = ()
) -> Iterator[Found]:
    """The files below a folder that match; nothing hidden, and nothing at the real paths `skipped`.

    Links are followed, but not in circles: `above` are the real paths of the folders on the way here.

    Raises:
        Unreadable: the folder itself cannot be read.
        BadInput: there is no room for the names of a large one.
    """
    wanted, *rest = pattern
    if wanted == "**":
        yield from files_below(folder, tuple(rest), skipped, above)
        wanted, rest = "*", list(pattern)
    above = (*above, os.path.realpath(folder))
    for name in _sorted(_names(folder)):
        if not fnmatch.fnmatchcase(name, wanted):
            continue
        path = name if folder == "." else os.path.join(folder, name)
        if not os.path.isdir(path):
            if not rest and os.path.realpath(path) not in skipped:
                yield Found(path)
        elif rest and (real := os.path.realpath(path)) not in skipped:
            if rest[0] == "**" and any(_is_within(folder, real) for folder in above):
                yield Found(path, f"the link {path!r} leads back to {real!r}, in a circle")
                continue
            try:
                yield from files_below(path, tuple(rest), skipped, above)
            except Unreadable as error:
                yield Found(path, error.message)


def _is_within(path: str, folder: str) -> bool:
    return path == folder or path.startswith(folder.rstrip("/") + "/")


def _names(folder: str) -> Iterator[str]:
    try:
        with os.scandir(folder) as entries:
            yield from (entry.name for entry in entries if not entry.name.startswith("."))
    except OSError as error:
        raise Unreadable(f"cannot read the folder {folder!r}: {error.strerror}") from None


def _sorted(names: Iterable[str]) -> Iterator[str]:
    names = iter(names)
    with contextlib.ExitStack() as files:
        parts: list[Iterator[str]] = []
        while chunk := sorted(itertools.islice(names, CHUNK)):
            if len(chunk) < CHUNK and not parts:
                yield from chunk
                return
            parts.append(map(json.loads, files.enter_context(_written(chunk))))
        yield from heapq.merge(*parts)


def _written(names: Iterable[str]) -> IO[str]:
    try:
        file = tempfile.TemporaryFile("w+", encoding="ascii")  # noqa: SIM115
        # As JSON, for a name may hold any character, a line's end too.
        file.writelines(f"{json.dumps(name)}\n" for name in names)
        file.seek(0)
    except OSError as error:
        place = tempfile.gettempdir()
        raise BadInput(f"cannot sort the names of a folder in {place!r}: {error.strerror}") from None
    return file
