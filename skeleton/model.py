"""Skeleton: say in one sentence what it finds in what."""

import numpy as np

from maxfw.model import MAXModelWrapper
from maxfw.tasks.image_classification import ImageClassification


class ModelWrapper(MAXModelWrapper):
    MODEL_META_DATA = {
        "id": "max-skeleton",
        "name": "Skeleton",
        "description": "Say in one sentence what it finds in what.",
        "type": "Image Classification",
        "source": "https://example.org/where-the-model-comes-from",
        "license": "Apache-2.0",
    }
    task = ImageClassification(labels=["red", "green", "blue"])

    def _pre_process(self, image):
        """PIL RGB image → its mean colour, float32 (3,), 0…255."""
        return np.asarray(image, dtype=np.float32).mean(axis=(0, 1))

    def _predict_batch(self, batch):
        """n × float32 (3,) → n × float32 (3,), the share of each colour."""
        colours = np.stack(batch) + 1e-6
        return colours / colours.sum(axis=1, keepdims=True)

    def _post_process(self, probabilities):
        """float32 (3,) → the same; the task ranks them and names their labels."""
        return probabilities
