"""Uploaded bytes → a PIL image or a waveform, bounded in bytes, pixels, seconds and formats.

Nothing that a stranger sends is decoded before its size is known to be within the limits of the settings, and
nothing that cannot be decoded raises anything but a `RequestError`.
"""

from __future__ import annotations

import contextlib
import io
import re
import struct
from itertools import islice
from typing import TYPE_CHECKING, Any

import numpy as np
from PIL import Image

from maxfw.errors import BadInput, MissingExtra, RequestError, TooLarge, UnsupportedMedia
from maxfw.pixel_gate import PixelGate
from maxfw.settings import Settings

if TYPE_CHECKING:
    import soundfile
    import soxr

IMAGE_FORMATS = ("JPEG", "PNG", "WebP", "GIF", "BMP", "TIFF")
AUDIO_FORMATS = ("WAV", "FLAC", "Ogg", "MP3", "AIFF", "AU")
MAX_SIDE = (
    65_535  # pixels, as in JPEG: a WebP of 200 bytes that claims wider rows keeps Pillow busy for seconds
)
# Of a JPEG, pictures embedded in it included: each scan of 14 bytes is a pass over all pixels; usual are 10.
MAX_SCANS = 32
_SCAN = re.compile(b"\xff\xda")  # an expression finds it faster than bytes.count
MIN_RATE, MAX_RATE = 1_000, 384_000  # Hz
MAX_CHANNELS = 8

_IMAGE_HINT = "send the file itself, e.g. curl -F {field}=@cat.jpg"
_AUDIO_HINT = "send the file itself, e.g. curl -F audio=@clip.wav"

# What a file is, by its first bytes: (offset, bytes, name). For telling what came, and for refusing it unopened.
_SIGNATURES = (
    (0, b"\xff\xd8\xff", "JPEG"),
    (0, b"\x89PNG\r\n\x1a\n", "PNG"),
    (8, b"WEBP", "WebP"),
    (0, b"GIF8", "GIF"),
    (0, b"BM", "BMP"),
    (0, b"II*\0", "TIFF"),
    (0, b"MM\0*", "TIFF"),
    (0, b"II+\0", "TIFF"),
    (0, b"MM\0+", "TIFF"),
    (8, b"WAVE", "WAV"),
    (0, b"fLaC", "FLAC"),
    (0, b"OggS", "Ogg"),
    (0, b"ID3", "MP3"),
    (8, b"AIFF", "AIFF"),
    (8, b"AIFC", "AIFF"),
    (0, b".snd", "AU"),
    (0, b"%PDF", "PDF"),
    (0, b"%!PS", "EPS"),
    (0, b"\xc5\xd0\xd3\xc6", "EPS"),
    (0, b"<svg", "SVG"),
    (0, b"<?xml", "XML or SVG"),
    (0, b"\0\0\1\0", "ICO"),
    (0, b"icns", "ICNS"),
    (0, b"8BPS", "Photoshop"),
    (0, b"\0\0\0\x0cjP  ", "JPEG 2000"),
    (0, b"\xff\x4f\xff\x51", "JPEG 2000"),
    (0, b"\0\0\0\x0cJXL ", "JPEG XL"),
    (0, b"\xff\x0a", "JPEG XL"),
    (4, b"ftypavi", "AVIF"),
    (4, b"ftyphei", "HEIC"),
    (4, b"ftyphev", "HEIC"),
    (4, b"ftypmif1", "HEIC"),
    (4, b"ftyp", "MP4"),
    (0, b"\x1a\x45\xdf\xa3", "WebM"),
    (0, b"PK\x03\x04", "ZIP"),
    (0, b"\x1f\x8b", "gzip"),
)


def recognise(blob: bytes) -> str | None:
    """The name of the format that a file begins like, or None."""
    head = bytes(blob[:16])
    for offset, signature, name in _SIGNATURES:
        if head.startswith(signature, offset):
            return name
    if (
        len(head) > 1 and head[0] == 0xFF and head[1] & 0xE6 == 0xE2
    ):  # the sync word of an MPEG layer III frame
        return "MP3"
    return None


def _check_file(blob: bytes, megabytes: float, formats: tuple[str, ...], field: str, hint: str) -> str:
    """The format of an uploaded file, which is small enough and one of `formats`."""
    if not blob:
        raise BadInput(f"field '{field}': the file is empty", hint=hint)
    if len(blob) > megabytes * 1_000_000:
        raise TooLarge(f"field '{field}': {len(blob)} bytes, at most {megabytes:g} MB are accepted")
    found = recognise(blob)
    accepted = ", ".join(formats[:-1]) + " or " + formats[-1]
    if found is None:
        raise BadInput(f"field '{field}': {len(blob)} bytes, which are no {accepted}", hint=hint)
    if found not in formats:
        raise UnsupportedMedia(f"field '{field}': {found} is not accepted", hint=f"send {accepted}")
    return found


# -------------------------------------------------------------------------------------------------------- images


def image_limits(settings: Settings) -> dict[str, Any]:
    """What `read_image` accepts, as `/model/metadata` publishes it."""
    return {
        "bytes": int(settings.max_image_mb * 1_000_000),
        "pixels": int(settings.max_image_mpx * 1_000_000),
        "formats": list(IMAGE_FORMATS),
    }


_ORIENTATION = 0x0112  # of EXIF
_UPRIGHT = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
_LYING = (5, 6, 7, 8)  # width and height are swapped


def read_image(
    blob: bytes,
    *,
    settings: Settings,
    field: str = "image",
    target: tuple[int, int] | None = None,
    keep_alpha: bool = False,
) -> Image.Image:
    """The first picture of an image file, upright, in mode RGB.

    Transparent parts are white; with `keep_alpha`, a picture that has some is in mode RGBA instead. Grey values of
    16 and 32 bits are scaled to 8. `target` (width, height) allows to decode a big JPEG at ½, ¼ or ⅛ of its size,
    but never smaller than that; use it where the picture is resized to `target` anyway.

    Raises:
        BadInput: it is empty, damaged, or no image at all.
        TooLarge: more bytes or pixels than the settings allow; found before anything is decoded.
        UnsupportedMedia: a known format that is not accepted.
    """
    hint = _IMAGE_HINT.format(field=field)
    found = _check_file(blob, settings.max_image_mb, IMAGE_FORMATS, field, hint)
    damaged = f"field '{field}': {len(blob)} bytes of {found}, damaged or cut short"
    try:
        return _decode(io.BytesIO(blob), found, settings, field, target, keep_alpha)
    except RequestError:
        raise
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        message = (
            f"field '{field}': more pixels than the {settings.max_image_mpx:g} megapixels that are accepted"
        )
        raise TooLarge(message, hint="send a smaller picture") from error
    except MemoryError as error:
        raise TooLarge(f"field '{field}': there is not enough memory to decode it") from error
    # What Pillow raises on damaged files is an open list, from struct.error to KeyError.
    except Exception as error:
        raise BadInput(damaged, hint=hint) from error


_IN_PART = "decoded in part"  # said in `Image.info`: its pixels are means of 2×2, 4×4 or 8×8 of the file's


def resized(image: Image.Image, size: tuple[int, int], *, four_samples: bool = False) -> Image.Image:
    """A picture at another (width, height), as networks like it, and fast.

    What is shrunk becomes means of the pixels that fall together, what is enlarged along a side is interpolated.
    That is nearer to the plain bilinear resizing that most networks were trained with than a filter against aliasing.
    Of a picture that was decoded in part each pixel is a mean already: less than halved, it needs no others.
    With `four_samples`, these stand for each mean down to a third, in half the time; some detectors find the same.
    """
    factors = image.width / size[0], image.height / size[1]
    if min(factors) < 1:
        return image.resize(size, Image.Resampling.BILINEAR, reducing_gap=2.0)
    if four_samples and max(factors) <= 3:
        return image.resize((2 * size[0], 2 * size[1]), Image.Resampling.NEAREST).reduce(2)
    if max(factors) < 2 and _IN_PART in image.info:
        return image.resize(size, Image.Resampling.NEAREST)
    return image.resize(size, Image.Resampling.BOX, reducing_gap=2.0)


# While a picture is decoded a pixel takes up to 16 bytes: many big ones at once would take a machine's memory.
_gate = PixelGate(100_000_000)


def holding_pictures() -> contextlib.AbstractContextManager[None]:
    """Within it the pictures that this thread reads count as being decoded until its end; for who makes them smaller."""
    return _gate.holding()


def _decode(
    file: io.BytesIO,
    found: str,
    settings: Settings,
    field: str,
    target: tuple[int, int] | None,
    keep_alpha: bool,
) -> Image.Image:
    image: Image.Image = Image.open(file, formats=[found])  # nothing else is tried, above all not EPS
    width, height = image.size
    if width < 1 or height < 1:
        raise BadInput(f"field '{field}': the picture has {width}×{height} pixels")
    if width * height > settings.max_image_mpx * 1_000_000:
        raise TooLarge(
            f"field '{field}': {width}×{height} pixels, at most {settings.max_image_mpx:g} megapixels are accepted",
            hint="send a smaller picture",
        )
    if max(width, height) > MAX_SIDE:
        raise TooLarge(f"field '{field}': {width}×{height} pixels, a side may have at most {MAX_SIDE}")
    if found == "JPEG" and next(islice(_SCAN.finditer(file.getvalue()), MAX_SCANS, None), None):
        raise TooLarge(f"field '{field}': a JPEG of more than {MAX_SCANS} scans, which are the most accepted")
    if found == "JPEG" and target is not None:
        image.draft(None, target[::-1] if _orientation(image) in _LYING else target)
        if image.size != (width, height):
            image.info[_IN_PART] = True
    with _gate.passing(image.width * image.height):
        image.load()
        orientation = _orientation(image)
        image = _with_8_bits(image, keep_alpha)
        return image.transpose(_UPRIGHT[orientation]) if orientation in _UPRIGHT else image


def _orientation(image: Image.Image) -> int:
    """1 to 8 of EXIF; 1 where there is none, or none that can be read: the picture itself may still be fine."""
    try:
        return int(image.getexif().get(_ORIENTATION, 1))
    except (SyntaxError, ValueError, TypeError, KeyError, OSError, struct.error, Warning):
        return 1


def _with_8_bits(image: Image.Image, keep_alpha: bool) -> Image.Image:
    """Any mode of Pillow → RGB, or RGBA where transparency is kept and there is some."""
    if image.mode == "I" or image.mode == "F" or image.mode.startswith("I;16"):
        return Image.fromarray(_grey_8_bits(np.asarray(image))).convert("RGB")
    if image.mode not in {"LA", "La", "PA", "RGBA", "RGBa"} and "transparency" not in image.info:
        return image if image.mode == "RGB" else image.convert("RGB")
    if image.mode == "La":
        image = image.convert("LA")
    if image.mode in {"LA", "PA"} and not keep_alpha:
        # Not by way of RGBA: grey takes a quarter of its memory.
        alpha = image.getchannel("A")
        image = image.convert("L" if image.mode == "LA" else "RGB")
    else:
        alpha = image = image.convert("RGBA")
    if keep_alpha:
        return image
    white = Image.new("L" if image.mode == "L" else "RGB", image.size, "white")
    white.paste(image, mask=alpha)
    return white if white.mode == "RGB" else white.convert("RGB")


def _grey_8_bits(grey: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    """Grey values (h, w) of 16 or 32 bits → uint8 (h, w).

    16 bits mean 0…65535. Wider values say nowhere what white is: it is the first of 1 (for floats), 255, 65535 and
    2³²−1 that is not exceeded. Values below 0 are black.
    """
    if not np.isfinite(grey).all():
        raise BadInput("the picture has values that are no numbers (NaN or infinity)")
    white = 65535.0
    if grey.dtype.kind != "u":
        whites = (1.0, 255.0, 65535.0) if grey.dtype.kind == "f" else (255.0, 65535.0)
        white = next((level for level in whites if grey.max() <= level), 2.0**32 - 1)
    return (grey.astype(np.float32) * (255 / white) + 0.5).clip(0, 255).astype(np.uint8)


# --------------------------------------------------------------------------------------------------------- sound

_BLOCK = 1 << 16  # frames that are decoded at once
_VALUES_PER_S = 192_000  # all channels together: up to this the limit in seconds holds, beyond it shrinks


def audio_limits(settings: Settings) -> dict[str, Any]:
    """What `read_audio` accepts, as `/model/metadata` publishes it."""
    return {
        "bytes": int(settings.max_audio_mb * 1_000_000),
        "seconds": settings.max_audio_s,
        "formats": list(AUDIO_FORMATS),
    }


def read_audio(
    blob: bytes, *, settings: Settings, rate: int, field: str = "audio"
) -> np.ndarray[Any, np.dtype[np.float32]]:
    """The waveform of a sound file: mono, float32 (n,), −1…1, `rate` samples a second.

    Channels are averaged.

    Raises:
        BadInput: it is empty, damaged, no sound at all, or has values that are no numbers.
        TooLarge: more bytes or seconds than the settings allow; counted while it is decoded.
        UnsupportedMedia: a format, sample rate or number of channels that is not accepted.
        MissingExtra: `maxfw[audio]` is not installed.
    """
    found = _check_file(blob, settings.max_audio_mb, AUDIO_FORMATS, field, _AUDIO_HINT)
    try:
        import soundfile
        import soxr
    except ImportError as error:
        raise MissingExtra("audio", needs=error.name or "soundfile") from error
    try:
        with soundfile.SoundFile(_Bytes(blob)) as clip:
            _check_clip(clip, field)
            resampler = soxr.ResampleStream(clip.samplerate, rate, 1, dtype="float32")
            waveform = _decode_clip(clip, resampler, settings, field)
    except (soundfile.SoundFileError, OSError, ValueError, MemoryError) as error:
        message = f"field '{field}': {len(blob)} bytes of {found}, damaged or cut short"
        raise BadInput(message, hint=_AUDIO_HINT) from error
    if not len(waveform):
        raise BadInput(f"field '{field}': the clip has no samples", hint=_AUDIO_HINT)
    return waveform


class _Bytes(io.BytesIO):
    """Damaged files send libsndfile before their start; an exception there would only be printed, by cffi."""

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        try:
            return super().seek(offset, whence)
        except ValueError:
            return -1


def _check_clip(clip: soundfile.SoundFile, field: str) -> None:
    if not MIN_RATE <= clip.samplerate <= MAX_RATE:
        raise UnsupportedMedia(
            f"field '{field}': {clip.samplerate} samples a second", hint=f"send {MIN_RATE} to {MAX_RATE} Hz"
        )
    if clip.channels > MAX_CHANNELS:
        raise UnsupportedMedia(
            f"field '{field}': {clip.channels} channels", hint=f"send at most {MAX_CHANNELS}"
        )


def _decode_clip(
    clip: soundfile.SoundFile, resampler: soxr.ResampleStream, settings: Settings, field: str
) -> np.ndarray[Any, np.dtype[np.float32]]:
    """Block by block, so that memory is bounded by the answer; the length in the header is not believed."""
    allowed = int(settings.max_audio_s * min(clip.samplerate, _VALUES_PER_S / clip.channels))
    parts: list[np.ndarray[Any, Any]] = []
    frames = 0
    while len(block := clip.read(_BLOCK, dtype="float32", always_2d=True)):
        frames += len(block)
        if frames > allowed:
            seconds = f"more than {allowed / clip.samplerate:g} seconds"
            raise TooLarge(f"field '{field}': {seconds} of {clip.channels} channels at {clip.samplerate} Hz")
        if not np.isfinite(block).all():
            raise BadInput(f"field '{field}': the clip has values that are no numbers (NaN or infinity)")
        parts.append(resampler.resample_chunk(block.clip(-1, 1).mean(axis=1)))
    parts.append(resampler.resample_chunk(np.zeros(0, np.float32), last=True))
    return np.concatenate(parts).clip(-1, 1)
