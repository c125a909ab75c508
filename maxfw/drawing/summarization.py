"""Each summary above its text."""

from __future__ import annotations

from PIL import Image

from maxfw.drawing.base import PALETTE, stacked
from maxfw.drawing.text import paragraph
from maxfw.tasks.base import Inputs
from maxfw.tasks.summarization import SummarizationAnswer


def draw(inputs: Inputs, answer: SummarizationAnswer) -> Image.Image:
    """The summary of each text above the text itself, in grey."""
    pairs = zip(inputs.body["text"], answer.summary_text, strict=True)
    return stacked(
        part
        for text, summary in pairs
        for part in (paragraph([(summary, PALETTE[0])]), paragraph([(text, "")], colour="grey"))
    )
