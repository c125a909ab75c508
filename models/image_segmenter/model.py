"""DeepLab v3: says for each pixel of a photo which of twenty kinds of things it belongs to."""

import functools

import numpy as np
from PIL import Image

from maxfw.assets import Asset
from maxfw.model import MAXModelWrapper
from maxfw.runtimes import LiteRTRuntime
from maxfw.tasks.base import Label
from maxfw.tasks.image_segmentation import LONG_SIDE, ImageSegmentation, map_size

PINNED = "https://raw.githubusercontent.com/google-coral/test_data/104342d2d3480b3e66203073dac24f4e2dbb4c41"
NETWORK = "deeplabv3_mnv2_pascal_quant.tflite"
LABELS = "pascal_voc_segmentation_labels.txt"
CLASSES = 21
GREY = 128  # what the network takes for zero


class ModelWrapper(MAXModelWrapper):
    """DeepLab v3 on MobileNet v2, 8-bit, 513 pixels: the 20 classes of Pascal VOC and the background."""

    MODEL_META_DATA = {
        "id": "max-image-segmenter",
        "name": "Image Segmenter",
        "description": "DeepLab v3 trained on Pascal VOC: which of 20 kinds of things each pixel of a photo belongs to.",
        "type": "Image Segmentation",
        "source": "https://github.com/google-coral/test_data",
        "license": "Apache-2.0",
    }
    task = ImageSegmentation(labels=LABELS)
    assets = [
        Asset(
            NETWORK,
            url=f"{PINNED}/{NETWORK}",
            sha256="350af47fd346ea6d74b58833a351f583ba860e9806ec5bd292ff8d8f1f249398",
            size=2_193_224,
        ),
        Asset(
            LABELS,
            url=f"{PINNED}/{LABELS}",
            sha256="7337a2b06728385fb3e1106416c67bfddf69628598b1f2f0db6a63cd63fb6b1e",
            size=263,
        ),
    ]

    def __init__(self, path=None):
        self.net = LiteRTRuntime(self.asset(NETWORK, path))

    @functools.cached_property
    def labels(self):
        """The background and the 20 classes; below them, the file has a remark on how Pascal VOC counts."""
        names = self.asset(LABELS).read_text(encoding="utf-8").splitlines()[:CLASSES]
        return tuple(Label(str(index), name) for index, name in enumerate(names))

    def _pre_process(self, image):
        """PIL RGB image → uint8 (513, 513, 3), RGB, the photo as large as its map in the upper left corner, and that
        size: height, width."""
        width, height = map_size(image)
        square = np.full((LONG_SIDE, LONG_SIDE, 3), GREY, np.uint8)
        square[:height, :width] = image.resize((width, height), Image.Resampling.BILINEAR, reducing_gap=3.0)
        return square, (height, width)

    def _predict(self, prepared):
        """What `_pre_process` made → the ids of the photo's pixels, int64 (height, width).

        The graph is fixed at one image.
        """
        square, (height, width) = prepared
        [ids] = self.net.run([square[None]])
        return ids[0, :height, :width]
