"""A model whose 20 milliseconds are not spent on this machine's processors, like one on an accelerator."""

import time

from maxfw.model import MAXModelWrapper
from maxfw.tasks.text_classification import TextClassification

SECONDS = 0.020


class ModelWrapper(MAXModelWrapper):
    """One text at a time, fifty a second."""

    MODEL_META_DATA = {"license": "Apache-2.0"}
    task = TextClassification(labels=["positive", "negative"])

    def _predict(self, text):
        """One text → (1.0, 0.0), after 20 ms."""
        time.sleep(SECONDS)
        return (1.0, 0.0)
