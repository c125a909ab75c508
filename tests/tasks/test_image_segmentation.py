"""Maps: their size, and which are refused."""

from __future__ import annotations

import msgspec
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from maxfw.drawing.image_segmentation import draw
from maxfw.errors import BadModelOutput
from maxfw.tasks.base import Label
from maxfw.tasks.image_segmentation import ImageSegmentation, ImageSegmentationAnswer, map_size
from maxfw.tasks.values import encode_json

LABELS = (Label("0", "background"), Label("1", "cat"))


@pytest.mark.parametrize(
    ("photo", "expected"),
    [((640, 480), (513, 384)), ((480, 640), (384, 513)), ((1, 1), (513, 513)), ((6000, 8), (513, 1))],
)
def test_the_longer_side_of_a_map_has_513_pixels(photo: tuple[int, int], expected: tuple[int, int]) -> None:
    assert map_size(Image.new("1", photo)) == expected


@given(st.integers(1, 20_000), st.integers(1, 20_000))
def test_no_picture_is_too_thin_for_a_map(width: int, height: int) -> None:
    shape = map_size(_Sized((width, height)))

    assert max(shape) == 513
    assert min(shape) >= 1


class _Sized:
    """Something of a size, without its pixels."""

    def __init__(self, size: tuple[int, int]) -> None:
        self.size = size


@pytest.mark.parametrize("kind", [np.uint8, np.int32, np.int64])
def test_rows_of_the_map_are_rows_of_the_answer(kind: type) -> None:
    answer = ImageSegmentation().write([], [np.array([[0, 1, 0], [1, 1, 0]], dtype=kind)], LABELS)

    assert encode_json(answer) == b'{"status":"ok","image_size":[3,2],"seg_map":[[0,1,0],[1,1,0]]}'


@pytest.mark.parametrize("highest", [1, 9, 10, 19])
def test_a_map_is_encoded_as_its_numbers_whether_they_have_one_digit_or_two(highest: int) -> None:
    seg_map = np.random.default_rng(highest).integers(0, highest, (57, 33), endpoint=True)
    task = ImageSegmentation()

    content = task.encode(task.write([], [seg_map], ())).content

    assert msgspec.json.decode(content) == {
        "status": "ok",
        "image_size": [33, 57],
        "seg_map": seg_map.tolist(),
    }


@pytest.mark.parametrize(
    "seg_map",
    [
        [[0, 1]],
        np.zeros((2, 2)),
        np.zeros((1, 2, 2), int),
        np.zeros((0, 2), int),
        np.zeros((2, 2), bool),
        np.array([[0, 2]]),
        np.array([[-1, 0]]),
    ],
    ids=[
        "a list",
        "not whole numbers",
        "three dimensions",
        "empty",
        "truths",
        "an id too high",
        "an id too low",
    ],
)
def test_what_is_no_map_of_the_labels_is_the_models_error(seg_map: object) -> None:
    with pytest.raises(BadModelOutput, match="_post_process returned"):
        ImageSegmentation().write([], [seg_map], LABELS)


def test_neighbours_differ_in_colour_and_the_background_is_left_alone() -> None:
    inputs = ImageSegmentation.sample()
    answer = ImageSegmentationAnswer(image_size=[3, 1], seg_map=[[0, 1, 8]])

    picture = np.asarray(draw(inputs, answer))

    left, middle, right = picture[0, 2], picture[0, 32], picture[0, 60]
    assert left.tolist() == [128, 128, 128]
    assert middle.tolist() != right.tolist() != left.tolist()
