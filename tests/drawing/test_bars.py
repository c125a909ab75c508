"""Bars: short names beside them, long names above them, whole where they fit a line."""

from __future__ import annotations

import pytest
from PIL import ImageDraw, ImageFont

from maxfw.drawing.bars import LINE, MOST_ROWS, bars
from maxfw.drawing.base import shortened

FONT = ImageFont.load_default(size=16)
CHICKEN = "Gallus gallus domesticus (Domestic Chicken)"


@pytest.fixture
def written(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What is written on drawings from now on."""
    texts: list[str] = []
    write = ImageDraw.ImageDraw.text

    def text(self: ImageDraw.ImageDraw, place: tuple[float, float], said: str, **options: object) -> None:
        texts.append(said)
        write(self, place, said, **options)

    monkeypatch.setattr(ImageDraw.ImageDraw, "text", text)
    return texts


def test_a_long_name_is_written_whole(written: list[str]) -> None:
    chart = bars([(CHICKEN, 0.9), ("a crow", 0.1)])

    assert written == [CHICKEN, "90.0%", "a crow", "10.0%"]
    assert chart.size == (640, 4 * LINE + 16)


def test_short_names_stand_beside_their_bars() -> None:
    assert bars([("aircraft carrier", 0.9), ("wing", 0.1)]).size == (640, 2 * LINE + 16)


def test_a_name_that_fits_no_line_and_a_long_title_are_cut(written: list[str]) -> None:
    bars([("endless " * 100, 0.5)], title="a\nlong\ntext " * 500)

    assert all(said.endswith("…") for said in written[:2])
    assert all(FONT.getlength(said) <= 616 and "\n" not in said for said in written)


def test_of_many_rows_the_first_are_drawn_and_the_others_counted(written: list[str]) -> None:
    bars([("row", 0.5)] * (MOST_ROWS + 3))

    assert written.count("row") == MOST_ROWS
    assert written[-1] == "… and 3 more"


@pytest.mark.parametrize("room", [0, 5, 40, 100, 1000])
def test_a_shortened_text_fits(room: int) -> None:
    said = shortened(CHICKEN, FONT, room)

    assert FONT.getlength(said) <= max(room, FONT.getlength("…"))
    assert said.rstrip("…") in CHICKEN
