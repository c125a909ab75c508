"""Functions on images: bytes, PIL images and arrays in, PIL images and arrays out.

The names, arguments and error texts are those of 2019. What crashed or computed wrongly then does not now:
grey, palette, 1-bit and 16-bit files, CMYK colours, turned photos, and `normalize`.
"""

from __future__ import annotations

import io
import numbers
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageEnhance, ImageOps

Array = npt.NDArray[Any]

# Phrases of error texts that callers look for.
NOT_BYTES_OR_NDARRAY = "pic should be bytes or ndarray"
UNREADABLE_BYTES = "is not suitable for the Pillow library"
WRONG_DIMENSIONS = "pic should be 2 or 3 dimensional"

TARGET_MODES = ("1", "L", "LA", "P", "RGB", "RGBA", "CMYK", "YCbCr", "LAB", "HSV", "I", "F", "RGBX")

# dtype of an array with one channel → the mode that holds its values.
SINGLE_CHANNEL_MODES = {"uint8": "L", "int16": "I;16", "uint16": "I;16", "int32": "I", "float32": "F"}
# Number of channels → the modes that uint8 values may mean; the first is assumed.
CHANNEL_MODES = {2: ("LA",), 3: ("RGB", "YCbCr", "HSV"), 4: ("RGBA", "CMYK", "RGBX")}


def to_pil_image(pic: Any, target_mode: str | int, mode: str | None = None) -> Image.Image:
    """An image in `target_mode`, from an encoded file (bytes) or an array of shape (h, w) or (h, w, channels).

    `mode` says what the values mean where their number and dtype leave a choice; a file usually knows itself.
    A file's orientation tag is applied, its transparency kept where the target has room for it.

    Raises:
        TypeError: `pic` is neither bytes nor an array, no image, or of a dtype that no mode holds.
        ValueError: wrong number of dimensions or channels, or a mode that does not fit.
    """
    if not isinstance(pic, bytes | bytearray | np.ndarray):
        raise TypeError(f"{NOT_BYTES_OR_NDARRAY}. Got {type(pic)}.")
    target = str(target_mode)  # 1 meant "1" in 2019
    if target not in TARGET_MODES:
        raise ValueError(f"invalid target_mode: {target_mode!r}; one of {', '.join(TARGET_MODES)}")
    if isinstance(pic, np.ndarray):
        return _from_array(pic, mode).convert(target)
    img = _from_file(pic, keep_depth=target in ("I", "F"))
    if mode is not None and mode != img.mode:
        img = _from_array(np.asarray(img), mode)
    return img.convert(target)


def _from_file(encoded: bytes | bytearray, *, keep_depth: bool) -> Image.Image:
    """The upright picture of an image file, in a mode that converts to every other.

    With `keep_depth`, 16-bit values stay 0…65535; otherwise they become 0…255.
    """
    try:
        opened = Image.open(io.BytesIO(encoded))
        opened.load()
        img: Image.Image = ImageOps.exif_transpose(opened)
    except Exception as error:  # Pillow's readers raise whatever their format makes them stumble over
        raise TypeError(
            f"The input bytes object {UNREADABLE_BYTES}. Check the input again. "
            f"({len(encoded)} bytes: {type(error).__name__})"
        ) from error
    if img.mode in ("P", "PA"):
        return img.convert("RGBA" if img.mode == "PA" or "transparency" in img.info else "RGB")
    if img.mode.startswith("I;16") or (img.mode == "I" and opened.format == "PNG"):
        return img if keep_depth else _to_eight_bits(img)
    return img


def _to_eight_bits(img: Image.Image) -> Image.Image:
    """0…65535 → 0…255; Pillow's own conversion would make everything above 255 white."""
    return Image.fromarray(np.round(np.asarray(img, dtype=np.float64) / 257).astype(np.uint8))


def _from_array(array: Array, mode: str | None) -> Image.Image:
    if array.ndim not in (2, 3):
        raise ValueError(f"{WRONG_DIMENSIONS}. Got {array.ndim} dimensions.")
    if array.dtype == np.bool_:
        array = array.astype(np.uint8) * 255
    if array.ndim == 2 or array.shape[2] == 1:
        return _from_single_channel(array.reshape(array.shape[:2]), mode)
    channels = array.shape[2]
    if channels not in CHANNEL_MODES:
        raise ValueError(f"pic should have 1 to 4 channels. Got {channels} channels.")
    permitted = CHANNEL_MODES[channels]
    if mode is not None and mode not in permitted:
        raise ValueError(f"Only modes {list(permitted)} are supported for {channels}D inputs")
    if array.dtype != np.uint8:
        raise TypeError(f"Input type {array.dtype} is not supported")
    return Image.frombytes(mode or permitted[0], array.shape[1::-1], array.tobytes())


def _from_single_channel(array: Array, mode: str | None) -> Image.Image:
    expected = SINGLE_CHANNEL_MODES.get(array.dtype.name)
    if expected is None:
        raise TypeError(f"Input type {array.dtype} is not supported")
    if mode is not None and mode != expected:
        raise ValueError(
            f"Incorrect mode ({mode}) supplied for input type {array.dtype}. Should be {expected}"
        )
    return Image.frombytes(expected, array.shape[::-1], array.astype(array.dtype.newbyteorder("<")).tobytes())


def pil_to_array(pic: Image.Image) -> Array:
    """The values of an image, shape (h, w) or (h, w, channels)."""
    if not isinstance(pic, Image.Image):
        raise TypeError("The input image for `PILtoarray` is not a PIL Image object.")
    return np.array(pic)


def normalize(img: Image.Image | Array) -> Array:
    """The values moved and scaled to 0…1, float; all 0 where they are all the same."""
    values = np.asarray(img)
    if not np.issubdtype(values.dtype, np.floating):
        values = values.astype(np.float64)
    lowest = np.min(values)
    span = np.max(values) - lowest
    return (values - lowest) / span if span else np.zeros_like(values)


def standardize(img: Image.Image | Array, mean: Any = None, std: Any = None) -> Array:
    """The values less their mean, divided by their standard deviation, float64; by channel.

    `mean` and `std` are one number, or one for each channel; they are computed where they are not given.
    Where the deviation is 0, the mean is subtracted and nothing divided.
    """
    values = np.asarray(img).astype(np.float64)
    channels = values.shape[2] if values.ndim == 3 else 1
    if channels > 3:
        raise ValueError(
            f"An image with more than 3 channels ({channels} here), e.g. `RGBA`, must be converted to an image with "
            "3 or fewer channels (e.g. `RGB` or `L`) before it can be standardized correctly."
        )
    centre = np.mean(values, axis=(0, 1)) if mean is None else _by_channel("mean", mean, channels)
    spread = np.std(values, axis=(0, 1)) if std is None else _by_channel("std", std, channels)
    if values.ndim == 2:
        centre, spread = np.reshape(centre, -1)[0], np.reshape(spread, -1)[0]
    standardized: Array = (values - centre) / np.where(spread == 0, 1, spread)
    return standardized


def _by_channel(name: str, given: Any, channels: int) -> Array:
    """One float64 for each channel, from a number or as many numbers as there are channels."""
    if isinstance(given, numbers.Real) or (isinstance(given, np.ndarray) and given.ndim == 0):
        return np.full(channels, float(given))
    if isinstance(given, str) or not isinstance(given, Sequence | np.ndarray):
        raise TypeError(
            f"`{name}` should either be a number or an n-dimensional vector of numbers with n equal to the number of "
            f"image channels. Got {type(given)}."
        )
    if not all(isinstance(number, numbers.Real) for number in given):
        raise ValueError(f"The sequence `{name}` can only contain numbers.")
    if len(given) != channels:
        raise ValueError(
            f"The size of the `{name}` array must correspond to the number of channels in the image. "
            f"Got {len(given)} for {channels}."
        )
    return np.array(given, dtype=np.float64)


def resize(
    img: Image.Image, size: int | Sequence[int], interpolation: int = Image.Resampling.BILINEAR
) -> Image.Image:
    """The image at `size`: the pixels of its shorter side, or (height, width)."""
    _check_image(img)
    if isinstance(size, numbers.Integral):
        return _resize_short_side(img, int(size), interpolation)
    if not isinstance(size, Iterable) or len(size) != 2:
        raise TypeError(f"Got inappropriate size arg: {size}")
    height, width = size
    return img.resize((int(width), int(height)), Image.Resampling(interpolation))


def _resize_short_side(img: Image.Image, short: int, interpolation: int) -> Image.Image:
    width, height = img.size
    if min(width, height) == short:
        return img
    if width < height:
        new_size = (short, int(short * height / width))
    else:
        new_size = (int(short * width / height), short)
    return img.resize(new_size, Image.Resampling(interpolation))


def crop(img: Image.Image, i: int, j: int, h: int, w: int) -> Image.Image:
    """The part of `h` rows and `w` columns whose upper left corner is row `i`, column `j`."""
    _check_image(img)
    return img.crop((j, i, j + w, i + h))


def center_crop(img: Image.Image, output_size: float | Sequence[int]) -> Image.Image:
    """The middle of the image: a square of side `output_size`, or (height, width)."""
    _check_image(img)
    if isinstance(output_size, Sequence | np.ndarray):
        height, width = output_size
    else:
        height = width = int(output_size)
    top = round((img.height - height) / 2)
    left = round((img.width - width) / 2)
    return crop(img, top, left, height, width)


def resized_crop(
    img: Image.Image,
    i: int,
    j: int,
    h: int,
    w: int,
    size: int | Sequence[int],
    interpolation: int = Image.Resampling.BILINEAR,
) -> Image.Image:
    """`crop`, then `resize`."""
    return resize(crop(img, i, j, h, w), size, interpolation)


def hflip(img: Image.Image) -> Image.Image:
    """The image with left and right exchanged."""
    _check_image(img)
    return img.transpose(Image.Transpose.FLIP_LEFT_RIGHT)


def vflip(img: Image.Image) -> Image.Image:
    """The image with top and bottom exchanged."""
    _check_image(img)
    return img.transpose(Image.Transpose.FLIP_TOP_BOTTOM)


def adjust_brightness(img: Image.Image, brightness_factor: float) -> Image.Image:
    """0 gives a black image, 1 the image itself, 2 twice the brightness."""
    _check_image(img)
    return ImageEnhance.Brightness(img).enhance(brightness_factor)


def adjust_contrast(img: Image.Image, contrast_factor: float) -> Image.Image:
    """0 gives a grey image, 1 the image itself, 2 twice the contrast."""
    _check_image(img)
    return ImageEnhance.Contrast(img).enhance(contrast_factor)


def adjust_saturation(img: Image.Image, saturation_factor: float) -> Image.Image:
    """0 gives a black and white image, 1 the image itself, 2 twice the saturation."""
    _check_image(img)
    return ImageEnhance.Color(img).enhance(saturation_factor)


def adjust_hue(img: Image.Image, hue_factor: float) -> Image.Image:
    """The hues turned by `hue_factor` of the colour circle, -0.5…0.5; images without colour as they are."""
    if not -0.5 <= hue_factor <= 0.5:
        raise ValueError(f"hue_factor - {hue_factor} is not in [-0.5, 0.5].")
    _check_image(img)
    if img.mode in ("1", "L", "LA", "I", "I;16", "F"):
        return img
    hue, saturation, value = img.convert("HSV").split()
    # The circle has 256 steps: going below 0 comes out at the top.
    turned = (np.asarray(hue, dtype=np.int16) + int(hue_factor * 255)) % 256
    merged = Image.merge("HSV", (Image.fromarray(turned.astype(np.uint8)), saturation, value))
    return merged.convert("RGB").convert(img.mode)


def adjust_gamma(img: Image.Image, gamma: float, gain: float = 1) -> Image.Image:
    """Each value v of 0…255 becomes 255 · gain · (v / 255)^gamma; above 1 darkens the shadows."""
    _check_image(img)
    if gamma < 0:
        raise ValueError("Gamma should be a non-negative real number")
    curve = np.clip(255 * gain * (np.arange(256) / 255) ** gamma, 0, 255).round().astype(int).tolist()
    return img.convert("RGB").point(curve * 3).convert(img.mode)


def rotate(
    img: Image.Image,
    angle: float,
    resample: int = False,
    expand: bool = False,
    center: tuple[float, float] | None = None,
) -> Image.Image:
    """The image turned counter-clockwise by `angle` degrees; with `expand`, large enough to hold all of it."""
    if not isinstance(angle, int | float | np.number):
        raise ValueError(f"The angle must be either a float or int. Got {angle!r}.")
    _check_image(img)
    return img.rotate(float(angle), Image.Resampling(int(resample)), expand, center)


def to_grayscale(img: Image.Image, num_output_channels: int = 1) -> Image.Image:
    """The grey of the image in 1, 3 (r = g = b) or 4 (r = g = b = a) equal channels."""
    _check_image(img)
    if num_output_channels not in (1, 3, 4):
        raise ValueError(f"num_output_channels should be either 1, 3 or 4. Got {num_output_channels!r}.")
    grey = img.convert("L")
    if num_output_channels == 1:
        return grey
    return Image.merge("RGB" if num_output_channels == 3 else "RGBA", [grey] * num_output_channels)


def _check_image(img: Any) -> None:
    if not isinstance(img, Image.Image):
        raise TypeError(f"img should be PIL Image. Got {type(img)}")
