"""Pictures that are answered: PNG files that hold them pixel by pixel."""

from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image

from maxfw.tasks.image_to_image import png


@pytest.mark.parametrize("mode", ["L", "RGB", "RGBA", "1", "P", "LA"])
@pytest.mark.parametrize("size", [(1, 1), (3, 1), (1, 3), (61, 47)])
def test_a_picture_of_any_mode_and_size_comes_back_from_its_png(mode: str, size: tuple[int, int]) -> None:
    noise = np.random.default_rng(1).integers(0, 256, (size[1], size[0], 4), dtype=np.uint8)
    picture = Image.fromarray(noise).convert(mode)

    with Image.open(io.BytesIO(png(picture))) as back:
        assert back.format == "PNG"
        assert back.size == size
        assert (np.asarray(back.convert("RGBA")) == np.asarray(picture.convert("RGBA"))).all()
