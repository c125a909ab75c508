"""The OCR reads pages however they lie, and asks no network."""

from __future__ import annotations

import socket
from typing import Any

import pytest
from PIL import Image, ImageDraw, ImageFont

from maxfw.catalog import find, load_model

pytest.importorskip("onnxruntime")
pytest.importorskip("rapidocr")

LINES = ["The ferry leaves at noon,", "and returns before dark.", "Bring a coat and some bread."]


@pytest.fixture(scope="module")
def model() -> Any:
    """The model, loaded and asked without any connection."""
    with pytest.MonkeyPatch.context() as patch:

        def refuse(*_: Any) -> None:
            raise OSError("this test has no network")

        patch.setattr(socket.socket, "connect", refuse)
        patch.setattr(socket, "getaddrinfo", refuse)
        yield load_model(find("ocr"))


def page(*, ink: str = "black", paper: str = "white", size: int = 24) -> Image.Image:
    picture = Image.new("RGB", (size * 20, size * 7), paper)
    pencil, font = ImageDraw.Draw(picture), ImageFont.load_default(size=size)
    for number, line in enumerate(LINES):
        pencil.text((size, size + number * size * 1.6), line, fill=ink, font=font)
    return picture


@pytest.mark.parametrize("degrees", [0, 90, 180, 270, 5, -7])
def test_a_page_is_read_however_it_lies(model: Any, degrees: int) -> None:
    assert model.predict(page().rotate(degrees, expand=True, fillcolor="white")) == [LINES]


def test_light_letters_on_dark_are_read_too(model: Any) -> None:
    assert model.predict(page(ink="yellow", paper="navy", size=32)) == [LINES]


@pytest.mark.parametrize("size", [(1, 1), (3, 2000), (4000, 5), (300, 200)])
def test_a_picture_without_text_has_none(model: Any, size: tuple[int, int]) -> None:
    assert model.predict(Image.new("RGB", size, "white")) == []


def test_doubtful_lines_are_dropped_by_the_threshold(model: Any) -> None:
    found = model._predict(model._pre_process(page()))

    assert model._post_process(found, threshold=0.0) == [LINES]
    assert model._post_process(found, threshold=1.0) == []
