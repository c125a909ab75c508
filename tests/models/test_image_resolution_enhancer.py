"""What an eight-by-eight thumbnail cannot tell: that the enlarged picture is seamless, sharp, and keeps its transparency."""

from __future__ import annotations

import importlib.util
import inspect
from typing import Any

import numpy as np
import pytest
from PIL import Image, ImageDraw

from maxfw.catalog import find, load_model
from maxfw.errors import TooLarge

pytestmark = [
    pytest.mark.tensorflow,
    pytest.mark.skipif(importlib.util.find_spec("tensorflow") is None, reason="tensorflow is not installed"),
]


@pytest.fixture
def model() -> Any:
    return load_model(find("image_resolution_enhancer"))


def enlarged(model: Any, image: Image.Image, scale: int) -> Image.Image:
    prepared = model._pre_process(image, scale=scale)
    return model._post_process(model._predict(prepared, scale=scale))


def drawing(side: int = 240) -> Image.Image:
    """Discs, stripes and diagonals, with smooth edges."""
    large = Image.new("RGB", (4 * side, 4 * side), (90, 130, 170))
    draw = ImageDraw.Draw(large)
    for n in range(12):
        draw.ellipse(
            (n * 70, n * 50, n * 70 + 300, n * 50 + 200), outline=(250 - 20 * n, 20 * n, 60), width=24
        )
        draw.line((0, n * 90, 4 * side, n * 60 + 200), fill=(20 * n, 200, 250 - 20 * n), width=16)
    return large.resize((side, side), Image.Resampling.BOX)


@pytest.mark.parametrize("scale", [2, 3, 4])
def test_tiles_leave_no_seam(model: Any, scale: int) -> None:
    enlarge = inspect.getmodule(type(model)).enlarge
    luma = np.random.default_rng(5).random((70, 61), dtype=np.float32)

    whole = enlarge(model.nets[scale], luma, scale, tile=100)

    assert whole.shape == (70 * scale, 61 * scale)
    for tile in (7, 32, 64):
        difference = np.abs(enlarge(model.nets[scale], luma, scale, tile=tile).astype(int) - whole)
        assert difference.max() <= 1  # the last bit of a float may round the other way


def test_twice_as_large_is_nearer_to_the_original_than_interpolation(model: Any) -> None:
    original = drawing()
    small = original.resize((120, 120), Image.Resampling.BICUBIC)

    def error(image: Image.Image) -> float:
        """Root mean square of the luma, which is what the network enlarges, away from the edge."""
        one, other = (np.asarray(each.convert("L"), float)[8:-8, 8:-8] for each in (image, original))
        return float(np.sqrt(np.mean((one - other) ** 2)))

    assert error(enlarged(model, small, 2)) < 0.95 * error(small.resize((240, 240), Image.Resampling.BICUBIC))


@pytest.mark.parametrize("scale", [2, 3, 4])
@pytest.mark.parametrize("size", [(1, 1), (1, 9), (300, 5)])
def test_any_size_is_enlarged_exactly(model: Any, scale: int, size: tuple[int, int]) -> None:
    answer = enlarged(model, Image.new("RGB", size, (200, 30, 60)), scale)

    assert answer.size == (size[0] * scale, size[1] * scale)
    assert (
        np.abs(np.asarray(answer, int) - (200, 30, 60)).max() <= 40
    )  # the network darkens the outermost pixels


def test_transparency_is_kept(model: Any) -> None:
    image = drawing(40).convert("RGBA")
    image.paste((0, 0, 0, 0), (0, 0, 20, 40))

    alpha = np.asarray(enlarged(model, image, 2).getchannel("A"))

    assert (alpha[:, :34] == 0).all()
    assert (alpha[:, 46:] == 255).all()


def test_a_grey_picture_stays_grey(model: Any) -> None:
    answer = np.asarray(enlarged(model, drawing(40).convert("L").convert("RGB"), 3), int)

    assert np.ptp(answer, axis=2).max() == 0


def test_an_answer_that_would_be_too_large_is_refused_not_shrunk(model: Any) -> None:
    image = Image.new("RGB", (4000, 2000))

    with pytest.raises(TooLarge, match=r"4 times 4000×2000 is 16000×8000") as refusal:
        model._pre_process(image, scale=4)

    assert "smaller scale" in refusal.value.hint
    model._pre_process(image, scale=2)
