"""MobileNet v1 without its last layer: a photo as a vector, near to those of photos that show alike things."""

import numpy as np

from maxfw.assets import Asset
from maxfw.media import resized
from maxfw.model import MAXModelWrapper
from maxfw.runtimes import LiteRTRuntime
from maxfw.tasks.image_embedding import ImageEmbedding

PINNED = "https://raw.githubusercontent.com/google-coral/test_data/104342d2d3480b3e66203073dac24f4e2dbb4c41"
NETWORK = "mobilenet_v1_1.0_224_quant_embedding_extractor.tflite"
SIDE = 224  # pixels


class ModelWrapper(MAXModelWrapper):
    """MobileNet v1 1.0 224, 8-bit: 1,024 numbers, none below zero, a vector of length 1."""

    MODEL_META_DATA = {
        "id": "max-image-embedder",
        "name": "Image Embedder",
        "description": "MobileNet v1 trained on ImageNet: a photo as 1,024 numbers, for search by likeness.",
        "type": "Image Embedding",
        "source": "https://github.com/google-coral/test_data",
        "license": "Apache-2.0",
    }
    task = ImageEmbedding(decode_at=(SIDE, SIDE))
    assets = [
        Asset(
            NETWORK,
            url=f"{PINNED}/{NETWORK}",
            sha256="f409ef4f73fcbb9667841965623c5c8524aac33d41b9bf5f3667161fb4a76319",
            size=3_251_736,
        )
    ]

    def __init__(self, path=None):
        self.net = LiteRTRuntime(self.asset(NETWORK, path))

    def _pre_process(self, image):
        """PIL RGB image → the whole of it, stretched, uint8 (224, 224, 3), RGB."""
        return np.asarray(resized(image, (SIDE, SIDE)))

    def _predict(self, pixels):
        """uint8 (224, 224, 3) → the means of the last feature maps, float32 (1024,), 0…6.

        The graph is fixed at one image.
        """
        [quantised] = self.net.run([pixels[None]])
        return self.net.outputs[0].dequantise(quantised.reshape(-1))

    def _post_process(self, features):
        """float32 (1024,) → the same direction with length 1, so that a dot product is the cosine."""
        return features / max(float(np.linalg.norm(features)), 1e-6)
