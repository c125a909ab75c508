"""The waveform with its vectors below it, a row of shades each."""

from __future__ import annotations

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from maxfw.drawing.base import stacked
from maxfw.drawing.waveform import MARGIN, WIDTH, picture_of_sound, waveform_in
from maxfw.tasks.audio_embedding import AudioEmbeddingAnswer
from maxfw.tasks.base import Inputs

MOST_ROWS, ROW = 64, 14  # rows that are drawn, pixels of each
BLUE = np.array([0x00, 0x72, 0xB2])
ORANGE = np.array([0xD5, 0x5E, 0x00])


def draw(inputs: Inputs, answer: AudioEmbeddingAnswer) -> Image.Image:
    """The waveform over one row for each moment; the darker a spot, the farther its number is from zero."""
    return stacked([picture_of_sound(waveform_in(inputs)), shades(np.array(answer.embedding))])


def shades(rows: np.ndarray) -> Image.Image:
    """Numbers, float (k, n) → a strip of n shades for each row, blue above zero and orange below."""
    shown = rows[:MOST_ROWS]
    wide = WIDTH - 2 * MARGIN
    columns = np.array_split(np.arange(rows.shape[1]), min(rows.shape[1], wide))
    strongest = np.stack(
        [shown[np.arange(len(shown)), part[np.abs(shown[:, part]).argmax(axis=1)]] for part in columns],
        axis=1,
    )
    strength = np.abs(strongest) / (np.abs(strongest).max() or 1.0)
    hue = np.where(strongest[..., None] >= 0, BLUE, ORANGE)
    colours = 255 - (255 - hue) * strength[..., None]
    strip = Image.fromarray(colours.astype(np.uint8)).resize(
        (wide, ROW * len(shown)), Image.Resampling.NEAREST
    )
    sheet = Image.new("RGB", (WIDTH, strip.height + 30), "white")
    sheet.paste(strip, (MARGIN, 0))
    said = f"{rows.shape[0]} rows of {rows.shape[1]} numbers, {rows.min():.3g} to {rows.max():.3g}"
    if len(shown) < len(rows):
        said += f"; the first {len(shown)} rows are drawn"
    pencil = ImageDraw.Draw(sheet)
    pencil.text((MARGIN, strip.height + 8), said, fill="black", font=ImageFont.load_default(size=13))
    return sheet
