"""Mobile Object Labeler: tags a photo with everything in it that it knows."""

import functools
import zipfile
from typing import Annotated

import numpy as np
from msgspec import Meta

from maxfw.assets import Asset
from maxfw.media import resized
from maxfw.model import MAXModelWrapper, Probability
from maxfw.runtimes import LiteRTRuntime
from maxfw.tasks.base import Label
from maxfw.tasks.image_classification import ImageClassification, best

PINNED = "https://raw.githubusercontent.com/googlesamples/mlkit/f1047837fe1e02d58063bfc30b830fad23ffbc35"
NETWORK = "object_labeler.tflite"
SIDE = 224  # pixels

Count = Annotated[int, Meta(ge=1, le=631, description="the most tags that are answered")]


class ModelWrapper(MAXModelWrapper):
    """Google's Mobile Object Labeler v1, 8-bit: each of 631 tags on its own, several may be right."""

    MODEL_META_DATA = {
        "id": "max-image-tagger",
        "name": "Image Tagger",
        "description": "Google's Mobile Object Labeler: every one of 631 tags that fits a photo, several at once.",
        "type": "Image Classification",
        "source": "https://github.com/googlesamples/mlkit",
        "license": "Apache-2.0",
    }
    task = ImageClassification(decode_at=(SIDE, SIDE))
    assets = [
        Asset(
            NETWORK,
            url=f"{PINNED}/android/vision-quickstart/app/src/main/assets/custom_models/{NETWORK}",
            sha256="9400671e04685f5277edd3052a311cc51533de9da94255c52ebde1e18484c77c",
            size=3_770_391,
        )
    ]

    def __init__(self, path=None):
        self.file = self.asset(NETWORK, path)
        self.net = LiteRTRuntime(self.file)

    @functools.cached_property
    def labels(self):
        """The tags, with their id in Google's Knowledge Graph; both lists are a zip archive at the network's end."""
        with zipfile.ZipFile(self.file) as archive:
            ids, names = (
                archive.read(member).decode().splitlines()
                for member in ("probability-labels.txt", "probability-labels-en.txt")
            )
        return tuple(Label(id, name) for id, name in zip(ids, names, strict=True))

    def _pre_process(self, image):
        """PIL RGB image → the whole of it, stretched, uint8 (224, 224, 3), RGB."""
        return np.asarray(resized(image, (SIDE, SIDE)))

    def _predict(self, pixels):
        """uint8 (224, 224, 3) → the probability of each tag, float32 (631,). The graph is fixed at one image."""
        [quantised] = self.net.run([pixels[None]])
        return self.net.outputs[0].dequantise(quantised[0])

    def _post_process(self, probabilities, *, threshold: Probability = 0.5, top: Count = 10):
        """The `top` likeliest of the tags surer than `threshold`, best first."""
        return [found for found in best(probabilities, self.labels, top) if found.probability > threshold]
