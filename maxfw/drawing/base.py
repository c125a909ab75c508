"""What drawings share: the uploaded picture, a font, colours that can be told apart, sheets of bounded size."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from PIL import Image, ImageDraw, ImageFont

from maxfw.media import read_image
from maxfw.settings import Settings
from maxfw.tasks.base import Answer, Inputs

# Okabe and Ito's palette, which colour-blind people can tell apart as well (https://jfly.uni-koeln.de/color/).
PALETTE = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#F0E442")

# Pixels. What is drawn on a picture is as large as it; every other drawing stays within these.
WIDTH = 640
TALLEST_PICTURE = 4 * WIDTH
TALLEST_SHEET = 20_000
MOST_PIXELS = 50_000_000

Font = ImageFont.FreeTypeFont | ImageFont.ImageFont

#: Answers other inputs with the model that is drawn for.
Ask = Callable[[Inputs], Answer]

# It was answered, so it is neither too large nor too heavy.
_ANY = Settings(max_image_mb=10_000, max_image_mpx=10_000)


def picture_of(inputs: Inputs) -> Image.Image:
    """The picture that was sent as the model saw it: upright, RGB, 8 bits, white where it is transparent."""
    return read_image(inputs.files["image"].blob, settings=_ANY)


def at_width(picture: Image.Image) -> Image.Image:
    """A picture 640 pixels wide; narrower if it would be more than four times as high."""
    factor = min(WIDTH / picture.width, TALLEST_PICTURE / picture.height)
    return picture.resize((max(1, round(picture.width * factor)), max(1, round(picture.height * factor))))


def font_for(size: tuple[int, int]) -> Font:
    """A font that is readable on a picture of this width and height, in pixels."""
    return ImageFont.load_default(size=max(12, min(size[1] // 36, size[0] // 16)))


def line_for(size: tuple[int, int]) -> int:
    """How thick a box's line is on a picture of this width and height, in pixels."""
    return max(2, min(size[1], 2 * size[0]) // 200)


def shortened(text: str, font: Font, room: float) -> str:
    """A text in one line; if it is wider than the room, in pixels, as much of it as fits, and an ellipsis."""
    text = " ".join(text[:1000].encode("utf-8", "replace").decode().split())
    if font.getlength(text) <= room:
        return text
    fits, too_many = 0, len(text)
    while too_many - fits > 1:
        middle = (fits + too_many) // 2
        if font.getlength(text[:middle].rstrip() + "…") <= room:
            fits = middle
        else:
            too_many = middle
    return text[:fits].rstrip() + "…"


def colour_of(label: str, seen: Sequence[str]) -> str:
    """The colour of a label: the same for every box of it."""
    return PALETTE[list(seen).index(label) % len(PALETTE)]


def stacked(parts: Iterable[Image.Image]) -> Image.Image:
    """Pictures below each other, left-aligned on white; those that would make the sheet too high are left out."""
    taken: list[Image.Image] = []
    height = 0
    for part in parts:
        if taken and height + part.height > TALLEST_SHEET:
            taken.append(_note("… the rest is not drawn"))
            break
        taken.append(part)
        height += part.height
    sheet = Image.new("RGB", (max(part.width for part in taken), sum(part.height for part in taken)), "white")
    y = 0
    for part in taken:
        sheet.paste(part, (0, y))
        y += part.height
    return sheet


def _note(text: str) -> Image.Image:
    """A line of grey on white."""
    sheet = Image.new("RGB", (WIDTH, 36), "white")
    ImageDraw.Draw(sheet).text((12, 8), text, fill="grey", font=ImageFont.load_default(size=16))
    return sheet
