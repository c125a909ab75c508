"""The waveform with a bar for each word below it."""

from __future__ import annotations

from PIL import Image

from maxfw.drawing.bars import bars
from maxfw.drawing.base import stacked
from maxfw.drawing.waveform import picture_of_sound, waveform_in
from maxfw.tasks.base import Inputs
from maxfw.tasks.keyword_spotting import KeywordSpottingAnswer


def draw(inputs: Inputs, answer: KeywordSpottingAnswer) -> Image.Image:
    """The waveform over bars of the likeliest words."""
    chart = bars([(found.label, found.probability) for found in answer.predictions])
    return stacked([picture_of_sound(waveform_in(inputs)), chart])
