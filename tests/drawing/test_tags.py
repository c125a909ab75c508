"""Tags hide no other tag while there is room, and stay within the picture."""

from __future__ import annotations

from itertools import combinations

import pytest
from PIL import Image

from maxfw.drawing.tags import Box, Tags

SIZE = (640, 480)
INNER = (200.0, 150.0, 400.0, 300.0)


def overlap(one: Box, other: Box) -> bool:
    """Whether two rectangles have a pixel in common."""
    return all(max(one[at], other[at]) <= min(one[at + 2], other[at + 2]) for at in (0, 1))


def placed(boxes: list[Box], text: str = "person 89%", size: tuple[int, int] = SIZE) -> list[Box]:
    """Where the tags of these boxes are."""
    tags = Tags(Image.new("RGB", size))
    return [tags.put(box, text, "#0072B2") for box in boxes]


@pytest.mark.parametrize(
    "boxes",
    [
        [INNER] * 2,
        [INNER] * 12,
        [(0.0, 0.0, 640.0, 480.0)] * 12,
        [(600.0, 440.0, 640.0, 480.0)] * 12,
        [(200.0 + 9 * step, 150.0 + 7 * step, 400.0, 300.0) for step in range(12)],
        [(0.0, -5.0, 30.0, 20.0), (10.0, -5.0, 60.0, 20.0), (600.0, 470.0, 700.0, 500.0)],
    ],
)
def test_no_tag_hides_another(boxes: list[Box]) -> None:
    places = placed(boxes)

    assert not any(overlap(one, other) for one, other in combinations(places, 2))
    for left, top, right, bottom in places:
        assert 0 <= left < right < SIZE[0]
        assert 0 <= top < bottom < SIZE[1]


def test_the_first_is_above_its_box_the_second_in_its_top() -> None:
    first, second = placed([INNER] * 2)

    assert first[0] == second[0] == INNER[0]
    assert first[3] == INNER[1]
    assert second[1] == pytest.approx(INNER[1], abs=first[3] - first[1] + 1)


@pytest.mark.parametrize("size", [(1, 1), (1, 3000), (3000, 1), (30, 30)], ids=str)
def test_where_there_is_no_room_it_is_drawn_all_the_same(size: tuple[int, int]) -> None:
    assert len(placed([(0.0, 0.0, float(size[0]), float(size[1]))] * 5, size=size)) == 5


def test_a_long_name_is_cut_to_the_picture() -> None:
    [(left, _, right, _)] = placed([INNER], text="a name without an end " * 50)

    assert 0 <= left < right < SIZE[0]
