"""The beginning of a text, and how the model goes on, on a patch of colour."""

from __future__ import annotations

from PIL import Image

from maxfw.drawing.base import PALETTE
from maxfw.drawing.text import paragraph
from maxfw.tasks.base import Inputs
from maxfw.tasks.text_generation import TextGenerationAnswer


def draw(inputs: Inputs, answer: TextGenerationAnswer) -> Image.Image:
    """One text; what was sent is black on white."""
    said = answer.prediction
    return paragraph([(said.seed_text, ""), (said.generated_text, PALETTE[0])])
