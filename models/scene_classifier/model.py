"""Two networks that were not trained for it say what kind of place a photo shows."""

from typing import Annotated

import numpy as np
from msgspec import Meta

from maxfw.catalog import find, load_module
from maxfw.model import MAXModelWrapper
from maxfw.tasks.base import Label
from maxfw.tasks.image_classification import Classification, ImageClassification, best

ImageClassifier = load_module(find("image_classifier")).ModelWrapper
ImageTagger = load_module(find("image_tagger")).ModelWrapper

UNSURE = Label("0", "unsure", "not enough of a place that the model knows")
MOST = 5
LEAST = 0.05

Mass = Annotated[float, Meta(ge=0, le=1, description="how much of both networks' belief must be in places")]


class ModelWrapper(MAXModelWrapper):
    """MobileNet v2 and the Mobile Object Labeler; `scenes.txt` says which of their classes stand for which scene."""

    MODEL_META_DATA = {
        "id": "max-scene-classifier",
        "name": "Scene Classifier",
        "description": "MobileNet v2 and Google's Mobile Object Labeler say which of 29 kinds of places a photo shows, "
        "or that they are unsure.",
        "type": "Image Classification",
        "source": "https://github.com/tensorflow/tflite-support",
        "license": "Apache-2.0",
    }
    task = ImageClassification(decode_at=ImageClassifier.task.decode_at)
    assets = [*ImageClassifier.assets, *ImageTagger.assets]

    def __init__(self, path=None):
        self.classifier, self.tagger = ImageClassifier(path), ImageTagger(path)
        lines = self.asset("scenes.txt").read_text(encoding="utf-8").splitlines()
        names, members = zip(*(line.split(":") for line in lines), strict=True)
        self.labels = (UNSURE, *(Label(str(index), name) for index, name in enumerate(names, 1)))
        classes, tags = zip(*(each.split("|") for each in members), strict=True)
        self.classes = places(classes, self.classifier.labels)
        self.tags = places(tags, self.tagger.labels)

    def _pre_process(self, image):
        """PIL RGB image → the whole of it, stretched, uint8 (224, 224, 3), RGB, which both networks take."""
        return self.classifier._pre_process(image)

    def _predict(self, pixels):
        """uint8 (224, 224, 3) → logits of ImageNet's classes, float32 (1000,), and probabilities of tags, (631,)."""
        return self.classifier._predict(pixels), self.tagger._predict(pixels)

    def _post_process(self, found, *, threshold: Mass = 0.4):
        """The likeliest scenes, all of them together scaled to 1, of which small ones are left out; or "unsure" alone.

        A scene has the mean of what the networks believe: of the one the sum of its classes, of the other the
        likeliest of its tags. What all scenes have together, 0…1, is the mass that must reach `threshold`.
        """
        logits, tags = found
        by_class = self.classes @ self.classifier._post_process(logits)
        by_tag = (self.tags * tags).max(axis=1)
        masses = (by_class + by_tag / max(1.0, by_tag.sum())) / 2
        mass = float(masses.sum())
        if mass <= 0 or mass < threshold:
            return [Classification(UNSURE.id, UNSURE.name, 1 - mass)]
        likeliest = best(masses / mass, self.labels[1:], MOST)
        return [scene for scene in likeliest if scene.probability >= LEAST]


def places(members, labels):
    """The names for each scene, "cab; minibus", and labels to find them in → 1 or 0, float32 (scenes, labels)."""
    names = [label.name for label in labels]
    table = np.zeros((len(members), len(labels)), np.float32)
    for row, said in zip(table, members, strict=True):
        row[[names.index(name.strip()) for name in said.split(";") if name.strip()]] = 1
    return table
