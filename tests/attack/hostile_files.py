"""Pictures and clips made to hurt whoever decodes them."""

from __future__ import annotations

import functools
import io
import struct
import zlib
from collections.abc import Callable

import numpy as np
import soundfile
from PIL import Image, PngImagePlugin

from models import encoded


def chunk(kind: bytes, content: bytes) -> bytes:
    """A chunk of a PNG."""
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))


def png(width: int, height: int, *chunks: bytes, bits: int = 8, colour: int = 2) -> bytes:
    """A PNG that claims a size, with these chunks between its head and its end."""
    head = struct.pack(">IIBBBBB", width, height, bits, colour, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + b"".join(chunks) + chunk(b"IEND", b"")


@functools.cache
def zeros(size: int) -> bytes:
    """Compressed zeros, a thousandth of their size."""
    return zlib.compress(bytes(size), 6)


def jpeg_of(width: int, height: int) -> bytes:
    """A small JPEG whose head claims another size."""
    blob = bytearray(encoded(Image.new("RGB", (16, 16), "red"), "JPEG"))
    frame = blob.index(b"\xff\xc0")
    blob[frame + 5 : frame + 9] = struct.pack(">HH", height, width)
    return bytes(blob)


def progressive_jpeg(scans: int) -> bytes:
    """A progressive JPEG whose scans are repeated: each costs a pass over the whole picture."""
    blob = encoded(Image.new("RGB", (2000, 2000), "red"), "JPEG", progressive=True)
    last = blob.rindex(b"\xff\xda")
    return blob[:last] + blob[last:-2] * scans + blob[-2:]


def gif_of(width: int, height: int) -> bytes:
    """A GIF whose screen claims a size."""
    blob = bytearray(encoded(Image.new("P", (16, 16)), "GIF"))
    blob[6:10] = struct.pack("<HH", width, height)
    return bytes(blob)


def film(format: str, count: int) -> bytes:
    """An animated picture whose frames differ."""
    pictures = [Image.new("L", (8, 8), number % 256) for number in range(count)]
    return encoded(pictures[0], format, save_all=True, append_images=pictures[1:], duration=20)


def gif_of_frames(count: int) -> bytes:
    """A GIF whose only frame is repeated."""
    blob = encoded(Image.new("P", (8, 8)), "GIF")
    frame = blob.index(b"\x2c", 13 + 3 * 2 ** ((blob[10] & 7) + 1))
    return blob[:-1] + blob[frame:-1] * count + b";"


def tiff_of_pages(count: int) -> bytes:
    """A TIFF of pages that share their pixels, 8 × 8 and black."""
    tags = ((256, 8), (257, 8), (258, 8), (259, 1), (262, 1), (273, 8), (278, 8), (279, 64))
    entries = b"".join(struct.pack("<HHII", tag, 4, 1, value) for tag, value in tags)
    size = 2 + len(entries) + 4
    pages = [
        struct.pack("<H", len(tags))
        + entries
        + struct.pack("<I", 72 + size * (page + 1) if page + 1 < count else 0)
        for page in range(count)
    ]
    return b"II*\0" + struct.pack("<I", 72) + bytes(64) + b"".join(pages)


def bmp_of(width: int, height: int) -> bytes:
    """A BMP without pixels that claims a size."""
    head = struct.pack("<IiiHHIIiiII", 40, width, height, 1, 24, 0, 0, 0, 0, 0, 0)
    return b"BM" + struct.pack("<IHHI", 54, 0, 0, 54) + head


def tiff_loop() -> bytes:
    """A TIFF whose directory follows itself."""
    blob = bytearray(encoded(Image.new("L", (8, 8)), "TIFF"))
    directory = struct.unpack_from("<I", blob, 4)[0]
    entries = struct.unpack_from("<H", blob, directory)[0]
    struct.pack_into("<I", blob, directory + 2 + 12 * entries, directory)
    return bytes(blob)


def exif(orientation: int) -> Image.Exif:
    """Exif data with an orientation."""
    data = Image.Exif()
    data[0x0112] = orientation
    return data


def text_chunks(count: int) -> PngImagePlugin.PngInfo:
    """Many compressed texts for a PNG."""
    info = PngImagePlugin.PngInfo()
    for number in range(count):
        info.add_text(f"key{number}", "a" * 60_000, zip=True)
    return info


BOMBS: dict[str, Callable[[], bytes]] = {
    "a PNG of 65,500²": lambda: png(65_500, 65_500, chunk(b"IDAT", zeros(1_000_000))),
    "a PNG of 2³¹": lambda: png(2**31 - 1, 2**31 - 1, chunk(b"IDAT", zeros(1000))),
    "a PNG of one long row": lambda: png(2**31 - 1, 1, chunk(b"IDAT", zeros(1000))),
    "a PNG of 7000² at 16 bits with alpha": lambda: png(
        7100, 7100, chunk(b"IDAT", zeros(1_000_000)), bits=16, colour=6
    ),
    "a PNG of 0 × 8": lambda: png(0, 8, chunk(b"IDAT", zeros(8))),
    "a PNG of 8 × 0": lambda: png(8, 0, chunk(b"IDAT", zeros(8))),
    "a PNG without pixels": lambda: png(64, 64),
    "a PNG with a zTXt of 100 MB": lambda: png(
        8, 8, chunk(b"zTXt", b"a\0\0" + zeros(100_000_000)), chunk(b"IDAT", zeros(200))
    ),
    "a PNG with an iTXt of 100 MB": lambda: png(
        8, 8, chunk(b"iTXt", b"a\0\1\0\0\0" + zeros(100_000_000)), chunk(b"IDAT", zeros(200))
    ),
    "a PNG with an iCCP of 100 MB": lambda: png(
        8, 8, chunk(b"iCCP", b"a\0\0" + zeros(100_000_000)), chunk(b"IDAT", zeros(200))
    ),
    "a PNG with 2000 texts": lambda: encoded(Image.new("L", (8, 8)), pnginfo=text_chunks(2000)),
    "a PNG whose chunk has 4 GB": lambda: (
        b"\x89PNG\r\n\x1a\n" + struct.pack(">I", 2**32 - 1) + b"IHDR" + bytes(64)
    ),
    "a PNG with 50,000 chunks": lambda: png(
        8, 8, *[chunk(b"tEXt", b"a\0b")] * 50_000, chunk(b"IDAT", zeros(200))
    ),
    "a JPEG of 65,500²": lambda: jpeg_of(65_500, 65_500),
    "a JPEG of 0 × 0": lambda: jpeg_of(0, 0),
    "a GIF of 65,535²": lambda: gif_of(65_535, 65_535),
    "a BMP of 2³¹": lambda: bmp_of(2**31 - 1, 2**31 - 1),
    "a BMP upside down": lambda: bmp_of(64, -(2**31)),
    "a WebP that claims 16383²": lambda: b"RIFF\x1a\0\0\0WEBPVP8L\x0d\0\0\0\x2f\xff\xff\xff\x0f" + bytes(8),
    "a TIFF that follows itself": lambda: tiff_loop(),
    "an EPS called png": lambda: b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n(/etc/passwd) (r) file\n",
    "an SVG": lambda: b'<svg xmlns="http://www.w3.org/2000/svg" onload="alert(1)"/>',
    "an SVG of entities": lambda: b'<?xml version="1.0"?><!DOCTYPE l [<!ENTITY a "aaaa">]><svg>&a;</svg>',
    "a page": lambda: b"<!doctype html><script>alert(1)</script>",
    "a PDF": lambda: b"%PDF-1.7\n",
    "a ZIP": lambda: b"PK\x03\x04" + bytes(100),
    "a PSD": lambda: b"8BPS\0\1" + bytes(100),
    "an ICNS": lambda: b"icns" + struct.pack(">I", 2**32 - 1) + b"ic10" + struct.pack(">I", 2**32 - 1),
    "an ICO": lambda: b"\0\0\1\0\xff\xff" + bytes(100),
    "an MPO as JPEG": lambda: encoded(Image.new("RGB", (8, 8)), "JPEG").replace(b"JFIF", b"MPF\0"),
    "noise": lambda: bytes(range(256)) * 64,
    "zeros": lambda: bytes(100_000),
}

RED, GREEN, BLUE = (1.0, 0.0, 0.0), (0.0, 1.0, 0.0), (0.0, 0.0, 1.0)


def ordinary_but_odd() -> dict[str, tuple[bytes, tuple[float, float, float]]]:
    """Pictures that must be read, and how red, green and blue they are."""
    red = Image.new("RGB", (64, 48), "red")
    grey_alpha = Image.new("LA", (64, 48), (255, 0))
    third = (1 / 3, 1 / 3, 1 / 3)
    return {
        "CMYK": (encoded(red.convert("CMYK"), "JPEG", quality=95), RED),
        "16 bits": (encoded(Image.fromarray(np.full((48, 64), 65_535, np.uint16))), third),
        "32 bits": (encoded(Image.fromarray(np.full((48, 64), 255, np.int32)), "TIFF"), third),
        "floats": (encoded(Image.fromarray(np.ones((48, 64), np.float32)), "TIFF"), third),
        "one bit": (encoded(Image.new("1", (64, 48), 1)), third),
        "grey with alpha": (encoded(grey_alpha), third),
        "palette": (encoded(red.convert("P")), RED),
        "palette with transparency": (encoded(Image.new("P", (64, 48)), transparency=0), third),
        "alpha": (encoded(Image.new("RGBA", (64, 48), (0, 0, 255, 255))), BLUE),
        "turned": (encoded(Image.new("RGB", (64, 48), "lime"), "JPEG", exif=exif(6)), GREEN),
        "turned in no way there is": (encoded(red, "JPEG", exif=exif(77)), RED),
        "one pixel": (encoded(Image.new("RGB", (1, 1), "red")), RED),
        "one row": (encoded(Image.new("RGB", (5000, 1), "red")), RED),
        "one column": (encoded(Image.new("RGB", (1, 5000), "red")), RED),
        "an animated GIF": (film("GIF", 100), (0.0, 0.0, 0.0)),
        "an animated PNG": (film("PNG", 50), (0.0, 0.0, 0.0)),
        "an animated WebP": (film("WEBP", 50), (0.0, 0.0, 0.0)),
        "a GIF of 10,000 frames": (gif_of_frames(10_000), (0.0, 0.0, 0.0)),
        "a TIFF of 10,000 pages": (tiff_of_pages(10_000), (0.0, 0.0, 0.0)),
        "a progressive JPEG": (encoded(red, "JPEG", progressive=True), RED),
        "a BMP": (encoded(red, "BMP"), RED),
        "rubbish after the end": (encoded(red) + b"<script>alert(1)</script>", RED),
    }


def wav(
    *,
    rate: int = 16_000,
    channels: int = 1,
    bits: int = 16,
    kind: int = 1,
    claims: int | None = None,
    data: bytes = b"",
) -> bytes:
    """A WAV whose head says what it likes."""
    width = max(1, channels * bits // 8)
    head = struct.pack(
        "<HHIIHH", kind, channels, rate, min(rate * width, 2**32 - 1), min(width, 65_535), bits
    )
    size = len(data) if claims is None else claims
    return (
        b"RIFF"
        + struct.pack("<I", min(36 + size, 2**32 - 1))
        + b"WAVEfmt "
        + struct.pack("<I", 16)
        + head
        + b"data"
        + struct.pack("<I", size)
        + data
    )


def clip(
    seconds: float, format: str = "FLAC", rate: int = 16_000, channels: int = 1, subtype: str | None = None
) -> bytes:
    """Silence in a compressed format."""
    file = io.BytesIO()
    with soundfile.SoundFile(file, "w", rate, channels, format=format, subtype=subtype) as clip:
        block = np.zeros((rate * 10, channels), np.float32)
        for _ in range(int(seconds // 10)):
            clip.write(block)
    return file.getvalue()


def flac_that_claims(samples: int) -> bytes:
    """A short FLAC whose head claims a length of up to 2³⁶ samples."""
    blob = bytearray(clip(10))
    field = int.from_bytes(blob[18:26], "big") & ~(2**36 - 1) | samples
    blob[18:26] = field.to_bytes(8, "big")
    return bytes(blob)


NOT_FINITE = np.array([0.0, np.nan, np.inf, -np.inf] * 4000, np.float32).tobytes()
TONE = (np.sin(np.arange(16_000) / 5) * 9000).astype(np.int16).tobytes()

# Each is refused with a 4xx.
SOUND_BOMBS: dict[str, Callable[[], bytes]] = {
    "1 Hz": lambda: wav(rate=1, data=TONE),
    "0 Hz": lambda: wav(rate=0, data=TONE),
    "768 kHz": lambda: wav(rate=768_000, data=TONE),
    "2³² Hz": lambda: wav(rate=2**32 - 1, data=TONE),
    "255 channels": lambda: wav(channels=255, data=TONE * 16),
    "no channel": lambda: wav(channels=0, data=TONE),
    "65,535 channels": lambda: wav(channels=65_535, data=TONE * 16),
    "no bits": lambda: wav(bits=0, data=TONE),
    "NaN": lambda: wav(kind=3, bits=32, data=NOT_FINITE),
    "an hour of silence, FLAC": lambda: clip(3600, rate=8_000),
    "11 minutes of silence, MP3": lambda: clip(660, "MP3", 8_000),
    "11 minutes of silence, Ogg": lambda: clip(660, "OGG", 8_000, subtype="VORBIS"),
    "no samples": lambda: wav(),
    "only a head": lambda: wav(data=TONE)[:30],
    "a codec that nobody has": lambda: wav(kind=0x7777, data=TONE),
    "an MP4": lambda: b"\0\0\0\x18ftypM4A " + bytes(100),
    "a WebM": lambda: b"\x1a\x45\xdf\xa3" + bytes(100),
    "a MIDI": lambda: b"MThd" + bytes(100),
    "a picture": lambda: encoded(Image.new("RGB", (8, 8))),
    "an ID3 of 256 MB": lambda: b"ID3\x04\0\0\x7f\x7f\x7f\x7f" + bytes(1000),
    "noise": lambda: bytes(range(256)) * 64,
}

# Heads that lie about a length: what is there counts, and what is there is short.
SOUND_LIES: dict[str, Callable[[], bytes]] = {
    "a head of 4 GB": lambda: wav(claims=2**32 - 1, data=TONE),
    "a FLAC of 2³⁶ samples": lambda: flac_that_claims(2**36 - 1),
    "a RIFF that is shorter than its data": lambda: (
        wav(data=TONE)[:4] + struct.pack("<I", 4) + wav(data=TONE)[8:]
    ),
    "cut": lambda: wav(data=TONE)[:-1001],
}
