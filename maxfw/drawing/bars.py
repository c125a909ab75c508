"""Probabilities as bars."""

from __future__ import annotations

from collections.abc import Sequence

from PIL import Image, ImageDraw, ImageFont

from maxfw.drawing.base import PALETTE, WIDTH, shortened

MARGIN = 12
LINE = 28
BESIDE = 250  # where bars begin that have their names beside them
NUMBER = 90  # pixels for a number behind the longest bar
MOST_ROWS = 100


def bars(rows: Sequence[tuple[str, float]], *, title: str = "") -> Image.Image:
    """A bar for each `(label, probability 0…1)` on white, 640 pixels wide.

    Names stand beside their bars, or above them where one is too long for that. At most 100 are drawn.
    """
    font = ImageFont.load_default(size=16)
    shown, more = rows[:MOST_ROWS], len(rows) - MOST_ROWS
    names = [shortened(name, font, WIDTH - 2 * MARGIN) for name, _ in shown]
    above = any(font.getlength(name) > BESIDE - MARGIN - 6 for name in names)
    start, high = (MARGIN, 2 * LINE) if above else (BESIDE, LINE)
    top = LINE + 8 if title else 8
    height = top + high * len(shown) + 8 + (LINE if more > 0 else 0)
    chart = Image.new("RGB", (WIDTH, height), "white")
    pencil = ImageDraw.Draw(chart)
    if title:
        pencil.text((MARGIN, 8), shortened(title, font, WIDTH - 2 * MARGIN), fill="black", font=font)
    for index, (name, (_, probability)) in enumerate(zip(names, shown, strict=True)):
        y = top + index * high
        pencil.text((MARGIN, y + 4), name, fill="black", font=font)
        y += high - LINE
        length = (WIDTH - start - NUMBER) * min(max(probability, 0.0), 1.0)
        pencil.rectangle((start, y + 5, start + max(length, 1), y + LINE - 7), fill=PALETTE[0])
        pencil.text((start + 8 + length, y + 4), f"{probability:.1%}", fill="black", font=font)
    if more > 0:
        pencil.text((MARGIN, height - LINE - 4), f"… and {more} more", fill="grey", font=font)
    return chart
