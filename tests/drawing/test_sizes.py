"""No drawing outgrows its bounds, whatever the shape of the picture and however much there is to say."""

from __future__ import annotations

import io
from typing import Any

import msgspec
import numpy as np
import pytest
from PIL import Image

from maxfw.drawing import base, draw
from maxfw.drawing.base import MOST_PIXELS, TALLEST_SHEET, at_width
from maxfw.drawing.text import MOST_LINES, paragraph
from maxfw.tasks import all_tasks
from maxfw.tasks.base import Inputs, Upload
from maxfw.tasks.image_to_image import png

# Beyond any of a real model.
MANY = 300
LONG = "a long text " * 2000
FOUND = {"label_id": "1", "label": "a thing " * 20, "probability": 0.5}
BOX = {**FOUND, "detection_box": [0.0, 0.0, 1.0, 1.0]}
PART = {"part_id": 0, "part_name": "Nose", "score": "0.9", "x": 0, "y": 0}
ON_PICTURES: dict[str, dict[str, Any]] = {
    "face-analysis": {"predictions": [BOX] * 20},
    "image-captioning": {"predictions": [{"index": "0", "caption": LONG, "probability": 0.5}] * 3},
    "image-classification": {"predictions": [FOUND] * MANY},
    "image-embedding": {"predictions": [[0.1] * 1000] * MANY},
    "image-segmentation": {"image_size": [2, 1], "seg_map": [[0, 1]]},
    "image-to-image": {"image": png(Image.new("RGB", (30, 20))), "image_size": [30, 20]},
    "instance-segmentation": {"predictions": [{"mask": [1, 1], "probability": 0.9}]},
    "object-detection": {"predictions": [BOX] * 20},
    "ocr": {"text": [[LONG] * 50] * 50},
    "pose-estimation": {"predictions": [{"human_id": 0, "pose_lines": [], "body_parts": [PART]}]},
}
ON_TEXTS: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "question-answering": (
        {"paragraphs": [{"context": LONG, "questions": ["Who?"] * 5}] * MANY},
        {"predictions": [["nobody"] * 5] * MANY},
    ),
    "recommendation": (
        {"user_id": "1"},
        {"predictions": [{"user": "1", "item": LONG, "prediction": 0.5}] * MANY},
    ),
    "summarization": ({"text": [LONG] * MANY}, {"summary_text": [LONG] * MANY}),
    "text-classification": ({"text": [LONG] * MANY}, {"predictions": [[{LONG: 0.5, "b": 0.5}]] * MANY}),
    "text-embedding": ({"text": [LONG] * MANY}, {"predictions": [[0.1] * 400] * MANY}),
    "text-generation": (
        {},
        {"prediction": {"seed_text": LONG * 20, "generated_text": LONG * 20, "full_text": ""}},
    ),
    "token-classification": (
        {},
        {"prediction": {"tags": ["O", "B-X"] * 20_000, "terms": ["word", "name"] * 20_000}},
    ),
}


def uploaded(size: tuple[int, int]) -> Inputs:
    """A grey picture of a few hundred bytes."""
    file = io.BytesIO()
    Image.new("L", size, 90).save(file, "PNG")
    return Inputs(files={"image": Upload(file.getvalue())})


def drawn(name: str, inputs: Inputs, answer: dict[str, Any]) -> Image.Image:
    """What is drawn for an answer, given as plain objects, of the task with this name."""
    task = all_tasks()[name]
    return draw(task(), inputs, msgspec.convert(answer, task.answer))


@pytest.mark.parametrize("name", ON_PICTURES)
@pytest.mark.parametrize("size", [(1, 1), (1, 14_000), (12_000, 50), (65_535, 1), (40, 20_000)], ids=str)
def test_a_picture_of_any_shape_has_a_drawing_of_bounded_size(name: str, size: tuple[int, int]) -> None:
    picture = drawn(name, uploaded(size), ON_PICTURES[name])

    assert picture.width * picture.height <= MOST_PIXELS


@pytest.mark.parametrize("name", ON_TEXTS)
def test_many_long_texts_have_a_drawing_of_bounded_size(name: str) -> None:
    body, answer = ON_TEXTS[name]
    picture = drawn(name, Inputs(body=body), answer)

    assert picture.width * picture.height <= MOST_PIXELS


def test_every_task_that_looks_at_pictures_is_tried() -> None:
    assert set(ON_PICTURES) == {
        n for n, task in all_tasks().items() if any(f.name == "image" for f in task.files)
    }


@pytest.mark.parametrize(
    ("size", "expected"),
    [
        ((640, 480), (640, 480)),
        ((1280, 960), (640, 480)),
        ((300, 900), (640, 1920)),
        ((100, 400), (640, 2560)),
    ],
    ids=str,
)
def test_ordinary_pictures_are_640_wide(size: tuple[int, int], expected: tuple[int, int]) -> None:
    assert at_width(Image.new("L", size)).size == expected


def test_a_thin_picture_is_narrower() -> None:
    assert at_width(Image.new("L", (1, 14_000))).size == (1, base.TALLEST_PICTURE)


def test_what_has_no_room_on_a_sheet_is_not_even_drawn() -> None:
    made: list[int] = []

    def parts() -> Any:
        for number in range(1000):
            made.append(number)
            yield Image.new("RGB", (640, 999))

    sheet = base.stacked(parts())

    assert len(made) == TALLEST_SHEET // 999 + 1
    assert TALLEST_SHEET - 999 < sheet.height < TALLEST_SHEET + 100


@pytest.mark.parametrize(
    "text", ["word " * 50_000, "x" * 200_000, "x" * 4_000], ids=lambda text: str(len(text))
)
def test_a_text_has_at_most_so_many_lines(text: str) -> None:
    assert paragraph([(text, "")]).height <= (MOST_LINES + 1) * 26 + 12


def test_letters_grow_with_a_large_page() -> None:
    text = [["A page of a book has some forty letters in a line"] * 20]
    small, large = (drawn("ocr", uploaded((width, width)), {"text": text}) for width in (1200, 4800))

    assert tallest_row_of_ink(large, 4800) > 2 * tallest_row_of_ink(small, 1200)


def tallest_row_of_ink(picture: Image.Image, left: int) -> int:
    """How many rows of pixels in a row have black in them, right of a column."""
    ink = (np.asarray(picture.convert("L"))[:, left:] < 60).any(axis=1)
    return max(map(len, "".join(" x"[bool(row)] for row in ink).split()))
