"""A drawing shows the picture that the model saw."""

from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image

from maxfw.drawing.base import picture_of
from maxfw.drawing.image_to_image import draw
from maxfw.settings import Settings
from maxfw.tasks.base import Inputs, Upload
from maxfw.tasks.image_classification import ImageClassification
from maxfw.tasks.image_to_image import ImageToImageAnswer, png

RAMP = np.linspace(0, 1, 48).reshape(6, 8)


def sent(picture: Image.Image, kind: str = "PNG", **options: object) -> Inputs:
    """A picture as it is uploaded."""
    file = io.BytesIO()
    picture.save(file, kind, **options)
    return Inputs(files={"image": Upload(file.getvalue())})


def turned() -> Inputs:
    """A photo on its side, which EXIF says."""
    exif = Image.Exif()
    exif[0x0112] = 6
    return sent(Image.fromarray((RAMP * 255).astype(np.uint8)), "JPEG", exif=exif)


def hidden() -> Image.Image:
    """Red that is wholly transparent."""
    return Image.new("RGBA", (8, 6), (255, 0, 0, 0))


@pytest.mark.parametrize(
    "inputs",
    [
        sent(Image.fromarray((RAMP * 65535).astype(np.uint16))),
        sent(Image.fromarray(RAMP.astype(np.float32)), "TIFF"),
        sent(Image.fromarray((RAMP * 255).astype(np.uint8)).convert("LA")),
        sent(hidden()),
        turned(),
    ],
    ids=["16 bits", "float", "grey with alpha", "transparent", "on its side"],
)
def test_it_is_the_picture_that_the_model_saw(inputs: Inputs) -> None:
    [seen] = ImageClassification().read(inputs, Settings())

    assert np.array_equal(np.asarray(picture_of(inputs)), np.asarray(seen))


def test_an_operators_limits_are_none_of_its_own() -> None:
    assert picture_of(sent(Image.new("L", (8000, 7000)))).size == (8000, 7000)


def test_colours_behind_transparency_stay_hidden() -> None:
    answer = ImageToImageAnswer(image=png(hidden()), image_size=[8, 6])

    assert np.asarray(draw(sent(hidden()), answer)).min() == 255
