"""A bar for each thing that is recommended."""

from __future__ import annotations

from PIL import Image

from maxfw.drawing.bars import bars
from maxfw.tasks.base import Inputs
from maxfw.tasks.recommendation import RecommendationAnswer


def draw(inputs: Inputs, answer: RecommendationAnswer) -> Image.Image:
    """Bars under the user's id."""
    rows = [(one.title or one.item, one.prediction) for one in answer.predictions]
    return bars(rows, title=f"for user {inputs.body['user_id']}" + ("" if rows else ": nothing"))
