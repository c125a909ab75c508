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


def files_below(folder: str, pattern: tuple[str, ...], skipped: Collection[str] = ()) -> Iterator[str]:
    """The paths of the files below a folder that match; nothing hidden, and nothing at the real paths `skipped`.

    Raises:
        BadInput: a folder cannot be read.
    """
    wanted, *rest = pattern
    if wanted == "**":
        yield from files_below(folder, tuple(rest), skipped)
        wanted, rest = "*", list(pattern)
    for name in _names(folder):
        if not fnmatch.fnmatchcase(name, wanted):
            continue
        path = name if folder == "." else os.path.join(folder, name)
        if os.path.isdir(path):
            # A link to a folder above would lead in circles.
            is_circle = rest[:1] == ["**"] and os.path.islink(path)
            if rest and not is_circle and os.path.realpath(path) not in skipped:
                yield from files_below(path, tuple(rest), skipped)
        elif not rest and os.path.realpath(path) not in skipped:
            yield path


def _names(folder: str) -> Iterator[str]:
    try:
        with os.scandir(folder) as entries:
            yield from _sorted(entry.name for entry in entries if not entry.name.startswith("."))
    except OSError as error:
        raise BadInput(f"cannot read the folder {folder!r}: {error.strerror}") from None


def _sorted(names: Iterable[str]) -> Iterator[str]:
    names = iter(names)
    with contextlib.ExitStack() as files:
        parts: list[Iterator[str]] = []
        while chunk := sorted(itertools.islice(names, CHUNK)):
            if len(chunk) < CHUNK and not parts:
                yield from chunk
                return
            file = files.enter_context(tempfile.TemporaryFile("w+", encoding="ascii"))
            # As JSON, for a name may hold any character, a line's end too.
            file.writelines(f"{json.dumps(name)}\n" for name in chunk)
            file.seek(0)
            parts.append(map(json.loads, file))
        yield from heapq.merge(*parts)
