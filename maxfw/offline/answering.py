"""From an input to its line: the JSON that the server would send, with the input's name in front."""

from __future__ import annotations

import contextlib
import logging
import re
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import msgspec

from maxfw.batching import Pending
from maxfw.batching.schedule import FOREVER
from maxfw.drawing import draw
from maxfw.errors import BadInput, MaxfwError, ServiceError
from maxfw.media import holding_pictures
from maxfw.offline.inputs import Job
from maxfw.predictor import Begun, Caller, Predictor
from maxfw.settings import Settings
from maxfw.tasks.base import Inputs
from maxfw.tasks.image_to_image import png

log = logging.getLogger("maxfw")


class Line(NamedTuple):
    """A line of the results, the error's code if it is none of an answer, and the seconds that it cost."""

    content: bytes
    name: str
    code: str
    seconds: float


class Asked(NamedTuple):
    """An input that is with the model."""

    position: int
    job: Job
    inputs: Inputs
    begun: Begun
    pending: Pending

    @property
    def bytes(self) -> int:
        """About how much memory it holds."""
        return self.pending.bytes + sum(len(file.blob) for file in self.inputs.files.values())


class Answering:
    """The two halves of an answer, and what becomes of it."""

    def __init__(
        self, predictor: Predictor, values: Mapping[str, Any], *, save_images: Path | None = None
    ) -> None:
        """Answer with these parameters, which a line of a list may change, and draw the answers into a folder."""
        self.predictor = predictor
        self._values = dict(values)
        self._folder = save_images
        if save_images is not None:
            make_folder(save_images)

    def begin(self, position: int, job: Job, then: Callable[[Asked], None]) -> int:
        """Read and prepare an input; `then` gets it when the model is through → the bytes that it holds until then.

        Raises:
            MaxfwError: it cannot be asked.
        """
        predictor = self.predictor
        inputs, values = predictor.with_files(job.inputs(predictor.task), {**self._values, **job.values})
        kept = inputs if self._folder else Inputs()
        begun, pending = predictor.begin(
            inputs,
            values,
            Caller(FOREVER),
            lambda begun, pending: then(Asked(position, job, kept, begun, pending)),
        )
        return Asked(position, job, kept, begun, pending).bytes

    def end(self, asked: Asked) -> Line:
        """The line of an input that the model is through with.

        Raises:
            BadInput: its picture cannot be saved.
        """
        picture = b""
        try:
            answer = self.predictor.complete(asked.begun, asked.pending)
            encoded = self.predictor.task.encode(answer, "application/json")
            if self._folder is not None:
                with holding_pictures():
                    picture = png(draw(self.predictor.task, asked.inputs, answer))
        except Exception as error:
            return self.failed(asked.job, error, asked.begun.caller)
        if self._folder is not None:
            self._save(self._folder, asked, picture)
        caller = asked.begun.caller
        caller.lap("encode")
        return _line(asked.job.name, encoded.content, "", caller)

    def failed(self, job: Job, error: Exception, caller: Caller | None = None) -> Line:
        """The line of an input that has no answer."""
        if not isinstance(error, MaxfwError):
            log.error("%s failed", job.name, exc_info=error)
            error = ServiceError(f"this input failed: {type(error).__name__}", hint="the log has the reason")
        said = {"status": "error", "code": error.code, "message": error.message, "hint": error.hint}
        return _line(job.name, msgspec.json.encode(said), error.code, caller)

    def _save(self, folder: Path, asked: Asked, picture: bytes) -> None:
        stem = re.sub(r"[^\w.-]+", "_", Path(asked.job.name).stem)[:80]
        # Its line's number makes the name unique, and the same in each run.
        path = folder / f"{asked.position + 1:06d}-{stem}.png"
        made = path.with_suffix(".new")
        try:
            made.write_bytes(picture)
            made.replace(path)
        except OSError as error:
            with contextlib.suppress(OSError):
                made.unlink()
            hint = "make room, then give the same command again"
            raise BadInput(f"cannot write {str(path)!r}: {error.strerror}", hint=hint) from None


def make_folder(path: Path) -> None:
    """A folder that pictures can be saved in.

    Raises:
        BadInput: it cannot be made, or not be written.
    """
    try:
        path.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=path):
            pass
    except OSError as error:
        raise BadInput(f"cannot save pictures in {str(path)!r}: {error.strerror}") from None


def settings_for_jobs(settings: Settings) -> Settings:
    """The same limits for each input, and none for those who wait: nobody is in a hurry, and the job bounds itself."""
    return msgspec.structs.replace(settings, max_queue=1_000_000, max_queue_mb=1_000_000)


def _line(name: str, content: bytes, code: str, caller: Caller | None) -> Line:
    spent = caller.seconds if caller else {}
    seconds = sum(spent.values()) - spent.get("queue", 0.0)
    return Line(b'{"name":' + msgspec.json.encode(name) + b"," + content[1:] + b"\n", name, code, seconds)
