"""Faces in boxes, with their landmarks and what the model says about them."""

from __future__ import annotations

from msgspec import UNSET
from PIL import Image, ImageDraw

from maxfw.drawing.base import PALETTE, font_for, picture_of, tag
from maxfw.tasks.base import Inputs
from maxfw.tasks.face_analysis import Face, FaceAnalysisAnswer


def draw(inputs: Inputs, answer: FaceAnalysisAnswer) -> Image.Image:
    """The picture with a box, dots and a line of words for every face."""
    picture = picture_of(inputs)
    pencil = ImageDraw.Draw(picture)
    font = font_for(picture.height)
    line = max(2, picture.height // 200)
    for number, face in reversed(list(enumerate(answer.predictions))):  # the surest on top
        ymin, xmin, ymax, xmax = face.detection_box
        left, top = xmin * picture.width, ymin * picture.height
        colour = PALETTE[number % len(PALETTE)]
        pencil.rectangle((left, top, xmax * picture.width, ymax * picture.height), outline=colour, width=line)
        for point in face.landmarks or []:
            pencil.circle((point.x * picture.width, point.y * picture.height), line, fill=colour)
        tag(pencil, (left, top), words(face), colour, font)
    return picture


def words(face: Face) -> str:
    """`about 34`, `happiness 98 %`, or how sure the model is that it is a face."""
    said = []
    if face.age_estimation is not UNSET:
        said.append(f"about {face.age_estimation}")
    if face.emotion_predictions:
        likeliest = face.emotion_predictions[0]
        said.append(f"{likeliest.label} {likeliest.probability:.0%}")
    return ", ".join(said) or f"{face.label} {face.probability:.0%}"
