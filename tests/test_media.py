"""Uploaded bytes → images and waveforms: what odd files become, and how hostile ones are refused."""

from __future__ import annotations

import contextlib
import io
import queue
import random
import struct
import subprocess
import sys
import threading
import warnings
import zlib
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from PIL import Image

from maxfw import media
from maxfw.errors import BadInput, MissingExtra, RequestError, TooLarge, UnsupportedMedia
from maxfw.media import read_audio, read_image, resized
from maxfw.pixel_gate import PixelGate
from maxfw.settings import Settings

SETTINGS = Settings()
RED, GREEN, BLUE, WHITE, BLACK = (255, 0, 0), (0, 255, 0), (0, 0, 255), (255, 255, 255), (0, 0, 0)


def encoded(image: Image.Image, format: str, **options: object) -> bytes:
    file = io.BytesIO()
    image.save(file, format, **options)
    return file.getvalue()


def png(width: int, height: int, body: bytes = b"") -> bytes:
    """A PNG that claims a size, whatever its pixels are."""

    def chunk(kind: bytes, content: bytes) -> bytes:
        return (
            struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))
        )

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", header)
        + chunk(b"IDAT", zlib.compress(body))
        + chunk(b"IEND", b"")
    )


def scene(width: int = 64, height: int = 48) -> Image.Image:
    """Red left, blue right, a green stripe on top."""
    image = Image.new("RGB", (width, height), RED)
    image.paste(BLUE, (width // 2, 0, width, height))
    image.paste(GREEN, (0, 0, width, height // 4))
    return image


def near(color: tuple[int, ...], wanted: tuple[int, ...], by: int = 3) -> bool:
    return len(color) == len(wanted) and all(abs(a - b) <= by for a, b in zip(color, wanted, strict=True))


# -------------------------------------------------------------------------------------------- a table of odd pictures


def palette_with_a_hole() -> Image.Image:
    image = Image.new("P", (4, 4), 1)
    image.putpalette([0, 0, 0, 255, 0, 0])
    image.putpixel((0, 0), 0)
    return image


def frames(*colors: tuple[int, int, int]) -> list[Image.Image]:
    return [Image.new("RGB", (4, 4), color) for color in colors]


def animated(format: str, **options: object) -> bytes:
    first, *others = frames(RED, GREEN, BLUE)
    return encoded(first, format, save_all=True, append_images=others, **options)


def grey(values: object, dtype: type, format: str) -> bytes:
    return encoded(Image.fromarray(np.full((4, 4), values, dtype)), format)


# name → (file, size, the pixel at the lower right)
ODD_PICTURES = {
    "one pixel": (encoded(Image.new("RGB", (1, 1), RED), "PNG"), (1, 1), RED),
    "black and white": (encoded(Image.new("1", (4, 4), 1), "PNG"), (4, 4), WHITE),
    "grey JPEG": (encoded(Image.new("L", (4, 4), 100), "JPEG"), (4, 4), (100, 100, 100)),
    "grey + half transparent": (encoded(Image.new("LA", (4, 4), (0, 127)), "PNG"), (4, 4), (128, 128, 128)),
    "grey + one transparent value": (
        encoded(Image.new("L", (4, 4), 7), "PNG", transparency=7),
        (4, 4),
        WHITE,
    ),
    "fully transparent": (encoded(Image.new("RGBA", (4, 4), (9, 9, 9, 0)), "PNG"), (4, 4), WHITE),
    "opaque alpha": (encoded(Image.new("RGBA", (4, 4), (*RED, 255)), "WebP", lossless=True), (4, 4), RED),
    "one transparent colour": (
        encoded(Image.new("RGB", (4, 4), RED), "PNG", transparency=RED),
        (4, 4),
        WHITE,
    ),
    "palette": (encoded(palette_with_a_hole(), "PNG"), (4, 4), RED),
    "palette + transparency": (encoded(palette_with_a_hole(), "PNG", transparency=1), (4, 4), WHITE),
    "palette GIF": (encoded(palette_with_a_hole(), "GIF"), (4, 4), RED),
    "palette BMP": (encoded(palette_with_a_hole(), "BMP"), (4, 4), RED),
    "16-bit grey PNG": (grey(32768, np.uint16, "PNG"), (4, 4), (128, 128, 128)),
    "16-bit white TIFF": (grey(65535, np.uint16, "TIFF"), (4, 4), WHITE),
    "32-bit grey TIFF of 16-bit values": (grey(40_000, np.int32, "TIFF"), (4, 4), (156, 156, 156)),
    "32-bit grey TIFF of 8-bit values": (grey(200, np.int32, "TIFF"), (4, 4), (200, 200, 200)),
    "32-bit grey TIFF below black": (grey(-5, np.int32, "TIFF"), (4, 4), BLACK),
    "float TIFF of 0…1": (grey(0.5, np.float32, "TIFF"), (4, 4), (128, 128, 128)),
    "float TIFF of 0…255": (grey(200, np.float32, "TIFF"), (4, 4), (200, 200, 200)),
    "CMYK JPEG (Adobe, inverted)": (
        encoded(Image.new("CMYK", (4, 4), (0, 255, 255, 0)), "JPEG"),
        (4, 4),
        RED,
    ),
    "CMYK TIFF": (encoded(Image.new("CMYK", (4, 4), (255, 0, 255, 0)), "TIFF"), (4, 4), GREEN),
    "Lab TIFF": (encoded(Image.new("LAB", (4, 4), (255, 128, 128)), "TIFF"), (4, 4), WHITE),
    "YCbCr TIFF": (encoded(Image.new("YCbCr", (4, 4), (255, 128, 128)), "TIFF"), (4, 4), WHITE),
    "animated GIF": (animated("GIF"), (4, 4), RED),
    "animated WebP": (animated("WebP", lossless=True), (4, 4), RED),
    "animated PNG": (animated("PNG"), (4, 4), RED),
    "TIFF of three pages": (animated("TIFF"), (4, 4), RED),
    "BigTIFF": (encoded(scene(), "TIFF", big_tiff=True), (64, 48), BLUE),
    "very wide": (encoded(Image.new("RGB", (60_000, 1), RED), "PNG"), (60_000, 1), RED),
}


@pytest.mark.parametrize("name", ODD_PICTURES)
def test_an_odd_picture_has_the_right_size_and_colour(name: str) -> None:
    blob, size, color = ODD_PICTURES[name]

    image = read_image(blob, settings=SETTINGS)

    assert image.mode == "RGB"
    assert image.size == size
    assert near(image.getpixel((size[0] - 1, size[1] - 1)), color)


@pytest.mark.parametrize(
    "name", ["grey + half transparent", "palette + transparency", "one transparent colour"]
)
def test_transparency_is_kept_on_demand(name: str) -> None:
    image = read_image(ODD_PICTURES[name][0], settings=SETTINGS, keep_alpha=True)

    assert image.mode == "RGBA"
    assert image.getpixel((3, 3))[3] < 255


def test_a_picture_without_transparency_is_rgb_even_if_transparency_is_kept() -> None:
    assert read_image(encoded(scene(), "PNG"), settings=SETTINGS, keep_alpha=True).mode == "RGB"


@pytest.mark.parametrize("format", ["JPEG", "PNG", "WebP", "TIFF"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_a_picture_is_turned_upright(format: str, orientation: int) -> None:
    turned_by = {  # how the camera lay when it wrote the tag: the inverse of what must be done
        2: Image.Transpose.FLIP_LEFT_RIGHT,
        3: Image.Transpose.ROTATE_180,
        4: Image.Transpose.FLIP_TOP_BOTTOM,
        5: Image.Transpose.TRANSPOSE,
        6: Image.Transpose.ROTATE_90,
        7: Image.Transpose.TRANSVERSE,
        8: Image.Transpose.ROTATE_270,
    }
    stored = scene() if orientation == 1 else scene().transpose(turned_by[orientation])
    exif = Image.Exif()
    exif[0x0112] = orientation

    image = read_image(encoded(stored, format, exif=exif), settings=SETTINGS)

    assert image.size == (64, 48)
    corners = [image.getpixel(xy) for xy in [(8, 40), (56, 40), (32, 4)]]
    assert all(near(color, wanted, 12) for color, wanted in zip(corners, (RED, BLUE, GREEN), strict=True))


@pytest.mark.filterwarnings("ignore:Corrupt EXIF data", "ignore:Possibly corrupt EXIF data")
@pytest.mark.parametrize("exif", [b"Exif\0\0garbage", b"Exif\0\0II*\0\xff\xff\xff\xff", b"Exif\0\0"])
def test_a_picture_with_broken_exif_is_still_read(exif: bytes) -> None:
    assert read_image(encoded(scene(), "JPEG", exif=exif), settings=SETTINGS).size == (64, 48)


# ------------------------------------------------------------------------------------------------ what is refused


REFUSED = {
    "empty": (b"", BadInput, "the file is empty"),
    "text": (b"just words", BadInput, "10 bytes, which are no JPEG, PNG, WebP, GIF, BMP or TIFF"),
    "HTML": (b"<!DOCTYPE html><p>404", BadInput, "which are no"),
    "a name instead of a file": (b"dog.jpg", BadInput, "which are no"),
    "UTF-16 text": ("dog".encode("utf-16"), BadInput, "which are no"),
    "a magic number alone": (b"\xff\xd8\xff", BadInput, "3 bytes of JPEG, damaged"),
    "cut PNG": (encoded(scene(), "PNG")[:-40], BadInput, "damaged or cut short"),
    "cut JPEG": (encoded(scene(), "JPEG")[:400], BadInput, "damaged or cut short"),
    "cut GIF": (encoded(scene(), "GIF")[:-40], BadInput, "damaged or cut short"),
    "cut TIFF": (encoded(scene(), "TIFF")[:400], BadInput, "damaged or cut short"),
    "no width": (png(0, 5), BadInput, "0×5|damaged"),
    "PNG bomb": (png(65_500, 65_500), TooLarge, "megapixels"),
    "PNG beyond our limit, within Pillow's": (png(10_000, 6_000), TooLarge, "10000×6000 pixels, at most 50"),
    "PNG at Pillow's warning": (png(10_000, 10_000), TooLarge, "megapixels"),
    "rows that are too wide": (png(65_536, 1), TooLarge, "a side may have at most 65535"),
    "NaN picture": (grey(np.nan, np.float32, "TIFF"), BadInput, "no numbers"),
    "EPS": (
        b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\nshowpage",
        UnsupportedMedia,
        "EPS is not accepted",
    ),
    "PDF": (b"%PDF-1.7\n", UnsupportedMedia, "PDF is not accepted"),
    "SVG": (b'<svg xmlns="http://www.w3.org/2000/svg"/>', UnsupportedMedia, "SVG is not accepted"),
    "HEIC": (b"\0\0\0\x18ftypheic\0\0\0\0", UnsupportedMedia, "HEIC is not accepted"),
    "AVIF": (encoded(scene(), "AVIF"), UnsupportedMedia, "AVIF is not accepted"),
    "ICO": (encoded(scene(), "ICO"), UnsupportedMedia, "ICO is not accepted"),
    "JPEG 2000": (encoded(scene(), "JPEG2000"), UnsupportedMedia, "JPEG 2000 is not accepted"),
    "a sound": (b"RIFF\0\0\0\0WAVEfmt ", UnsupportedMedia, "WAV is not accepted"),
    "a WebP that is a RIFF of nothing": (b"RIFF\x04\0\0\0WEBP", BadInput, "damaged"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_a_file_that_is_no_picture_for_us_is_refused_with_a_reason(name: str) -> None:
    blob, kind, reason = REFUSED[name]

    with pytest.raises(kind, match=reason) as refused:
        read_image(blob, settings=SETTINGS, field="image")
    assert type(refused.value) is kind
    assert "0x" not in refused.value.message  # no address of a Python object


def test_bad_files_get_the_hint_to_send_the_file_itself() -> None:
    with pytest.raises(BadInput) as refused:
        read_image(b"dog.jpg", settings=SETTINGS, field="photo")
    assert "curl -F" in refused.value.hint
    assert "'photo'" in refused.value.message


def test_bytes_are_limited() -> None:
    blob = encoded(scene(), "BMP")

    assert read_image(blob, settings=Settings(max_image_mb=len(blob) / 1e6))
    with pytest.raises(TooLarge, match=f"{len(blob)} bytes"):
        read_image(blob, settings=Settings(max_image_mb=(len(blob) - 1) / 1e6))


def test_pixels_are_limited_exactly() -> None:
    blob = encoded(Image.new("RGB", (1000, 1000)), "PNG")

    assert read_image(blob, settings=Settings(max_image_mpx=1)).size == (1000, 1000)
    with pytest.raises(TooLarge):
        read_image(blob, settings=Settings(max_image_mpx=0.999))


def test_the_limits_of_pillow_are_left_alone() -> None:
    before = Image.MAX_IMAGE_PIXELS

    with pytest.raises(TooLarge):
        read_image(png(65_500, 65_500), settings=Settings(max_image_mpx=1_000_000))

    assert before == Image.MAX_IMAGE_PIXELS


# ------------------------------------------------------------------------------------------- big pictures, many threads


@pytest.mark.parametrize("orientation", [1, 6])
def test_a_big_jpeg_is_decoded_smaller_but_never_smaller_than_the_target(orientation: int) -> None:
    exif = Image.Exif()
    exif[0x0112] = orientation
    stored = scene(1600, 800) if orientation == 1 else scene(1600, 800).transpose(Image.Transpose.ROTATE_90)

    image = read_image(encoded(stored, "JPEG", exif=exif), settings=SETTINGS, target=(380, 190))

    assert image.size == (400, 200)
    assert near(image.getpixel((350, 150)), BLUE, 12)


def test_a_target_leaves_small_pictures_as_they_are() -> None:
    assert read_image(encoded(scene(), "JPEG"), settings=SETTINGS, target=(300, 300)).size == (64, 48)


@pytest.mark.parametrize("size", [(600, 400), (300, 200), (150, 100), (60, 100)])
def test_a_picture_is_shrunk_to_the_means_of_what_falls_together(size: tuple[int, int]) -> None:
    blocks = np.zeros((400, 600, 3), np.uint8)
    blocks[:, ::2] = 200
    expected = blocks if size == (600, 400) else np.full((size[1], size[0], 3), 100)

    shrunk = np.asarray(resized(Image.fromarray(blocks), size))

    assert shrunk.shape == (size[1], size[0], 3)
    assert (shrunk == expected).all()


def test_a_picture_that_is_shrunk_a_little_keeps_every_line() -> None:
    line = np.zeros((100, 100, 3), np.uint8)

    for row in range(100):
        line[:] = 0
        line[row] = 200
        assert np.asarray(resized(Image.fromarray(line), (60, 60))).max() >= 100


def test_a_picture_is_enlarged_without_steps() -> None:
    halves = np.zeros((2, 2, 3), np.uint8)
    halves[:, 1] = 200

    row = np.asarray(resized(Image.fromarray(halves), (40, 2)))[0, :, 0].astype(int)

    assert 0 < np.diff(row).max() <= 12
    assert (row[0], row[-1]) == (0, 200)


def test_threads_do_not_disturb_each_other() -> None:
    blobs = [blob for blob, _, _ in ODD_PICTURES.values()] * 4

    with ThreadPoolExecutor(8) as threads:
        together = list(threads.map(lambda blob: read_image(blob, settings=SETTINGS).tobytes(), blobs))

    assert together == [read_image(blob, settings=SETTINGS).tobytes() for blob in blobs]


# ------------------------------------------------------------------------------------------- whatever a stranger sends


SEEDS = [
    encoded(scene(), format, **options)
    for format, options in [
        ("JPEG", {}),
        ("JPEG", {"progressive": True}),
        ("PNG", {}),
        ("GIF", {}),
        ("WebP", {}),
        ("WebP", {"lossless": True}),
        ("BMP", {}),
        ("TIFF", {}),
        ("TIFF", {"compression": "tiff_lzw"}),
        ("TIFF", {"compression": "jpeg"}),
    ]
] + [blob for blob, _, _ in ODD_PICTURES.values() if len(blob) < 2_000]


def is_an_image_or_refused(blob: bytes) -> None:
    # In a running server, a warning about a file is a line on stderr, not an error.
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        with contextlib.suppress(RequestError):
            assert read_image(blob, settings=Settings(max_image_mpx=1)).mode == "RGB"


@given(st.binary(max_size=300), st.sampled_from(["", *{seed[:12] for seed in SEEDS}]))
@hypothesis_settings(deadline=None, max_examples=200)
def test_random_bytes_are_an_image_or_refused(noise: bytes, magic: bytes | str) -> None:
    is_an_image_or_refused((magic or b"") + noise)


def damage(seed: bytes, chance: random.Random) -> bytes:
    """A few bytes changed, mostly near the start, where the sizes and offsets are; sometimes cut."""
    blob = bytearray(seed)
    for _ in range(chance.randint(1, 6)):
        position = chance.randrange(min(len(blob), chance.choice([40, 200, len(blob)])))
        blob[position] = chance.choice([0, 1, 127, 128, 255, chance.randrange(256)])
    return bytes(blob[: chance.choice([len(blob), len(blob), chance.randrange(1, len(blob))])])


@given(st.sampled_from(SEEDS), st.integers(0, 2**32))
@hypothesis_settings(deadline=None, max_examples=400)
def test_damaged_images_are_an_image_or_refused(seed: bytes, number: int) -> None:
    is_an_image_or_refused(damage(seed, random.Random(number)))


# --------------------------------------------------------------------------------------------------------------- sound

soundfile = pytest.importorskip("soundfile")
pytest.importorskip("soxr")

RATE = 16_000


def tone(seconds: float = 1, rate: int = RATE, hertz: float = 440) -> np.ndarray:
    return (0.5 * np.sin(2 * np.pi * hertz * np.arange(round(seconds * rate)) / rate)).astype(np.float32)


def sound(waveform: np.ndarray, rate: int = RATE, format: str = "WAV", subtype: str | None = None) -> bytes:
    file = io.BytesIO()
    soundfile.write(file, waveform, rate, format=format, subtype=subtype)
    return file.getvalue()


@pytest.mark.parametrize("format", ["WAV", "FLAC", "OGG", "MP3", "AIFF", "AU", "RF64"])
def test_every_accepted_format_gives_the_same_tone(format: str) -> None:
    waveform = read_audio(sound(tone(rate=44_100), 44_100, format), settings=SETTINGS, rate=RATE)

    assert waveform.dtype == np.float32
    assert waveform.ndim == 1
    assert len(waveform) == pytest.approx(RATE, abs=RATE * 0.1)  # MP3 pads
    loudest = np.abs(np.fft.rfft(waveform)).argmax() * RATE / len(waveform)
    assert loudest == pytest.approx(440, abs=2)


def test_a_clip_of_the_right_rate_is_not_touched() -> None:
    waveform = read_audio(sound(tone(), subtype="FLOAT"), settings=SETTINGS, rate=RATE)

    assert np.array_equal(waveform, tone())


@pytest.mark.parametrize("rate", [1_000, 8_000, 44_100, 48_000, 384_000])
def test_any_usual_rate_becomes_the_wanted_one(rate: int) -> None:
    waveform = read_audio(sound(tone(0.5, rate, 100), rate), settings=SETTINGS, rate=RATE)

    assert len(waveform) == pytest.approx(RATE / 2, abs=1)
    assert np.abs(waveform[1000:-1000]).max() == pytest.approx(0.5, abs=0.02)


def test_channels_are_averaged() -> None:
    both = np.stack([tone(), -tone(), tone(), tone()], axis=1)

    waveform = read_audio(sound(both, subtype="FLOAT"), settings=SETTINGS, rate=RATE)

    assert np.allclose(waveform, tone() / 2)


def test_samples_beyond_full_scale_are_cut_off() -> None:
    waveform = read_audio(sound(tone() * 10, subtype="FLOAT"), settings=SETTINGS, rate=RATE)

    assert (waveform.min(), waveform.max()) == (-1, 1)


def wav_with(**fields: int) -> bytes:
    """A 16-bit WAV of 0.1 s whose header says something else."""
    blob = bytearray(sound(tone(0.1), subtype="PCM_16"))
    for name, value in fields.items():
        offset, kind = {"channels": (22, "<H"), "rate": (24, "<I"), "riff": (4, "<I"), "data": (40, "<I")}[
            name
        ]
        struct.pack_into(kind, blob, offset, value)
    return bytes(blob)


REFUSED_SOUNDS = {
    "empty": (b"", BadInput, "empty"),
    "text": (b"just words", BadInput, "no WAV, FLAC, Ogg, MP3, AIFF or AU"),
    "a picture": (png(4, 4), UnsupportedMedia, "PNG is not accepted"),
    "MP4": (b"\0\0\0\x20ftypM4A \0\0\0\0", UnsupportedMedia, "MP4 is not accepted"),
    "WebM": (b"\x1a\x45\xdf\xa3" + bytes(20), UnsupportedMedia, "WebM is not accepted"),
    "a magic number alone": (b"RIFF\0\0\0\0WAVE", BadInput, "damaged"),
    "no samples": (sound(tone(0)), BadInput, "no samples"),
    "1 Hz": (wav_with(rate=1), UnsupportedMedia, "1 samples a second"),
    "768 kHz": (wav_with(rate=768_000), UnsupportedMedia, "768000 samples a second"),
    "255 channels": (sound(np.zeros((9, 255))), UnsupportedMedia, "255 channels"),
    "NaN": (sound(np.full(100, np.nan), subtype="FLOAT"), BadInput, "no numbers"),
    "infinity": (sound(np.full(100, np.inf), subtype="FLOAT"), BadInput, "no numbers"),
}


@pytest.mark.parametrize("name", REFUSED_SOUNDS)
def test_a_file_that_is_no_sound_for_us_is_refused_with_a_reason(name: str) -> None:
    blob, kind, reason = REFUSED_SOUNDS[name]

    with pytest.raises(kind, match=reason) as refused:
        read_audio(blob, settings=SETTINGS, rate=RATE)
    assert type(refused.value) is kind


def test_a_header_that_claims_four_gigabytes_is_not_believed() -> None:
    honest = read_audio(wav_with(), settings=SETTINGS, rate=RATE)

    assert np.array_equal(
        read_audio(wav_with(riff=0xFFFFFFFF, data=0xFFFFFFFF), settings=SETTINGS, rate=RATE), honest
    )


def test_seconds_are_limited_as_they_are_decoded() -> None:
    minutes_of_silence = sound(np.zeros(RATE * 120, np.int16), format="FLAC")
    assert len(minutes_of_silence) < 100_000

    assert len(read_audio(minutes_of_silence, settings=Settings(max_audio_s=120), rate=RATE)) == RATE * 120
    with pytest.raises(TooLarge, match="more than 119 seconds"):
        read_audio(minutes_of_silence, settings=Settings(max_audio_s=119), rate=RATE)


def test_many_channels_at_a_high_rate_are_limited_sooner() -> None:
    blob = sound(np.zeros((384_000, 8), np.int16), 384_000, "FLAC")

    with pytest.raises(TooLarge, match=r"more than 0\.625 seconds of 8 channels"):
        read_audio(blob, settings=Settings(max_audio_s=10), rate=RATE)


def test_sound_bytes_are_limited() -> None:
    with pytest.raises(TooLarge, match=r"at most 0\.01 MB"):
        read_audio(sound(tone()), settings=Settings(max_audio_mb=0.01), rate=RATE)


SOUNDS = [sound(tone(0.05), format=format) for format in ["WAV", "FLAC", "OGG", "MP3", "AIFF", "AU"]]


@given(st.sampled_from(SOUNDS), st.integers(0, 2**32))
@hypothesis_settings(deadline=None, max_examples=200)
def test_damaged_sounds_are_a_waveform_or_refused(seed: bytes, number: int) -> None:
    try:
        waveform = read_audio(damage(seed, random.Random(number)), settings=SETTINGS, rate=RATE)
    except RequestError:
        return
    assert np.isfinite(waveform).all()
    assert np.abs(waveform).max() <= 1


def test_without_the_extra_the_pip_line_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "soundfile", None)

    with pytest.raises(MissingExtra, match=r"soundfile is not installed: pip install 'maxfw\[audio\]'"):
        read_audio(sound_of_a_moment, settings=SETTINGS, rate=RATE)


sound_of_a_moment = sound(tone(0.1))


def test_importing_media_brings_no_sound_library() -> None:
    code = "import sys, maxfw.media; print([name for name in ('soundfile', 'soxr') if name in sys.modules])"

    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert told.stdout.strip() == "[]"


# --------------------------------------------------------------------------------------- many big pictures at once


def test_grey_on_white_is_what_it_is_by_way_of_rgba() -> None:
    values = np.random.default_rng(3).integers(0, 256, (64, 64, 2), dtype=np.uint8)
    picture = Image.merge(
        "LA", [Image.fromarray(np.ascontiguousarray(values[:, :, channel])) for channel in (0, 1)]
    )
    white = Image.new("RGB", picture.size, "white")
    white.paste(picture.convert("RGB"), mask=picture.getchannel("A"))

    assert read_image(encoded(picture, "PNG"), settings=SETTINGS).tobytes() == white.tobytes()


class Crowd:
    """Threads that stand in a gate until they are told to leave."""

    def __init__(self, gate: PixelGate) -> None:
        self.gate = gate
        self.entered: queue.Queue[str] = queue.Queue()
        self.leave: dict[str, threading.Event] = {}
        self.threads: list[threading.Thread] = []

    def add(self, name: str, pixels: int) -> None:
        """Start a thread, and return when it is in the gate or stands before it."""
        leave = self.leave[name] = threading.Event()
        before = (self.gate.waiting, self.gate.pixels)

        def run() -> None:
            with self.gate.passing(pixels):
                self.entered.put(name)
                leave.wait(10)

        self.threads.append(threading.Thread(target=run))
        self.threads[-1].start()
        with self.gate.changed:
            assert self.gate.changed.wait_for(lambda: (self.gate.waiting, self.gate.pixels) != before, 10)

    def next(self) -> str:
        return self.entered.get(timeout=10)


@pytest.fixture
def crowd() -> Iterator[Crowd]:
    crowd = Crowd(PixelGate(100))
    yield crowd
    for event in crowd.leave.values():
        event.set()
    for thread in crowd.threads:
        thread.join(10)
    assert crowd.gate.pixels == 0


def test_pictures_are_decoded_at_once_while_they_fit_and_the_others_wait_their_turn(crowd: Crowd) -> None:
    for name, pixels in (("a", 60), ("b", 40), ("c", 50), ("d", 1)):
        crowd.add(name, pixels)

    assert {crowd.next(), crowd.next()} == {"a", "b"}
    assert crowd.entered.empty()
    assert crowd.gate.waiting == 2  # d would fit no sooner: it came after c

    crowd.leave["a"].set()
    assert {crowd.next(), crowd.next()} == {"c", "d"}


def test_a_picture_beyond_the_bound_goes_alone(crowd: Crowd) -> None:
    for name, pixels in (("small", 1), ("giant", 1000), ("late", 1)):
        crowd.add(name, pixels)

    assert crowd.next() == "small"
    assert crowd.entered.empty()
    crowd.leave["small"].set()
    assert crowd.next() == "giant"
    assert crowd.entered.empty()
    crowd.leave["giant"].set()
    assert crowd.next() == "late"


def test_a_picture_that_cannot_be_decoded_makes_room_again() -> None:
    gate = PixelGate(100)

    with pytest.raises(OSError, match="cut short"), gate.passing(100):
        raise OSError("cut short")

    assert gate.pixels == 0


def test_a_picture_that_is_held_counts_until_it_is_let_go() -> None:
    gate = PixelGate(100)

    with gate.holding():
        with gate.passing(60):
            pass
        assert gate.pixels == 60
        with gate.holding(), gate.passing(30):
            pass
        assert gate.pixels == 90
    assert gate.pixels == 0
    with gate.holding():
        pass
    with gate.passing(100):
        assert gate.pixels == 100


def test_two_who_hold_a_picture_and_need_another_do_not_wait_for_each_other() -> None:
    gate = PixelGate(100)
    both_hold, most = threading.Barrier(2), []

    def one() -> None:
        with gate.holding():
            with gate.passing(50):
                pass
            both_hold.wait(10)
            with gate.passing(50):
                most.append(gate.pixels)

    with ThreadPoolExecutor(2) as pool:
        for done in [pool.submit(one) for _ in range(2)]:
            done.result(10)

    assert sorted(most) == [
        100,
        150,
    ]  # one goes beyond the bound, the other finds room when that one has ended
    assert gate.pixels == 0


def test_reading_a_picture_waits_for_the_gate(monkeypatch: pytest.MonkeyPatch) -> None:
    gate = PixelGate(64 * 48)
    monkeypatch.setattr(media, "_gate", gate)
    blob = encoded(scene(), "PNG")

    with ThreadPoolExecutor(1) as pool:
        with gate.passing(1):
            reading = pool.submit(read_image, blob, settings=SETTINGS)
            with gate.changed:
                assert gate.changed.wait_for(lambda: gate.waiting == 1, 10)
            assert not reading.done()
        assert reading.result(10).size == (64, 48)
    assert gate.pixels == 0
