"""The text beside the picture that it was read from."""

from __future__ import annotations

from PIL import Image, ImageDraw, ImageFont

from maxfw.drawing.base import PALETTE, picture_of
from maxfw.tasks.base import Inputs
from maxfw.tasks.ocr import OcrAnswer

LARGEST, SMALLEST = 28, 9  # pixels of the letters
BAR = 4  # pixels of the line of colour beside a paragraph


def draw(inputs: Inputs, answer: OcrAnswer) -> Image.Image:
    """The picture, and right of it a white sheet of the same height with a line of colour beside each paragraph."""
    picture = picture_of(inputs)
    lines = sum(len(paragraph) + 1 for paragraph in answer.text)
    height = max(picture.height, 240, int(lines * SMALLEST * 1.5) + 16)
    size = max(SMALLEST, min(LARGEST, int((height - 16) / max(lines, 1) / 1.5)))
    font = ImageFont.load_default(size=size)
    longest = max((font.getlength(line) for paragraph in answer.text for line in paragraph), default=200)
    sheet = Image.new("RGB", (picture.width + int(min(longest, 4000)) + 48, height), "white")
    sheet.paste(picture, (0, 0))
    pencil = ImageDraw.Draw(sheet)
    left, top = picture.width + 16, 8.0
    if not answer.text:
        pencil.text((left, top), "no text found", fill="grey", font=font)
    for number, paragraph in enumerate(answer.text):
        bottom = top + len(paragraph) * size * 1.5
        pencil.rectangle((left, top, left + BAR, bottom - 2), fill=PALETTE[number % len(PALETTE)])
        for line in paragraph:
            pencil.text((left + 2 * BAR + 4, top), line, fill="black", font=font)
            top += size * 1.5
        top += size * 1.5
    return sheet
