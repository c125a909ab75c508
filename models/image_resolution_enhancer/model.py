"""FSRCNN: makes a picture two, three or four times as wide and high, with sharper edges than interpolation."""

from typing import Annotated, Literal

import numpy as np
from msgspec import Meta
from PIL import Image

from maxfw.assets import Asset
from maxfw.errors import TooLarge
from maxfw.model import MAXModelWrapper
from maxfw.runtimes import TFKerasRuntime
from maxfw.tasks.image_to_image import ImageToImage

PINNED = "https://raw.githubusercontent.com/Saafke/FSRCNN_Tensorflow/6a4812c4ef1c4f5947d79beafa32a05a6eb4a94d/models"
REACH = 6  # pixels around an input pixel that its outputs depend on: one 5×5 and four 3×3 convolutions
TILE = 256  # pixels a side that are enlarged at once, so that memory does not grow with the picture
MOST_PIXELS = 50_000_000  # of the answer: a photo of 12 megapixels, twice as wide and high

Scale = Annotated[Literal[2, 3, 4], Meta(description="how many times as wide and high the answer is")]


class ModelWrapper(MAXModelWrapper):
    """FSRCNN on the luma; the colour, of which the eye sees less detail, is interpolated."""

    MODEL_META_DATA = {
        "id": "max-image-resolution-enhancer",
        "name": "Image Resolution Enhancer",
        "description": "FSRCNN: enlarges a picture 2, 3 or 4 times, with sharper edges than interpolation.",
        "type": "Image to Image",
        "source": "https://github.com/Saafke/FSRCNN_Tensorflow",
        "license": "Apache-2.0",
    }
    task = ImageToImage(keep_alpha=True)
    assets = [
        Asset(f"FSRCNN_x{scale}.pb", url=f"{PINNED}/FSRCNN_x{scale}.pb", sha256=sha256, size=size)
        for scale, sha256, size in (
            (2, "366b33f0084c7b3f2bf6724f0a2c77bca94fcec9d7b6d72389d330073b380d5c", 38_973),
            (3, "efd38655a815908c6c8954db6052f128e76a735f1de657894c477d0dc0b64481", 40_093),
            (4, "5c68d18db561aed8ead4ffedf1b897ea615baaf60ebf6c35f8e641f8fa4a21bf", 41_661),
        )
    ]

    def __init__(self, path=None):
        ends = {"inputs": ["IteratorGetNext:0"], "outputs": ["NHWC_output:0"]}
        self.nets = {
            scale: TFKerasRuntime(self.asset(f"FSRCNN_x{scale}.pb", path), **ends) for scale in (2, 3, 4)
        }

    def _pre_process(self, image, *, scale: Scale = 2):
        """PIL RGB or RGBA image → its luma, float32 (height, width), 0…1, and the image itself for the colours."""
        width, height = image.width * scale, image.height * scale
        if width * height > MOST_PIXELS:
            raise TooLarge(
                f"{scale} times {image.width}×{image.height} is {width}×{height}, {width * height:,} pixels; "
                f"at most {MOST_PIXELS:,} are allowed",
                hint="send a smaller picture or a part of it, or a smaller scale",
            )
        luma = image.convert("RGB").convert("YCbCr").getchannel("Y")
        return np.asarray(luma, dtype=np.float32) / 255, image

    def _predict(self, prepared, *, scale: Scale = 2):
        """Luma (height, width) and image → luma, uint8 (scale × height, scale × width), and the image."""
        luma, image = prepared
        return enlarge(self.nets[scale], luma, scale), image

    def _post_process(self, enlarged):
        """Luma, uint8 (height, width), and the small image → PIL image of the luma's size, RGB or RGBA."""
        luma, image = enlarged
        size = luma.shape[1], luma.shape[0]
        _, *colours = image.convert("RGB").convert("YCbCr").split()
        smooth = [band.resize(size, Image.Resampling.BICUBIC) for band in colours]
        answer = Image.merge("YCbCr", [Image.fromarray(luma), *smooth]).convert("RGB")
        if image.mode == "RGBA":
            answer.putalpha(image.getchannel("A").resize(size, Image.Resampling.BICUBIC))
        return answer


def enlarge(net, luma, scale, tile=TILE):
    """Luma, float32 (h, w), 0…1 → uint8 (scale × h, scale × w), by tiles that overlap as far as the network sees.

    Each tile is thus enlarged exactly as it would be within the whole.
    """
    height, width = luma.shape
    answer = np.empty((height * scale, width * scale), dtype=np.uint8)
    for top in range(0, height, tile):
        for left in range(0, width, tile):
            # Outwards the network pads with zeros; it was trained so, and only the true edge may be seen that way.
            y, x = max(0, top - REACH), max(0, left - REACH)
            part = luma[y : top + tile + REACH, x : left + tile + REACH]
            [large] = net.run([part[None, :, :, None]])
            place = answer[top * scale : (top + tile) * scale, left * scale : (left + tile) * scale]
            down, right = (top - y) * scale, (left - x) * scale
            own = large[0, down : down + place.shape[0], right : right + place.shape[1], 0]
            place[:] = own.clip(0, 1) * 255 + 0.5
    return answer
