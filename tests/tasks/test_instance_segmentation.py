"""Masks as runs of pixels, and things as connected patches."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays
from PIL import Image

from maxfw.errors import BadModelOutput
from maxfw.tasks.instance_segmentation import InstanceSegmentation, decode, encode, instances

masks = arrays(bool, array_shapes(min_dims=2, max_dims=2, max_side=12))


@given(masks)
def test_a_mask_survives_the_way_to_runs_and_back(mask: np.ndarray) -> None:
    assert (decode(encode(mask), mask.shape[::-1]) == mask).all()


def test_runs_count_from_one_and_go_down_the_columns() -> None:
    mask = np.array([[0, 1, 0], [0, 1, 0], [1, 0, 0]], dtype=bool)

    assert encode(mask) == [3, 3]
    assert encode(mask[:, ::-1]) == [4, 2, 9, 1]
    assert encode(np.zeros((3, 3), bool)) == []


def patches_by_walking(mask: np.ndarray) -> set[frozenset[tuple[int, int]]]:
    """The connected patches of a small mask, pixel by pixel."""
    left = {(int(y), int(x)) for y, x in np.argwhere(mask)}
    patches = set()
    while left:
        patch, edge = set(), [left.pop()]
        while edge:
            y, x = edge.pop()
            patch.add((y, x))
            for place in ((y - 1, x), (y + 1, x), (y, x - 1), (y, x + 1)):
                if place in left:
                    left.remove(place)
                    edge.append(place)
        patches.add(frozenset(patch))
    return patches


@given(masks)
def test_each_connected_patch_is_one_thing(mask: np.ndarray) -> None:
    found = [decode(thing.mask, mask.shape[::-1]) for thing in instances(mask.astype(float))]

    assert len(found) == len(patches_by_walking(mask))
    assert {frozenset((int(y), int(x)) for y, x in np.argwhere(one)) for one in found} == patches_by_walking(
        mask
    )


def test_a_long_winding_patch_is_one_thing() -> None:
    snake = np.zeros((301, 300), bool)
    snake[::2] = True
    snake[1::4, -1] = snake[3::4, 0] = True

    assert len(instances(snake.astype(float))) == 1


@given(st.lists(st.floats(0.51, 1), min_size=2, max_size=6))
def test_a_thing_is_as_sure_as_its_pixels_on_average_and_the_surest_is_first(values: list[float]) -> None:
    picture = np.zeros((3, 2 * len(values)))
    picture[1, ::2] = values
    picture[2, 0] = 0.6

    found = [thing.probability for thing in instances(picture)]

    assert found == sorted(found, reverse=True)
    assert sum(found) == pytest.approx((values[0] + 0.6) / 2 + sum(values[1:]))


def test_specks_and_doubtful_things_are_dropped() -> None:
    picture = np.zeros((10, 10))
    picture[0, 0] = 1
    picture[4:8, 4:8] = 0.7

    assert len(instances(picture)) == 2
    assert [thing.probability for thing in instances(picture, smallest=2)] == [pytest.approx(0.7)]
    assert [thing.probability for thing in instances(picture, threshold=0.7)] == [1]
    assert instances(picture, cut=1.0) == []


@pytest.mark.parametrize("mask", [[], [1], [0, 1], [1, 0], [9, 3], [10, 1, 1, 1], [1, 2, 2, 2], [1, 99]])
def test_a_mask_that_does_not_fit_the_picture_is_the_models_error(mask: list[int]) -> None:
    with pytest.raises(BadModelOutput, match="mask"):
        InstanceSegmentation().write([Image.new("RGB", (5, 2))], [[{"mask": mask, "probability": 0.5}]], ())
