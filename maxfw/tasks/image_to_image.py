"""Image to image: a picture made from a picture."""

from __future__ import annotations

import io
import struct
from collections.abc import Sequence
from typing import Annotated, Any

import numpy as np
from isal import isal_zlib
from msgspec import Meta
from PIL import Image

from maxfw.errors import BadModelOutput
from maxfw.tasks.base import Answer, Encoded, ImageTask, Label
from maxfw.tasks.values import encode_json


class ImageToImageAnswer(Answer, kw_only=True):
    """The picture that was made, as a PNG file (in JSON: its bytes in base64), and its width and height."""

    image: bytes
    image_size: Annotated[list[int], Meta(min_length=2, max_length=2, description="width, height in pixels")]


class ImageToImage(ImageTask):
    """A picture in, a picture out.

    The answer is the PNG itself; a request with `Accept: application/json` gets it as base64 in JSON.
    `_post_process` returns a PIL image. With `keep_alpha`, `_pre_process` gets RGBA where the photo has
    transparency.
    """

    name = "image-to-image"
    title = "Image to Image"
    answer = ImageToImageAnswer
    produces = ("image/png", "application/json")

    template_imports = """\
import numpy as np
from PIL import Image

from maxfw.model import MAXModelWrapper
from maxfw.tasks.image_to_image import ImageToImage"""
    template = '''\
    task = ImageToImage()

    def _pre_process(self, image):
        """PIL RGB image → uint8 (height, width, 3)."""
        return np.asarray(image)

    def _predict_batch(self, batch):
        """n × uint8 (height, width, 3) → the same, each colour inverted."""
        return [255 - pixels for pixels in batch]

    def _post_process(self, pixels):
        """uint8 (height, width, 3) → PIL image."""
        return Image.fromarray(pixels)
'''

    def __init__(self, *, keep_alpha: bool = False) -> None:
        super().__init__()
        self.keep_alpha = keep_alpha

    def write(
        self, items: Sequence[Any], outcomes: Sequence[Any], labels: Sequence[Label]
    ) -> ImageToImageAnswer:
        """A PIL image → PNG."""
        picture = outcomes[0]
        if not isinstance(picture, Image.Image):
            raise BadModelOutput(f"_post_process returned {type(picture).__name__}, not a PIL image")
        return ImageToImageAnswer(image=png(picture), image_size=list(picture.size))

    def encode(self, answer: Answer, accept: str = "") -> Encoded:
        """PNG, or JSON for those who accept JSON and no picture."""
        assert isinstance(answer, ImageToImageAnswer)
        if "application/json" in accept and "image/" not in accept:
            return Encoded(encode_json(answer), "application/json")
        return Encoded(answer.image, "image/png")


_COLOUR_TYPES = {"L": 0, "RGB": 2, "RGBA": 6}  # of PNG, with 8 bits
_UP = 2  # the filter of a row of which each byte is the difference to the one above


def png(picture: Image.Image) -> bytes:
    """A picture as a PNG file, in a quarter of the time that Pillow takes at its fastest.

    Pillow tries five filters on every row; the difference to the row above does for what networks paint. ISA-L packs
    as tightly as zlib at its fastest, four times as fast.
    """
    if picture.mode not in _COLOUR_TYPES:
        file = io.BytesIO()
        picture.save(file, "PNG", compress_level=1)
        return file.getvalue()
    pixels = np.asarray(picture).reshape(picture.height, -1)
    rows = np.empty((picture.height, 1 + pixels.shape[1]), dtype=np.uint8)
    rows[:, 0], rows[0, 1:] = _UP, pixels[0]
    np.subtract(pixels[1:], pixels[:-1], out=rows[1:, 1:])
    packer = isal_zlib.compressobj(level=1)
    head = struct.pack(">IIBBBBB", *picture.size, 8, _COLOUR_TYPES[picture.mode], 0, 0, 0)
    chunks = ((b"IHDR", head), (b"IDAT", packer.compress(rows.data) + packer.flush()), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(map(_chunk, *zip(*chunks, strict=True)))


def _chunk(kind: bytes, content: bytes) -> bytes:
    return (
        struct.pack(">I", len(content))
        + kind
        + content
        + struct.pack(">I", isal_zlib.crc32(content, isal_zlib.crc32(kind)))
    )
