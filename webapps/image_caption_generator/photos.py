"""The photos and their captions, on disk: SQLite for what is known, one folder for the pictures.

A picture is stored as a JPEG under a random id; the name that its file had is only ever shown.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import secrets
import sqlite3
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Literal

from msgspec import Struct

from maxfw.errors import BadInput, NotFound, RequestError, TooLarge, UnsupportedMedia
from maxfw.media import read_image
from maxfw.settings import Settings

KEPT_S = 24 * 3600.0
"""Seconds after which an upload is deleted."""
MAX_PHOTOS_EACH = 100
MAX_PHOTOS = 2000
SIDES = {"large": 1600, "small": 480}
"""Pixels of the longer side, by size; the larger one first."""
SUFFIXES = {".jpg", ".jpeg", ".png", ".webp"}

SCHEMA = """
CREATE TABLE IF NOT EXISTS photos (
    id TEXT PRIMARY KEY, owner TEXT NOT NULL, name TEXT NOT NULL, added REAL NOT NULL,
    state TEXT NOT NULL, captions TEXT NOT NULL DEFAULT '[]', problem TEXT NOT NULL DEFAULT ''
);
CREATE INDEX IF NOT EXISTS photos_by_owner ON photos (owner, added);
"""

State = Literal["waiting", "asking", "done", "failed"]
EVERYBODY = ""
"""The owner of the photos of the folder."""


class Photo(Struct, frozen=True):
    """One photo: whose it is, and how far it got. `asking` is while its upload is answered."""

    id: str
    owner: str
    name: str
    added: float
    state: State
    captions: list[dict[str, Any]]
    problem: str


class Shelf:
    """All photos of a data folder; safe to use from several threads."""

    def __init__(self, folder: Path, settings: Settings, clock: Callable[[], float] = time.time) -> None:
        self.folder = folder
        self._pictures = folder / "pictures"
        self._pictures.mkdir(parents=True, exist_ok=True)
        self._settings = settings
        self._clock = clock
        with self._open() as database:
            database.executescript(SCHEMA)
            # Who was asking when the last process ended waits again.
            database.execute("UPDATE photos SET state = 'waiting' WHERE state = 'asking'")

    def secret(self) -> str:
        """The key that signs cookies; made once, readable by this user alone."""
        file = self.folder / "secret"
        with contextlib.suppress(FileExistsError):
            file.touch(mode=0o600, exist_ok=False)
            file.write_text(secrets.token_hex(32))
        return file.read_text()

    def visible_to(self, owner: str) -> list[Photo]:
        """The photos of everybody and of this owner, newest first."""
        self.forget_expired()
        return self._select("owner IN (?, ?) ORDER BY added DESC, id", EVERYBODY, owner)

    def find(self, photo_id: str, owner: str) -> Photo:
        """A photo that this owner may see.

        Raises:
            NotFound: there is none; somebody else's is none.
        """
        found = self._select("id = ? AND owner IN (?, ?)", photo_id, EVERYBODY, owner)
        if not found:
            raise NotFound("There is no such photo.", hint="It may have expired.")
        return found[0]

    def picture(self, photo: Photo, size: str) -> Path:
        """The file of a photo, in one of the sizes."""
        return self._pictures / f"{photo.id}.{size}.jpg"

    def add(self, blob: bytes, name: str, owner: str) -> Photo:
        """Keep an upload, to be asked about.

        Raises:
            RequestError: it is no picture, too large, or one too many.
        """
        self.forget_expired()
        mine, all_uploads = len(self._select("owner = ?", owner)), len(self._select("owner != ''"))
        if mine >= MAX_PHOTOS_EACH:
            raise TooLarge(f"There are {mine} photos of yours already.", hint="Delete some first.")
        if all_uploads >= MAX_PHOTOS:
            raise TooLarge(
                "The gallery is full.", hint="Uploads are deleted after 24 hours. Try again later."
            )
        try:
            return self._keep(secrets.token_hex(16), blob, name, owner, "asking")
        except BadInput as error:  # worded for programs
            hint = "Choose a JPEG, PNG or WebP file."
            raise UnsupportedMedia("This is no picture that can be read.", hint=hint) from error

    def add_folder(self, folder: Path) -> list[str]:
        """Keep the pictures of a folder, for everybody; answers the names of files that are no pictures.

        What the folder no longer holds is forgotten; what is known already keeps its captions.
        """
        refused, here = [], set()
        for file in sorted(folder.iterdir()):
            if file.suffix.lower() not in SUFFIXES or not file.is_file():
                continue
            blob = file.read_bytes()
            photo_id = hashlib.sha256(blob).hexdigest()[:32]
            try:
                if not self._select("id = ?", photo_id):
                    self._keep(photo_id, blob, file.name, EVERYBODY, "waiting")
                here.add(photo_id)
            except RequestError:
                refused.append(file.name)
        for photo in self.visible_to(EVERYBODY):
            if photo.id not in here:
                self._delete(photo)
        return refused

    def waiting(self) -> list[Photo]:
        """The photos that nobody asks about yet."""
        return self._select("state = 'waiting' ORDER BY added DESC")

    def note(
        self, photo: Photo, state: State, *, captions: list[dict[str, Any]] | None = None, problem: str = ""
    ) -> None:
        """Write down how far a photo got."""
        with self._open() as database:
            database.execute(
                "UPDATE photos SET state = ?, captions = ?, problem = ? WHERE id = ?",
                (state, json.dumps(captions or []), problem, photo.id),
            )

    def delete(self, owner: str, photo_id: str | None = None) -> int:
        """Delete an owner's uploads, or one of them; answers how many."""
        mine = self._select("owner = ? AND owner != ''", owner)
        chosen = [photo for photo in mine if photo_id in (None, photo.id)]
        for photo in chosen:
            self._delete(photo)
        return len(chosen)

    def forget_expired(self) -> None:
        """Delete the uploads that are older than a day."""
        for photo in self._select("owner != '' AND added < ?", self._clock() - KEPT_S):
            self._delete(photo)

    def _keep(self, photo_id: str, blob: bytes, name: str, owner: str, state: State) -> Photo:
        picture = read_image(blob, settings=self._settings)
        photo = Photo(photo_id, owner, name[-200:] or "photo", self._clock(), state, [], "")
        for size, side in SIDES.items():
            picture.thumbnail((side, side))
            picture.save(self.picture(photo, size), "JPEG", quality=88)
        with self._open() as database:
            database.execute(
                "INSERT INTO photos (id, owner, name, added, state) VALUES (?, ?, ?, ?, ?)",
                (photo.id, photo.owner, photo.name, photo.added, photo.state),
            )
        return photo

    def _select(self, condition: str, *values: Any) -> list[Photo]:
        with self._open() as database:
            rows = database.execute(f"SELECT * FROM photos WHERE {condition}", values).fetchall()
        return [Photo(**{**dict(row), "captions": json.loads(row["captions"])}) for row in rows]

    def _delete(self, photo: Photo) -> None:
        with self._open() as database:
            database.execute("DELETE FROM photos WHERE id = ?", (photo.id,))
        for size in SIDES:
            self.picture(photo, size).unlink(missing_ok=True)

    @contextlib.contextmanager
    def _open(self) -> Iterator[sqlite3.Connection]:
        database = sqlite3.connect(self.folder / "photos.sqlite", timeout=30)
        database.row_factory = sqlite3.Row
        try:
            with database:
                yield database
        finally:
            database.close()
