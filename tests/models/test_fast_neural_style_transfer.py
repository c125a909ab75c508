"""The style transfer takes its style from where it is told to, and keeps the photo's shape."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest
from PIL import Image

from maxfw.catalog import find, load_model
from maxfw.predictor import Predictor
from maxfw.settings import load_settings
from maxfw.tasks.base import Inputs, Upload

pytest.importorskip("ai_edge_litert")
pytestmark = pytest.mark.mirror

Paint = Callable[..., Image.Image]


@pytest.fixture(scope="module")
def predictor() -> Iterator[Predictor]:
    made = Predictor(load_model(find("fast_neural_style_transfer")), load_settings())
    yield made
    made.close()


@pytest.fixture
def paint(predictor: Predictor) -> Paint:
    """Send a photo, and perhaps a picture with a style → the painting."""

    def ask(photo: bytes, style_image: bytes | None = None, **parameters: Any) -> Image.Image:
        files = {"image": Upload(photo)}
        if style_image is not None:
            files["style_image"] = Upload(style_image)
        return Image.open(io.BytesIO(predictor.answer(Inputs(files=files), parameters).image))

    return ask


def photo(width: int = 90, height: int = 60) -> bytes:
    """A landscape of our own: a sky that gets lighter, a field, a sun."""
    rows, columns = np.mgrid[:height, :width].astype(float)
    sky = rows < height * 0.6
    sun = (columns - width * 0.7) ** 2 + (rows - height * 0.3) ** 2 < (min(width, height) / 8) ** 2
    red = np.where(sky, 90 + 100 * rows / height, 60) + 100 * sun
    green = np.where(sky, 140 + 80 * rows / height, 120)
    blue = np.where(sky, 220, 40) - 100 * sun
    png = io.BytesIO()
    Image.fromarray(np.stack((red, green, blue), axis=-1).clip(0, 255).astype(np.uint8)).save(png, "PNG")
    return png.getvalue()


def distance(one: Image.Image, other: Image.Image) -> float:
    """How far two pictures are from each other on average, 0…255."""
    return float(np.abs(np.asarray(one, dtype=float) - np.asarray(other, dtype=float)).mean())


def test_each_poster_paints_differently(paint: Paint) -> None:
    zion, lassen, canyon = (paint(photo(), style=style) for style in ("zion", "lassen", "grand_canyon"))

    assert min(distance(zion, lassen), distance(lassen, canyon), distance(canyon, zion)) > 5


def test_an_uploaded_poster_paints_like_the_same_poster_by_name(paint: Paint, predictor: Predictor) -> None:
    poster = predictor.model.asset("Lassen_Style_Image.png").read_bytes()

    assert distance(paint(photo(), poster), paint(photo(), style="lassen")) < 1


def test_a_style_image_wins_over_a_style_and_says_so(paint: Paint, predictor: Predictor) -> None:
    waves = (find("fast_neural_style_transfer").path / "samples/waves.png").read_bytes()
    alone, both = paint(photo(), waves), paint(photo(), waves, style="lassen")
    said = {parameter.name: parameter.description for parameter in predictor.parameters}

    assert distance(alone, both) == 0
    assert "style is ignored" in said["style_image"]


def test_without_strength_the_poster_does_not_matter_and_the_photo_keeps_its_colours(paint: Paint) -> None:
    original = Image.open(io.BytesIO(photo()))
    without, other = (paint(photo(), style=style, strength="0") for style in ("zion", "lassen"))
    half, full = paint(photo(), strength="0.5"), paint(photo())

    assert distance(without, other) < 1
    assert distance(without, original) < distance(half, original) < distance(full, original)


@pytest.mark.parametrize(
    ("size", "answered"),
    [
        ((90, 60), (90, 60)),
        ((1, 1), (1, 1)),
        ((3, 500), (3, 500)),
        ((800, 2), (800, 2)),
        ((1600, 1200), (1536, 1152)),
        ((700, 2100), (512, 1536)),
    ],
)
def test_the_answer_has_the_photos_shape_and_its_size_up_to_a_limit(
    paint: Paint, size: tuple[int, int], answered: tuple[int, int]
) -> None:
    assert paint(photo(*size)).size == answered


def test_the_painting_is_not_moved_against_the_photo(paint: Paint) -> None:
    """The sun of the photo is the brightest spot of the painting too, wide or tall."""
    for size in ((300, 120), (120, 300)):
        where = [
            np.array(np.unravel_index(red.argmax(), red.shape))
            for picture in (Image.open(io.BytesIO(photo(*size))), paint(photo(*size), strength="0"))
            for red in [np.asarray(picture.convert("RGB"), dtype=int)[..., 0] - np.asarray(picture)[..., 2]]
        ]
        assert np.abs(where[0] - where[1]).max() < 40
