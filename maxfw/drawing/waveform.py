"""The sound that was sent, drawn: its waveform over seconds, with coloured parts below where there are some."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from msgspec import Struct
from PIL import Image, ImageDraw, ImageFont

from maxfw.drawing.base import PALETTE, colour_of
from maxfw.media import read_audio
from maxfw.settings import Settings
from maxfw.tasks.base import Inputs

RATE = 16_000
WIDTH, HEIGHT, MARGIN = 640, 140, 12
BAND = 22
LONGEST_S = 86_400  # it was answered, so it is not too long


class Part(Struct, frozen=True):
    """A stretch of time, in seconds, and what was heard in it."""

    start: float
    end: float
    label: str


def waveform_in(inputs: Inputs) -> np.ndarray[Any, np.dtype[np.float32]]:
    """The uploaded sound, float32 (n,), −1…1, mono, 16 kHz."""
    return read_audio(
        inputs.files["audio"].blob, settings=Settings(max_audio_s=LONGEST_S, max_audio_mb=10_000), rate=RATE
    )


def picture_of_sound(waveform: np.ndarray, parts: Sequence[Part] = ()) -> Image.Image:
    """A waveform, float32 (n,), 16 kHz → a chart 640 pixels wide; below it a band of the parts, and what they are."""
    labels = list(dict.fromkeys(part.label for part in parts))
    legend = (len(labels) + 1) // 2 * BAND
    sheet = Image.new("RGB", (WIDTH, HEIGHT + (BAND + 6 + legend if parts else 0) + 22), "white")
    pencil = ImageDraw.Draw(sheet)
    font = ImageFont.load_default(size=13)
    seconds = len(waveform) / RATE
    wide = WIDTH - 2 * MARGIN
    for column, heard in enumerate(np.array_split(waveform, wide)):
        loudest = float(np.abs(heard).max()) if heard.size else 0.0
        tall = max(1.0, loudest * (HEIGHT - 16))
        x, top = MARGIN + column, (HEIGHT - tall) / 2
        pencil.line((x, top, x, top + tall), fill=PALETTE[0])
    for part in parts:
        left, right = (MARGIN + wide * min(at / seconds, 1) for at in (part.start, part.end))
        colour = colour_of(part.label, labels)
        pencil.rectangle((left, HEIGHT, max(right - 1, left), HEIGHT + BAND), fill=colour)
    below = HEIGHT + (BAND + 4 if parts else 0)
    pencil.text((MARGIN, below), "0 s", fill="grey", font=font)
    pencil.text((WIDTH - MARGIN, below), f"{seconds:.2f} s", fill="grey", font=font, anchor="ra")
    for index, label in enumerate(labels):
        x, y = MARGIN + index % 2 * wide // 2, below + 20 + index // 2 * BAND
        pencil.rectangle((x, y + 3, x + 12, y + 15), fill=colour_of(label, labels))
        pencil.text((x + 18, y), label[:42], fill="black", font=font)
    return sheet
