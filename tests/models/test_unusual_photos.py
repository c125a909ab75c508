"""Photos that are grey, made for print, lying on their side, tiny or huge, through every model that looks at pictures."""

from __future__ import annotations

import contextlib
import io

import numpy as np
import pytest
from PIL import Image

from maxfw.catalog import ModelFolder
from maxfw.contract import comparable, difference, samples_of
from maxfw.errors import RequestError
from maxfw.predictor import Predictor
from maxfw.tasks.base import Inputs, Upload

pytestmark = pytest.mark.mirror
LONGEST = 320  # pixels: what is asked here does not depend on the size
ORIENTATION = 0x0112

Asked = tuple[Predictor, Image.Image]


@pytest.fixture(scope="module")
def asked(seeing: tuple[ModelFolder, Predictor]) -> Asked:
    """A model in service, and a photo of its samples, RGB."""
    folder, made = seeing
    [sample, *_] = samples_of(folder, made.task)
    photo = Image.open(io.BytesIO(sample.inputs.files["image"].blob)).convert("RGB")
    photo.thumbnail((LONGEST, LONGEST))
    return made, photo


def sent(picture: Image.Image, kind: str, **how: object) -> Inputs:
    """A picture as an upload."""
    file = io.BytesIO()
    picture.save(file, kind, **how)
    return Inputs(files={"image": Upload(file.getvalue())})


def test_a_photo_is_seen_upright_however_it_is_stored(asked: Asked) -> None:
    model, photo = asked
    exif = Image.Exif()
    exif[ORIENTATION] = 6  # the camera was held upright: the top of the scene is on the right of the file
    lying = sent(photo.transpose(Image.Transpose.ROTATE_90), "PNG", exif=exif)

    upright, turned = model.answer(sent(photo, "PNG")), model.answer(lying)

    assert difference(comparable(upright), comparable(turned), {}) == ""


def test_a_photo_for_print_is_seen_in_its_colours(asked: Asked) -> None:
    model, photo = asked

    for_print = model.answer(sent(photo.convert("CMYK"), "TIFF"))

    assert difference(comparable(model.answer(sent(photo, "PNG"))), comparable(for_print), {}) == ""


@pytest.mark.parametrize("mode", ["L", "I;16"])
def test_a_grey_photo_is_seen_like_one_of_three_equal_colours(asked: Asked, mode: str) -> None:
    model, photo = asked
    grey = photo.convert("L")
    stored = grey if mode == "L" else Image.fromarray(np.asarray(grey).astype(np.uint16) * 257)

    answer = model.answer(sent(stored, "PNG"))

    expected = model.answer(sent(grey.convert("RGB"), "PNG"))
    assert difference(comparable(expected), comparable(answer), {}) == ""


@pytest.mark.parametrize("size", [(1, 1), (8, 8), (1, 300), (300, 1)])
def test_a_tiny_photo_is_answered_or_refused(asked: Asked, size: tuple[int, int]) -> None:
    model, photo = asked
    with contextlib.suppress(RequestError):
        model.task.encode(model.answer(sent(photo.resize(size), "PNG")))


@pytest.mark.long
def test_a_photo_of_thirty_megapixels_is_answered_or_refused(asked: Asked) -> None:
    model, photo = asked
    with contextlib.suppress(RequestError):
        model.task.encode(model.answer(sent(photo.resize((6400, 4800)), "JPEG")))
