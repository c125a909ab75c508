"""Faces in boxes, with their landmarks and what the model says about them."""

from __future__ import annotations

from msgspec import UNSET
from PIL import Image, ImageDraw

from maxfw.drawing.base import PALETTE, line_for, picture_of
from maxfw.drawing.tags import Tags, in_pixels
from maxfw.tasks.base import Inputs
from maxfw.tasks.face_analysis import Face, FaceAnalysisAnswer


def draw(inputs: Inputs, answer: FaceAnalysisAnswer) -> Image.Image:
    """The picture with a box, dots and a line of words for every face."""
    picture = picture_of(inputs)
    pencil = ImageDraw.Draw(picture)
    line = line_for(picture.size)
    colours = [PALETTE[number % len(PALETTE)] for number in range(len(answer.predictions))]
    for face, colour in reversed(list(zip(answer.predictions, colours, strict=True))):  # the surest on top
        pencil.rectangle(in_pixels(face.detection_box, picture), outline=colour, width=line)
        for point in face.landmarks or []:
            pencil.circle((point.x * picture.width, point.y * picture.height), line, fill=colour)
    tags = Tags(picture)
    for face, colour in zip(answer.predictions, colours, strict=True):
        tags.put(in_pixels(face.detection_box, picture), words(face), colour)
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
