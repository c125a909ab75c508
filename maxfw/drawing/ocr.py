"""The text beside the picture that it was read from."""

from __future__ import annotations

from PIL import Image, ImageDraw, ImageFont

from maxfw.drawing.base import MOST_PIXELS, PALETTE, picture_of
from maxfw.tasks.base import Inputs
from maxfw.tasks.ocr import OcrAnswer

USUAL, SMALLEST = 28, 9  # pixels of the letters
STEP = 1.5  # from line to line, in letters
WIDEST = 4000  # pixels of the sheet beside a picture that is narrower
MOST_LINES, MOST_LETTERS = 600, 300


def draw(inputs: Inputs, answer: OcrAnswer) -> Image.Image:
    """The picture, and right of it a white sheet of the same height with a line of colour beside each paragraph."""
    text = _cut(answer.text)
    lines = sum(len(paragraph) + 1 for paragraph in text)
    picture = picture_of(inputs)
    share = min(1.0, (MOST_PIXELS / 2 / (picture.width * picture.height)) ** 0.5)
    height = max(int(picture.height * share), 240, int(lines * SMALLEST * STEP) + 16)
    widest = MOST_PIXELS // 2 // height
    picture.thumbnail((widest, height))
    size, width = _fitting(text, picture, height, widest)
    font = ImageFont.load_default(size=size)
    bar = max(4, size // 7)
    sheet = Image.new("RGB", (picture.width + width + 12 * bar, height), "white")
    sheet.paste(picture, (0, 0))
    pencil = ImageDraw.Draw(sheet)
    left, top = picture.width + 4 * bar, 8.0
    if not text:
        pencil.text((left, top), "no text found", fill="grey", font=font)
    for number, paragraph in enumerate(text):
        bottom = top + len(paragraph) * size * STEP
        pencil.rectangle((left, top, left + bar, bottom - 2), fill=PALETTE[number % len(PALETTE)])
        for line in paragraph:
            pencil.text((left + 3 * bar, top), line, fill="black", font=font)
            top += size * STEP
        top += size * STEP
    return sheet


def _cut(text: list[list[str]]) -> list[list[str]]:
    """The first 600 lines, at most 300 letters of each, and a mark where there are more lines."""
    kept: list[list[str]] = []
    left = MOST_LINES
    for paragraph in text:
        if left <= 0:
            return [*kept, ["…"]]
        kept.append([line[:MOST_LETTERS] for line in paragraph[:left]])
        left -= len(paragraph) + 1
    return kept


def _fitting(text: list[list[str]], picture: Image.Image, height: int, widest: int) -> tuple[int, int]:
    """How large letters are for a sheet of this height, and how wide the longest line then is, in pixels.

    Beside a large picture they are as large as it allows without the text becoming wider than the picture.
    """
    lines = [line for paragraph in text for line in paragraph]
    length = ImageFont.load_default(size=USUAL).getlength
    longest = max([length(line) for line in lines] or [200.0]) / USUAL or 1.0
    side = (picture.width * picture.height) ** 0.5
    largest = int(max(USUAL, min(side / 36, picture.width / 16, picture.width / longest)))
    high = (height - 16) / max(len(lines) + len(text), 1) / STEP
    room = max(1, min(max(WIDEST, picture.width), widest - 2 * largest - 48))
    size = max(SMALLEST, int(min(largest, high, room / longest)))
    return size, int(min(size * longest, room))
