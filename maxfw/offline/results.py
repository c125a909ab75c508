"""The file that a job writes: a line for each input, in their order, and nothing lost or doubled however it ends.

A line is written when all before it are. Killed, the file ends within a line at worst: the next run cuts that off and
goes on behind the last whole one. Beside the file lies `NAME.job`, which says what was asked; without it, or with
another one, the file is not touched.
"""

from __future__ import annotations

import fcntl
import os
import time
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

import msgspec
from msgspec import Struct

from maxfw.errors import BadInput
from maxfw.offline.inputs import Job
from maxfw.offline.order import ELSEWHERE, Order
from maxfw.tasks.base import irregular

FSYNC_S = 1.0
"""Seconds of work that are lost, and done again, when the machine itself fails; a killed process loses none."""


class _Named(Struct):
    name: str
    status: str = ""


class Results:
    """The open results of a job; others may not open them meanwhile."""

    def __init__(self, path: Path, order: Order, *, clock: Callable[[], float] = time.monotonic) -> None:
        """Open the results of a job that asked for this, or start them.

        Raises:
            BadInput: the file belongs to something else, to a job that runs, or cannot be written.
        """
        self.path = path
        self.answered_before = 0
        self._clock = clock
        self.order = order
        if problem := _no_place(path):
            raise BadInput(f"cannot write {str(path)!r}: {problem}", hint="name a file with --out")
        try:
            self._file = os.open(path, os.O_RDWR | os.O_CREAT, 0o666)
        except OSError as error:
            raise BadInput(f"cannot write {str(path)!r}: {error.strerror}") from None
        try:
            self._claim()
        except BaseException:
            os.close(self._file)
            raise
        self._synced = clock()

    def continue_behind(self, jobs: Iterable[Job]) -> tuple[int, Iterator[Job]]:
        """Find where the job stopped → how many inputs have their line, and the jobs that are left.

        Raises:
            BadInput: the lines are not those of these inputs.
        """
        left = iter(jobs)
        done = whole = 0
        with open(os.dup(self._file), "rb") as file:
            file.seek(0)
            for line in file:
                if (there := _read(line)) is None:
                    self._check_tail(file, done, whole)
                    break
                job = next(left, None)
                if job is None or job.name != there.name:
                    now = "no input" if job is None else repr(job.name)
                    raise BadInput(
                        f"line {done + 1} of {str(self.path)!r} is about {there.name!r}, and the inputs now have {now} there",
                        hint="the inputs have changed: name another file with --out",
                    )
                done, whole = done + 1, whole + len(line)
                self.answered_before += there.status == "ok"
        os.ftruncate(self._file, whole)
        os.lseek(self._file, whole, os.SEEK_SET)
        return done, left

    def _check_tail(self, file: Iterable[bytes], done: int, whole: int) -> None:
        """A crash damages the end; what stands before good lines is somebody's doing, and they are not thrown away."""
        if any(_read(line) is not None for line in file):
            raise BadInput(
                f"line {done + 1} of {str(self.path)!r} is damaged, and good lines follow it",
                hint=f"repair it, or have it and all behind it done again: truncate -s {whole} {self.path}",
            )

    def append(self, lines: bytes) -> None:
        """Write whole lines.

        Raises:
            BadInput: the disk is full, or gone.
        """
        rest = memoryview(lines)
        try:
            while rest:
                rest = rest[os.write(self._file, rest) :]
            if self._clock() - self._synced > FSYNC_S:
                os.fsync(self._file)
                self._synced = self._clock()
        except OSError as error:
            hint = "make room, then give the same command again"
            raise BadInput(f"cannot write {str(self.path)!r}: {error.strerror}", hint=hint) from None

    def close(self) -> None:
        """All that was written is on the disk."""
        os.fsync(self._file)
        os.close(self._file)

    def _claim(self) -> None:
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise BadInput(f"another job writes {str(self.path)!r}") from None
        beside = self.path.with_name(self.path.name + ".job")
        if os.fstat(self._file).st_size:
            if not beside.is_file():
                raise BadInput(f"{str(self.path)!r} exists, and no job has written it", hint=ELSEWHERE)
            self.order = self.order.going_on(beside, self.path)
        _write_whole(beside, msgspec.json.encode(self.order))


def _no_place(path: Path) -> str:
    """Why results cannot stand there: they are read again, cut, and have another file beside them."""
    folder = str(path.absolute().parent)
    if str(path) == "-" or folder in ("/dev", "/dev/fd") or folder.startswith("/proc"):
        return "it is no file of its own"
    try:
        kind = irregular(path)
    except (OSError, ValueError):
        return ""
    return f"it is a {kind}" if kind else ""


def _read(line: bytes) -> _Named | None:
    """What stands in a whole line; None for one that was cut, or that a failing disk has spoilt."""
    if not line.endswith(b"\n"):
        return None
    try:
        return msgspec.json.decode(line, type=_Named)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return None


def _write_whole(path: Path, content: bytes) -> None:
    """A file that is there with all its content, or not at all."""
    made = path.with_name(path.name + ".new")
    try:
        with made.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        made.replace(path)
    except OSError as error:
        raise BadInput(f"cannot write {str(path)!r}: {error.strerror}") from None
