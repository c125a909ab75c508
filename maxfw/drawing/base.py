"""What drawings share: the uploaded picture, a font, colours that can be told apart, bars."""

from __future__ import annotations

import io
from collections.abc import Callable, Sequence

from PIL import Image, ImageDraw, ImageFont, ImageOps

from maxfw.tasks.base import Answer, Inputs

# Okabe and Ito's palette, which colour-blind people can tell apart as well (https://jfly.uni-koeln.de/color/).
PALETTE = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#F0E442")

Font = ImageFont.FreeTypeFont | ImageFont.ImageFont

#: Answers other inputs with the model that is drawn for.
Ask = Callable[[Inputs], Answer]


def picture_of(inputs: Inputs) -> Image.Image:
    """The picture that was sent, upright, RGB."""
    return ImageOps.exif_transpose(Image.open(io.BytesIO(inputs.files["image"].blob))).convert("RGB")


def font_for(height: int) -> Font:
    """A font that is readable on a picture of this height, in pixels."""
    return ImageFont.load_default(size=max(12, height // 36))


def colour_of(label: str, seen: Sequence[str]) -> str:
    """The colour of a label: the same for every box of it."""
    return PALETTE[list(seen).index(label) % len(PALETTE)]


def tag(draw: ImageDraw.ImageDraw, place: tuple[float, float], text: str, colour: str, font: Font) -> None:
    """White text on a patch of colour, its lower left corner at `place`, kept inside the picture."""
    left, top, right, bottom = draw.textbbox((0, 0), text, font=font)
    width, height = right - left + 8, bottom - top + 6
    x = min(max(place[0], 0), max(draw.im.size[0] - width, 0))
    y = max(place[1] - height, 0)
    draw.rectangle((x, y, x + width, y + height), fill=colour)
    draw.text((x + 4 - left, y + 3 - top), text, fill="white", font=font)


def bars(rows: Sequence[tuple[str, float]], *, title: str = "", width: int = 640) -> Image.Image:
    """A bar for each `(label, probability 0…1)` on white, longest names cut."""
    font = ImageFont.load_default(size=16)
    row_height, top = 28, 36 if title else 8
    chart = Image.new("RGB", (width, top + row_height * len(rows) + 8), "white")
    draw = ImageDraw.Draw(chart)
    if title:
        draw.text((12, 8), title[:80], fill="black", font=font)
    for index, (label, probability) in enumerate(rows):
        y = top + index * row_height
        name = label if len(label) <= 26 else label[:25] + "…"
        draw.text((12, y + 4), name, fill="black", font=font)
        length = (width - 250 - 90) * min(max(probability, 0.0), 1.0)
        draw.rectangle((250, y + 5, 250 + max(length, 1), y + row_height - 7), fill=PALETTE[0])
        draw.text((258 + length, y + 4), f"{probability:.1%}", fill="black", font=font)
    return chart


def stacked(parts: Sequence[Image.Image], background: str = "white") -> Image.Image:
    """Pictures below each other, left-aligned."""
    width = max(part.width for part in parts)
    sheet = Image.new("RGB", (width, sum(part.height for part in parts)), background)
    y = 0
    for part in parts:
        sheet.paste(part, (0, y))
        y += part.height
    return sheet
