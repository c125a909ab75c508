"""MobileNet v2 of iNaturalist: names the species of a bird in a photo."""

import functools

import numpy as np

from maxfw.assets import Asset
from maxfw.media import resized
from maxfw.model import MAXModelWrapper, Probability
from maxfw.runtimes import LiteRTRuntime
from maxfw.tasks.base import Label
from maxfw.tasks.image_classification import ImageClassification, best

PINNED = "https://raw.githubusercontent.com/google-coral/test_data/104342d2d3480b3e66203073dac24f4e2dbb4c41"
SIDE = 224  # pixels
MOST = 5


class SpeciesClassifier(MAXModelWrapper):
    """A network that tells species apart, and from everything else; a subclass states its card and its two assets.

    The assets are the network and its labels, one a line, the last of which is `background`: no species at all.
    """

    def __init__(self, path=None):
        self.net = LiteRTRuntime(self.asset(self.assets[0].name, path))

    @functools.cached_property
    def labels(self):
        """The species, as `Ara macao (Scarlet Macaw)`, with their line, from 0, as id; without `background`."""
        names = self.asset(self.task.labels).read_text(encoding="utf-8").splitlines()[:-1]
        # Species without an English name end in " ()"; the insects' file has one apostrophe written as its code.
        names = [name.removesuffix(" ()").replace(r"\u2019", "\u2019") for name in names]
        return tuple(Label(str(index), name) for index, name in enumerate(names))

    def _pre_process(self, image):
        """PIL RGB image → the whole of it, stretched, uint8 (224, 224, 3), RGB."""
        return np.asarray(resized(image, (SIDE, SIDE)))

    def _predict(self, pixels):
        """uint8 (224, 224, 3) → the probability of each species, then of the background, float32 (n + 1,).

        The graph is fixed at one image.
        """
        [quantised] = self.net.run([pixels[None]])
        return self.net.outputs[0].dequantise(quantised[0])

    def _post_process(self, probabilities, *, threshold: Probability = 0.02):
        """The likeliest five of the species surer than `threshold`; none where the background is likelier than all."""
        species, background = probabilities[:-1], probabilities[-1]
        if background > species.sum():
            return []
        return [found for found in best(species, self.labels, MOST) if found.probability > threshold]


class ModelWrapper(SpeciesClassifier):
    """964 birds."""

    MODEL_META_DATA = {
        "id": "max-bird-classifier",
        "name": "Bird Classifier",
        "description": "MobileNet v2 trained on iNaturalist 2017: the likeliest of 964 species of birds in a photo.",
        "type": "Image Classification",
        "source": "https://github.com/google-coral/test_data",
        "license": "Apache-2.0",
    }
    task = ImageClassification(labels="inat_bird_labels.txt", decode_at=(SIDE, SIDE))
    assets = [
        Asset(
            "mobilenet_v2_1.0_224_inat_bird_quant.tflite",
            url=f"{PINNED}/mobilenet_v2_1.0_224_inat_bird_quant.tflite",
            sha256="350fcd8cf1df1560060d464595dfed8b174b05792788052896004848d9ad04f9",
            size=3_579_500,
        ),
        Asset(
            "inat_bird_labels.txt",
            url=f"{PINNED}/inat_bird_labels.txt",
            sha256="a16108dfe3f8daff015b87a97ab6a17e717b9b1bccd719f6d8f747746d7b9277",
            size=37_146,
        ),
    ]
