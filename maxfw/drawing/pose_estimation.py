"""Skeletons on the picture."""

from __future__ import annotations

from PIL import Image, ImageDraw

from maxfw.drawing.base import PALETTE, picture_of
from maxfw.tasks.base import Inputs
from maxfw.tasks.pose_estimation import PoseEstimationAnswer


def draw(inputs: Inputs, answer: PoseEstimationAnswer) -> Image.Image:
    """The picture with a line for every bone and a dot for every part, a colour for each person."""
    picture = picture_of(inputs)
    pencil = ImageDraw.Draw(picture)
    thick = max(2, round(min(max(picture.size), 3 * min(picture.size)) / 200))
    for human in answer.predictions:
        colour = PALETTE[human.human_id % len(PALETTE)]
        for bone in human.pose_lines:
            pencil.line(bone.line, fill=colour, width=thick)
        for part in human.body_parts:
            pencil.circle((part.x, part.y), thick, fill="white", outline=colour, width=max(1, thick // 2))
    return picture
