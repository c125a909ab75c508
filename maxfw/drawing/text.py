"""Drawings of texts: words in lines, some of them on a patch of colour."""

from __future__ import annotations

from collections.abc import Sequence

from PIL import Image, ImageDraw, ImageFont

Piece = tuple[str, str]
"""A text and the colour of the patch behind it; empty for none."""

WIDTH, MARGIN = 640, 12
LINE = 26  # pixels from one line to the next
MOST_LINES = 400  # a longer text is cut


def paragraph(pieces: Sequence[Piece], *, colour: str = "black") -> Image.Image:
    """Pieces of text in a row → a picture 640 pixels wide, broken between words."""
    font = ImageFont.load_default(size=16)
    placed: list[tuple[float, int, str, str]] = []
    x, line, space = float(MARGIN), 0, font.getlength(" ")
    for text, patch in pieces:
        for word in text.encode("utf-8", "replace").decode().split():
            for part in _parts(word, font):
                length = font.getlength(part)
                if x + length > WIDTH - MARGIN and x > MARGIN:
                    x, line = float(MARGIN), line + 1
                placed.append((x, line, part, patch))
                x += length
            x += space
        if line > MOST_LINES:
            break
    sheet = Image.new("RGB", (WIDTH, (line + 1) * LINE + MARGIN), "white")
    pencil = ImageDraw.Draw(sheet)
    for left, row, word, patch in placed:
        top = MARGIN // 2 + row * LINE
        if patch:
            pencil.rectangle((left - 2, top, left + font.getlength(word) + 2, top + LINE - 4), fill=patch)
        pencil.text((left, top + 1), word, fill="white" if patch else colour, font=font)
    return sheet


def _parts(word: str, font: ImageFont.FreeTypeFont | ImageFont.ImageFont) -> list[str]:
    """A word in pieces that fit a line."""
    if font.getlength(word) <= WIDTH - 2 * MARGIN:
        return [word]
    return [word[at : at + 40] for at in range(0, min(len(word), 40 * MOST_LINES), 40)]
