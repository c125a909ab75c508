"""Each text over a bar for each of its labels."""

from __future__ import annotations

from PIL import Image

from maxfw.drawing.bars import bars
from maxfw.drawing.base import stacked
from maxfw.tasks.base import Inputs
from maxfw.tasks.toxicity import ToxicityAnswer


def draw(inputs: Inputs, answer: ToxicityAnswer) -> Image.Image:
    """One chart below the other, in the order of the texts."""
    charts = (bars(list(one.predictions.items()), title=one.original_text) for one in answer.results)
    return stacked(charts)
