"""Tasks whose input is a picture."""

from __future__ import annotations

import io

import pytest
from PIL import Image

from maxfw.settings import Settings
from maxfw.tasks.base import Inputs, Upload
from maxfw.tasks.image_classification import ImageClassification


@pytest.mark.parametrize(
    ("size", "decode_at", "read"),
    [
        ((4000, 3000), None, (4000, 3000)),
        ((4000, 3000), (400, 300), (500, 375)),
        ((4000, 3000), (224, 224), (500, 375)),
        ((640, 480), (224, 224), (320, 240)),
        ((640, 480), (300, 300), (640, 480)),
        ((100, 80), (224, 224), (100, 80)),
    ],
)
def test_a_big_jpeg_is_decoded_at_a_part_of_its_size_but_large_enough(
    settings: Settings, size: tuple[int, int], decode_at: tuple[int, int] | None, read: tuple[int, int]
) -> None:
    jpeg = io.BytesIO()
    Image.new("RGB", size, (200, 30, 40)).save(jpeg, "JPEG")

    [picture] = ImageClassification(labels=["a"], decode_at=decode_at).read(
        Inputs(files={"image": Upload(jpeg.getvalue())}), settings
    )

    assert picture.size == read
