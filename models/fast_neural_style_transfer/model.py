"""Magenta's arbitrary stylisation: paints a photo in the style of any other picture."""

from typing import Annotated, Literal

import numpy as np
from msgspec import Meta
from PIL import Image, ImageOps

from maxfw.assets import Asset
from maxfw.media import resized
from maxfw.model import MAXModelWrapper, UploadedImage
from maxfw.runtimes import LiteRTRuntime
from maxfw.tasks.image_to_image import ImageToImage

NETWORKS = (
    "https://raw.githubusercontent.com/ToanBarcelona1998/fast-style-transfer-flutter"
    "/3c57d03e4f05f69147288b792157a88f7a54b161/example/assets/models"
)
POSTERS = (
    "https://raw.githubusercontent.com/infil00p/tf_world/c8c879fc39d007573cd795622c0e8b23184bd0bc"
    "/style_transfer/app/src/main/assets/styleTransfer"
)
FILES = {
    "prediction.tflite": ("af6ad4b2e7aeba0675f32636082ab915ced5375229a3f8aff7e714c6213f5ed2", 2_828_838),
    "transfer.tflite": ("7a1550643cf034a4d813c0aa276976cd15da4141b4f1ec3631db1d0d9c8e2cd1", 284_398),
    "Zion_Style_Image.png": ("59e455c73aa69a762f78bb601bedfee6b324567433247b809896d628290f0021", 103_117),
    "Lassen_Style_Image.png": ("5a0560e7e6ba1c7cad18dd46596220832e360a6da54757fbc499e95fb5754949", 88_458),
    "Grand_Canyon_Image.png": ("a0d2da4f7e7ec94501eb314af66946efc6d96b79a135e5e18e8afa43b66f89aa", 131_605),
}
PAINTED = 384  # pixels a side; the graph is fixed at this size, and at one photo
DESCRIBED = 256  # pixels a side of a picture whose style is described
LONGEST = 1536  # pixels of the answer's long side

POSTER = {"zion": "Zion_Style", "lassen": "Lassen_Style", "grand_canyon": "Grand_Canyon"}
Style = Annotated[Literal["zion", "lassen", "grand_canyon"], Meta(description="the poster to paint like")]
StyleImage = Annotated[UploadedImage, Meta(description="a picture to paint like; style is ignored then")]
Strength = Annotated[float, Meta(ge=0, le=1, description="how much of the style to take on, 0…1")]


class ModelWrapper(MAXModelWrapper):
    """Two networks: one describes the style of a picture in 100 numbers, one paints a photo by such a description."""

    MODEL_META_DATA = {
        "id": "max-fast-neural-style-transfer",
        "name": "Fast Neural Style Transfer",
        "description": "Paints a photo in the style of a poster or of a picture that you upload. It paints at 384 pixels "
        "and enlarges the result to the photo's size, at most 1536 pixels on the long side.",
        "type": "Image to Image",
        "source": "https://github.com/magenta/magenta",
        "license": "Apache-2.0",
    }
    task = ImageToImage()
    assets = [
        Asset(name, f"{POSTERS if name.endswith('.png') else NETWORKS}/{name}", sha256, size=size)
        for name, (sha256, size) in FILES.items()
    ]

    def __init__(self, path=None):
        self.describer = LiteRTRuntime(self.asset("prediction.tflite", path))
        self.painter = LiteRTRuntime(self.asset("transfer.tflite", path))
        self.styles = {}
        for name, start in POSTER.items():
            with Image.open(self.asset(f"{start}_Image.png", path)) as poster:
                self.styles[name] = self._described(squared(poster.convert("RGB")))

    def _pre_process(
        self, image, *, style: Style = "zion", style_image: StyleImage | None = None, strength: Strength = 1.0
    ):
        """PIL RGB image → the photo, float32 (384, 384, 3), 0…1, continued by its mirror image; what `_predict` needs.

        The style is a poster's name or float32 (256, 256, 3), the photo's own style likewise if it is to be mixed in.
        """
        fitted = values(resized(image, within(image.size, PAINTED)))
        margins = [(part.start, PAINTED - part.stop) for part in centred(fitted.shape[1::-1])]
        photo = np.pad(fitted, [*margins, (0, 0)], mode="symmetric")
        wanted = style if style_image is None else squared(style_image)
        return photo, wanted, squared(image) if strength < 1 else None, strength, image.size

    def _predict(self, prepared):
        """What `_pre_process` made → the painting, float32 (384, 384, 3), 0…1, and the photo's size."""
        photo, wanted, own, strength, size = prepared
        style = self.styles[wanted] if isinstance(wanted, str) else self._described(wanted)
        if own is not None:
            style = strength * style + (1 - strength) * self._described(own)
        [[painting]] = self.painter.run([photo[None], style.astype(np.float32)])
        return painting, size

    def _post_process(self, painted):
        """Float32 (384, 384, 3), 0…1, and the photo's size → its part that shows the photo, as a PIL image."""
        painting, size = painted
        rows, columns = centred(within(size, PAINTED))
        pixels = (painting[rows, columns].clip(0, 1) * 255 + 0.5).astype(np.uint8)
        size = within(size, min(LONGEST, max(size)))
        return Image.fromarray(pixels).resize(size, Image.Resampling.BICUBIC)

    def _described(self, picture):
        """Float32 (256, 256, 3), 0…1 → its style, float32 (1, 1, 1, 100)."""
        return self.describer.run([picture[None]])[0]


def within(size, longest):
    """A width and height in pixels → those of the same shape whose longer one is `longest`; none is below 1."""
    return tuple(max(1, round(side * longest / max(size))) for side in size)


def centred(size):
    """The rows and columns of the painting, as slices, that a photo of this width and height lies on."""
    width, height = size
    top, left = (PAINTED - height) // 2, (PAINTED - width) // 2
    return slice(top, top + height), slice(left, left + width)


def squared(image):
    """PIL RGB image → its middle square, float32 (256, 256, 3), 0…1."""
    return values(ImageOps.fit(image, (DESCRIBED, DESCRIBED), Image.Resampling.BICUBIC))


def values(image):
    """PIL RGB image → float32 (height, width, 3), 0…1."""
    return np.asarray(image, dtype=np.float32) / 255
