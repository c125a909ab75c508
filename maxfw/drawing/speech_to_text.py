"""The waveform with what was said below it."""

from __future__ import annotations

import textwrap

from PIL import Image, ImageDraw, ImageFont

from maxfw.drawing.base import stacked
from maxfw.drawing.waveform import MARGIN, WIDTH, picture_of_sound, waveform_in
from maxfw.tasks.base import Inputs
from maxfw.tasks.speech_to_text import SpeechToTextAnswer

LETTERS, LINE = 64, 26  # letters in a line, pixels between lines
MOST_LINES = 400


def draw(inputs: Inputs, answer: SpeechToTextAnswer) -> Image.Image:
    """The waveform over the words."""
    lines = textwrap.wrap(answer.prediction, LETTERS, max_lines=MOST_LINES, placeholder=" …") or [
        "(nothing was understood)"
    ]
    sheet = Image.new("RGB", (WIDTH, LINE * len(lines) + 2 * MARGIN), "white")
    pencil = ImageDraw.Draw(sheet)
    font = ImageFont.load_default(size=17)
    for index, line in enumerate(lines):
        pencil.text((MARGIN, MARGIN + index * LINE), line, fill="black", font=font)
    return stacked([picture_of_sound(waveform_in(inputs)), sheet])
