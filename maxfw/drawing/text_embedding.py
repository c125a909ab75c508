"""Each text above its vector, a line for each number."""

from __future__ import annotations

import numpy as np
from PIL import Image

from maxfw.drawing.base import stacked
from maxfw.drawing.image_embedding import strip
from maxfw.drawing.text import paragraph
from maxfw.tasks.base import Inputs
from maxfw.tasks.text_embedding import TextEmbeddingAnswer


def draw(inputs: Inputs, answer: TextEmbeddingAnswer) -> Image.Image:
    """Texts and strips by turns."""
    pairs = zip(inputs.body["text"], answer.predictions, strict=True)
    return stacked(
        part for text, vector in pairs for part in (paragraph([(text, "")]), strip(np.array(vector)))
    )
