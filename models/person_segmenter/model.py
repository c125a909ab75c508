"""MediaPipe's selfie segmentation: cuts people out of a photo."""

import numpy as np
from PIL import Image

from maxfw.assets import Asset
from maxfw.media import resized
from maxfw.model import MAXModelWrapper, Probability
from maxfw.runtimes import LiteRTRuntime
from maxfw.tasks.image_segmentation import ImageSegmentation, map_size

NETWORK = "selfie_segmentation.tflite"
SIDE = 256  # pixels


class ModelWrapper(MAXModelWrapper):
    """The general model of MediaPipe's selfie segmentation: person or not, for each pixel."""

    MODEL_META_DATA = {
        "id": "max-person-segmenter",
        "name": "Person Segmenter",
        "description": "MediaPipe's selfie segmentation: which pixels of a photo belong to the people in front.",
        "type": "Image Segmentation",
        "source": "https://github.com/google-ai-edge/mediapipe",
        "license": "Apache-2.0",
    }
    task = ImageSegmentation(labels=["background", "person"])
    assets = [
        Asset(
            NETWORK,
            url=f"https://storage.googleapis.com/mediapipe-assets/{NETWORK}?generation=1683332563830600",
            sha256="9ee168ec7c8f2a16c56fe8e1cfbc514974cbbb7e434051b455635f1bd1462f5c",
            size=249_505,
        )
    ]

    def __init__(self, path=None):
        self.net = LiteRTRuntime(self.asset(NETWORK, path))

    def _pre_process(self, image):
        """PIL RGB image → the whole of it, stretched, float32 (256, 256, 3), RGB, 0…1, and the map's width, height."""
        small = resized(image, (SIDE, SIDE), four_samples=True)
        return np.asarray(small) * np.float32(1 / 255), map_size(image)

    def _predict(self, prepared):
        """What `_pre_process` made → how probably each pixel is a person, float32 (256, 256), and the map's size.

        The graph is fixed at one image.
        """
        pixels, size = prepared
        [probabilities] = self.net.run([pixels[None]])
        return probabilities[0, :, :, 0], size

    def _post_process(self, found, *, threshold: Probability = 0.5):
        """A map, uint8 (height, width): 1 where a person is surer than `threshold`, else 0."""
        probabilities, size = found
        smooth = Image.fromarray(probabilities).resize(size, Image.Resampling.BILINEAR)
        return (np.asarray(smooth) > threshold).astype(np.uint8)
