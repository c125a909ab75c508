"""Drawings of texts: words in lines, some of them on a patch of colour."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from PIL import Image, ImageDraw, ImageFont

from maxfw.drawing.base import WIDTH

Piece = tuple[str, str]
"""A text and the colour of the patch behind it; empty for none."""

MARGIN = 12
LINE = 26  # pixels from one line to the next
MOST_LINES = 400  # a longer text is cut
MOST_LETTERS = 200 * MOST_LINES


def paragraph(pieces: Sequence[Piece], *, colour: str = "black") -> Image.Image:
    """Pieces of text in a row → a picture 640 pixels wide, broken between words."""
    font = ImageFont.load_default(size=16)
    placed: list[tuple[float, int, str, str]] = []
    x, line, space = float(MARGIN), 0, font.getlength(" ")
    for word, patch in _words(pieces):
        for part in _parts(word, font):
            length = font.getlength(part)
            if x + length > WIDTH - MARGIN and x > MARGIN:
                x, line = float(MARGIN), line + 1
            placed.append((x, line, part, patch))
            x += length
        x += space
        if line >= MOST_LINES:
            placed = [*(word for word in placed if word[1] < MOST_LINES), (MARGIN, MOST_LINES, "…", "")]
            line = MOST_LINES
            break
    sheet = Image.new("RGB", (WIDTH, (line + 1) * LINE + MARGIN), "white")
    pencil = ImageDraw.Draw(sheet)
    for left, row, word, patch in placed:
        top = MARGIN // 2 + row * LINE
        if patch:
            pencil.rectangle((left - 2, top, left + font.getlength(word) + 2, top + LINE - 4), fill=patch)
        pencil.text((left, top + 1), word, fill="white" if patch else colour, font=font)
    return sheet


def _words(pieces: Sequence[Piece]) -> Iterator[Piece]:
    """The words of all pieces, each with the patch of its own."""
    for text, patch in pieces:
        for word in text[:MOST_LETTERS].encode("utf-8", "replace").decode().split():
            yield word, patch


def _parts(word: str, font: ImageFont.FreeTypeFont | ImageFont.ImageFont) -> list[str]:
    """A word in pieces that fit a line."""
    if font.getlength(word) <= WIDTH - 2 * MARGIN:
        return [word]
    return [word[at : at + 40] for at in range(0, min(len(word), 40 * MOST_LINES), 40)]
