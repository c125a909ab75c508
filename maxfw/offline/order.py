"""What a job was asked, beside its results, so that answers to something else are noticed when it goes on."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import msgspec
from msgspec import Struct

from maxfw.errors import BadInput

CHUNK_BYTES = 1_000_000
ELSEWHERE = "name another file with --out"


class Seen(Struct, frozen=True):
    """A list as it was when the job began: how many bytes, and their SHA-256."""

    bytes: int
    sha256: str


class Order(Struct, frozen=True):
    """What was asked, the lists by their paths, and the real path of the folder for pictures."""

    asked: dict[str, Any]
    lists: dict[str, Seen] = {}
    save_images: str = ""

    @classmethod
    def of(
        cls, asked: Mapping[str, Any], lists: Iterable[str] = (), save_images: Path | None = None
    ) -> Order:
        """What is asked now.

        Raises:
            BadInput: a list cannot be read.
        """
        folder = os.path.realpath(save_images) if save_images is not None else ""
        return cls(plain(asked), {path: _seen(path) for path in lists}, folder)

    def going_on(self, path: Path, results: Path) -> Order:
        """What stands in a file beside results, of which this is the same, with the lists as they are now.

        Raises:
            BadInput: it is another job, or a list has changed otherwise than at its end.
        """
        try:
            before = msgspec.json.decode(path.read_bytes(), type=Order)
        except (OSError, msgspec.MsgspecError, UnicodeDecodeError) as error:
            raise BadInput(f"cannot read {str(path)!r}: {error}", hint=ELSEWHERE) from None
        if before.asked != self.asked:
            said = msgspec.json.encode(before.asked).decode()
            raise BadInput(f"{str(results)!r} has the answers to another job: {said:.300}", hint=ELSEWHERE)
        return msgspec.structs.replace(
            before, lists={path: _seen(path, before.lists.get(path)) for path in self.lists}
        )


def plain(value: Any) -> Any:
    """A value as JSON holds it."""
    return msgspec.json.decode(msgspec.json.encode(value, order="deterministic"))


def _seen(path: str, before: Seen | None = None) -> Seen:
    """A list as it is, if it begins with all that was there before."""
    digest, size, last = hashlib.sha256(), 0, b"\n"
    try:
        with open(path, "rb") as file:
            if before is not None:
                for chunk in _chunks(file, before.bytes):
                    digest.update(chunk)
                    size, last = size + len(chunk), chunk[-1:]
                if Seen(size, digest.hexdigest()) != before:
                    raise _changed(path)
            for chunk in _chunks(file):
                if before is not None and size == before.bytes and last != b"\n" and chunk[:1] not in b"\r\n":
                    raise _changed(path)
                digest.update(chunk)
                size += len(chunk)
    except OSError as error:
        raise BadInput(f"cannot read {path!r}: {error.strerror}") from None
    return Seen(size, digest.hexdigest())


def _chunks(file: Any, most: float = float("inf")) -> Iterator[bytes]:
    while most > 0 and (chunk := file.read(int(min(CHUNK_BYTES, most)))):
        most -= len(chunk)
        yield chunk


def _changed(path: str) -> BadInput:
    return BadInput(
        f"the list {path!r} has changed since the job began, and not only by rows at its end", hint=ELSEWHERE
    )
