"""Pieces of text and where they stand become paragraphs in reading order."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from maxfw.tasks.ocr import paragraphs

Piece = tuple[str, float, float, float]  # the text, its left and top, its width; it is 20 pixels high
WIDE = 300.0


def read(*pieces: Piece, turned: float = 0.0, height: float = 20.0) -> list[list[str]]:
    """The paragraphs of a page with these pieces, the page turned by some degrees around a corner."""
    boxes = np.array(
        [[(x, y), (x + w, y), (x + w, y + height), (x, y + height)] for _, x, y, w in pieces], dtype=float
    )
    angle = np.radians(turned)
    turn = np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]])
    return paragraphs(boxes @ turn, [text for text, *_ in pieces])


def column(
    name: str, x: float, y: float, lines: int, *, pitch: float = 30, width: float = WIDE
) -> list[Piece]:
    return [(f"{name}{n}", x, y + n * pitch, width) for n in range(lines)]


def test_a_page_without_text_has_no_paragraphs() -> None:
    assert paragraphs(np.zeros((0, 4, 2)), []) == []


@given(st.permutations(column("a", 10, 10, 4)))
def test_lines_are_read_from_top_to_bottom_in_whatever_order_they_were_found(pieces: list[Piece]) -> None:
    assert read(*pieces) == [["a0", "a1", "a2", "a3"]]


def test_a_wider_space_begins_a_paragraph() -> None:
    assert read(*column("a", 10, 10, 3), *column("b", 10, 130, 3)) == [["a0", "a1", "a2"], ["b0", "b1", "b2"]]


def test_two_lines_far_apart_are_two_paragraphs_and_two_near_ones_are_one() -> None:
    assert read(*column("a", 10, 10, 2, pitch=90)) == [["a0"], ["a1"]]
    assert read(*column("a", 10, 10, 2, pitch=28)) == [["a0", "a1"]]


def test_an_indented_line_begins_a_paragraph() -> None:
    pieces = column("a", 10, 10, 6)
    indented = [
        (t, x + 25 * (n in (0, 3)), y, w - 25 * (n in (0, 3))) for n, (t, x, y, w) in enumerate(pieces)
    ]

    assert read(*indented) == [["a0", "a1", "a2"], ["a3", "a4", "a5"]]


def test_centred_lines_are_one_paragraph() -> None:
    widths = (300, 120, 220, 60, 260)

    assert read(*[(str(n), 200 - w / 2, 10 + 30 * n, w) for n, w in enumerate(widths)]) == [list("01234")]


def test_a_heading_in_larger_letters_is_a_paragraph_of_its_own() -> None:
    heading = [[(10, 10), (300, 10), (300, 50), (10, 50)]]
    lines = [[(10, y), (400, y), (400, y + 20), (10, y + 20)] for y in (55, 85, 115)]

    assert paragraphs(np.array(heading + lines, dtype=float), ["Heading", "a", "b", "c"]) == [
        ["Heading"],
        ["a", "b", "c"],
    ]


@pytest.mark.parametrize("turned", [-8, -2, 0, 3, 8])
def test_columns_are_read_one_after_the_other_also_on_a_page_that_is_askew(turned: float) -> None:
    page = [
        ("Title across both", 10, 10, 650.0),
        *column("left", 10, 60, 5),
        *column("right", 360, 72, 4),
        ("Footer across both", 10, 240, 650.0),
    ]

    assert read(*page, turned=turned) == [
        ["Title across both"],
        ["left0", "left1", "left2", "left3", "left4"],
        ["right0", "right1", "right2", "right3"],
        ["Footer across both"],
    ]


def test_three_columns_are_read_from_left_to_right() -> None:
    page = [piece for n, name in enumerate("abc") for piece in column(name, 10 + 340 * n, 10 + 5 * n, 3)]

    assert read(*page) == [[f"{name}{n}" for n in range(3)] for name in "abc"]


def test_the_cells_of_a_table_are_read_row_by_row() -> None:
    items = column("item", 10, 10, 4, width=120)
    prices = column("price", 500, 12, 4, width=60)

    assert read(*items, *prices) == [[f"item{n} price{n}" for n in range(4)]]


def test_pieces_of_a_line_are_joined_from_left_to_right() -> None:
    assert read(("world", 120, 11, 90), ("hello", 10, 10, 90), ("again", 10, 40, 90)) == [
        ["hello world", "again"]
    ]


@given(
    st.lists(
        st.tuples(st.integers(0, 900), st.integers(0, 900), st.integers(1, 400)), min_size=1, max_size=25
    )
)
def test_no_piece_is_lost_or_read_twice(places: list[tuple[int, int, int]]) -> None:
    found = read(*[(f"<{n}>", x, y, w) for n, (x, y, w) in enumerate(places)])
    words = [word for paragraph in found for line in paragraph for word in line.split()]

    assert sorted(words) == sorted(f"<{n}>" for n in range(len(places)))
    assert all(found)
