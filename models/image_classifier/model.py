"""MobileNet v2: names what a photo shows, out of the 1,000 classes of ImageNet."""

import functools

import numpy as np

from maxfw.assets import Asset
from maxfw.media import resized
from maxfw.model import MAXModelWrapper
from maxfw.runtimes import LiteRTRuntime
from maxfw.tasks.base import Label
from maxfw.tasks.image_classification import ImageClassification

PINNED = (
    "https://raw.githubusercontent.com/tensorflow/tflite-support/dd3362ea685bb7ab1f7268c81ec567d3b720ae57"
    "/tensorflow_lite_support/metadata/python/tests/testdata/image_classifier"
)
NETWORK = "mobilenet_v2_1.0_224_quant.tflite"
LABELS = "imagenet_labels_1001.txt"
SIDE = 224  # pixels


class ModelWrapper(MAXModelWrapper):
    """MobileNet v2 1.0 224, 8-bit: the five likeliest of 1,000 classes."""

    MODEL_META_DATA = {
        "id": "max-image-classifier",
        "name": "Image Classifier",
        "description": "MobileNet v2 trained on ImageNet: the five likeliest of 1,000 things a photo may show.",
        "type": "Image Classification",
        "source": "https://github.com/tensorflow/tflite-support",
        "license": "Apache-2.0",
    }
    task = ImageClassification(labels=LABELS, decode_at=(SIDE, SIDE))
    assets = [
        Asset(
            NETWORK,
            url=f"{PINNED}/{NETWORK}",
            sha256="f08d447cde49b4e0446428aa921aff0a14ea589fa9c5817b31f83128e9a43c1d",
            size=3_577_760,
        ),
        Asset(
            LABELS,
            url=f"{PINNED}/labels.txt",
            sha256="536feacc519de3d418de26b2effb4d75694a8c4c0063e36499a46fa8061e2da9",
            size=10_484,
        ),
    ]

    def __init__(self, path=None):
        self.net = LiteRTRuntime(self.asset(NETWORK, path))

    @functools.cached_property
    def labels(self):
        """The 1,000 classes, with their index 0…999 as id; the network's first output, "background", is none of them."""
        names = self.asset(LABELS).read_text(encoding="utf-8").splitlines()[1:]
        return tuple(Label(str(index), name) for index, name in enumerate(names))

    def _pre_process(self, image):
        """PIL RGB image → the whole of it, stretched, uint8 (224, 224, 3), RGB."""
        return np.asarray(resized(image, (SIDE, SIDE)))

    def _predict(self, pixels):
        """uint8 (224, 224, 3) → logits of the 1,000 classes, float32 (1000,). The graph is fixed at one image."""
        [quantised] = self.net.run([pixels[None]])
        return self.net.outputs[0].dequantise(quantised[0, 1:])

    def _post_process(self, logits):
        """float32 (1000,) → probabilities, float32 (1000,)."""
        powers = np.exp(logits - logits.max())
        return powers / powers.sum()
