"""Image transforms to put in a row: `ImageProcessor([ToPILImage("RGB"), Resize((224, 224)), Normalize()])`."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from PIL import Image

from maxfw.utils import image_functions as F  # noqa: N812

__all__ = [
    "Grayscale",
    "ImageProcessor",
    "Normalize",
    "PILtoarray",
    "Resize",
    "Rotate",
    "Standardize",
    "ToPILImage",
]


class ImageProcessor:
    """Applies transforms one after the other.

    >>> ImageProcessor([Rotate(150), Resize([100, 100])]).apply_transforms(img)
    """

    def __init__(self, transforms: Sequence[Callable[[Any], Any]] = ()) -> None:
        assert isinstance(transforms, Sequence), f"transforms should be a sequence. Got {type(transforms)}"
        self.transforms = list(transforms)

    def apply_transforms(self, img: Any) -> Any:
        """What the last transform makes of `img` (bytes, PIL image or array, as the first one takes it).

        Raises:
            ValueError: `Normalize` or `Standardize` is not the last transform.
        """
        for transform in self.transforms[:-1]:
            if isinstance(transform, Normalize | Standardize):
                raise ValueError(
                    "A Standardize or Normalize transformation can only be positioned at the end of the pipeline: "
                    f"{type(transform).__name__} is followed by another."
                )
        for transform in self.transforms:
            img = transform(img)
        return img


class ToPILImage:
    """Bytes of an image file, or an array → PIL image in `target_mode`; `mode` is that of an array's values."""

    def __init__(self, target_mode: str, mode: str | None = None) -> None:
        self.target_mode = target_mode
        self.mode = mode

    def __call__(self, pic: Any) -> Image.Image:
        return F.to_pil_image(pic, self.target_mode, self.mode)


class PILtoarray:
    """PIL image → array of shape (h, w) or (h, w, channels)."""

    def __call__(self, pic: Image.Image) -> F.Array:
        return F.pil_to_array(pic)


class Normalize:
    """PIL image or array → array of values 0…1."""

    def __call__(self, img: Image.Image | F.Array) -> F.Array:
        return F.normalize(img)


class Standardize:
    """PIL image or array → array with mean 0 and deviation 1 by channel, or by the numbers given."""

    def __init__(self, mean: Any = None, std: Any = None) -> None:
        self.mean = mean
        self.std = std

    def __call__(self, img: Image.Image | F.Array) -> F.Array:
        return F.standardize(img, self.mean, self.std)


class Resize:
    """PIL image → PIL image whose shorter side has `size` pixels, or of `size` (height, width)."""

    def __init__(self, size: int | Sequence[int], interpolation: int = Image.Resampling.BILINEAR) -> None:
        one_number = isinstance(size, int | np.integer)
        assert one_number or (isinstance(size, Sequence | np.ndarray) and len(size) == 2), (
            f"size should be a number of pixels or (height, width). Got {size!r}"
        )
        self.size = size
        self.interpolation = interpolation

    def __call__(self, img: Image.Image) -> Image.Image:
        return F.resize(img, self.size, self.interpolation)


class Rotate:
    """PIL image → PIL image turned counter-clockwise by `angle` degrees."""

    def __init__(self, angle: float) -> None:
        self.angle = angle

    def __call__(self, img: Image.Image) -> Image.Image:
        return F.rotate(img, self.angle)


class Grayscale:
    """PIL image → its grey, in 1, 3 or 4 equal channels."""

    def __init__(self, num_output_channels: int = 1) -> None:
        self.num_output_channels = num_output_channels

    def __call__(self, img: Image.Image) -> Image.Image:
        return F.to_grayscale(img, self.num_output_channels)
