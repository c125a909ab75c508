"""What the tasks whose input is a sound have in common."""

from __future__ import annotations

import io
from collections.abc import Sequence
from typing import Annotated, Any

import msgspec
import numpy as np
from msgspec import Meta

from maxfw.errors import BadParameter, MissingExtra
from maxfw.media import audio_limits, read_audio
from maxfw.settings import Settings
from maxfw.tasks.base import (
    FORM_SYNTAX_BYTES,
    FileField,
    Inputs,
    Label,
    Task,
    Upload,
    megabytes,
    read_file,
    required_file,
)

Waveform = np.ndarray[Any, np.dtype[np.float32]]

StartTime = Annotated[float, Meta(ge=0, description="the second at which to begin to listen")]


class AudioTask(Task):
    """A task whose input is one sound, in the file field `audio`.

    Models get it as a waveform: float32 (n,), −1…1, mono, `rate` samples a second, whatever was sent.
    """

    files = (FileField("audio", "a sound: WAV, FLAC, Ogg, MP3, AIFF or AU", "clip.wav"),)

    def __init__(
        self,
        *,
        labels: str | Sequence[str | Label] = (),
        first_label_id: int = 0,
        rate: int = 16_000,
        longest_s: float | None = None,
    ) -> None:
        """Declare the task of a model that listens.

        `rate` is how many samples a second it wants; `longest_s` is the longest clip it can answer in time, where that
        is less than the settings allow.
        """
        super().__init__(labels=labels, first_label_id=first_label_id)
        self.rate = rate
        self.longest_s = longest_s

    def read(self, inputs: Inputs, settings: Settings) -> list[Waveform]:
        """The uploaded sound → one waveform, float32 (n,), −1…1, mono, `rate` samples a second."""
        upload = required_file(self.files[0], inputs)
        return [read_audio(upload.blob, settings=self._bounded(settings), rate=self.rate)]

    def kept(self, item: Waveform) -> None:
        """Nothing: no answer about a sound needs it."""

    def limits(self, settings: Settings) -> dict[str, Any]:
        return {"audio": audio_limits(self._bounded(settings))}

    def body_limit(self, settings: Settings) -> int:
        return megabytes(settings.max_audio_mb) + FORM_SYNTAX_BYTES

    def inputs_of(self, argument: str) -> Inputs:
        return Inputs(files={"audio": read_file(argument)})

    @classmethod
    def sample(cls) -> Inputs:
        """Half a second of a tone of 440 Hz that fades away, 16 kHz, as FLAC."""
        try:
            import soundfile
        except ImportError as error:
            raise MissingExtra("audio", needs="soundfile") from error
        seconds = np.arange(8_000) / 16_000
        flac = io.BytesIO()
        soundfile.write(flac, 0.5 * np.sin(2 * np.pi * 440 * seconds) * (1 - seconds), 16_000, format="FLAC")
        return Inputs(files={"audio": Upload(flac.getvalue(), "sample.flac", "audio/flac")})

    def _bounded(self, settings: Settings) -> Settings:
        if self.longest_s is None or self.longest_s >= settings.max_audio_s:
            return settings
        return msgspec.structs.replace(settings, max_audio_s=self.longest_s)


def from_second(waveform: Waveform, start_time: float, rate: int) -> Waveform:
    """What is left of a waveform, float32 (n,), from a second on.

    Raises:
        BadParameter: the clip ends before.
    """
    if start_time * rate >= len(waveform):
        raise BadParameter(
            f"parameter 'start_time': {start_time:g} s is outside the clip of {len(waveform) / rate:g} s",
            hint="start_time: seconds from the beginning of the clip, less than its length",
        )
    return waveform[int(start_time * rate) :]


def windows(waveform: Waveform, length: int, hop: int) -> Waveform:
    """A waveform, float32 (n,) → parts of it, float32 (k, length), one every `hop` samples, at least one.

    What the last one lacks is silence; one that would be silence for more than half is left out.
    """
    count = 1 + max(0, -(-(len(waveform) - length) // hop))
    if count > 1 and len(waveform) - (count - 1) * hop < length / 2:
        count -= 1
    lacking = max(0, (count - 1) * hop + length - len(waveform))
    return np.lib.stride_tricks.sliding_window_view(np.pad(waveform, (0, lacking)), length)[::hop][:count]
