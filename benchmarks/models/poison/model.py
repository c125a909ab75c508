"""A model that breaks on some inputs, and with it the batch they are in."""

import numpy as np

from maxfw.model import MAXModelWrapper
from maxfw.tasks.text_classification import TextClassification


class ModelWrapper(MAXModelWrapper):
    """Texts are numbers; the answer tells which one came, and a negative one breaks the network."""

    MODEL_META_DATA = {"license": "Apache-2.0"}
    task = TextClassification(labels=["number"])
    max_batch_size = 32

    def _pre_process(self, text):
        """`"17"` → float64 (1,)."""
        return np.array([float(text)])

    def _predict_batch(self, batch):
        """n × float64 (1,) → float64 (n, 1), the numbers divided by 2²⁰."""
        numbers = np.stack(batch)
        if (numbers < 0).any():
            raise FloatingPointError("a negative number is in the batch")
        return numbers / 2**20

    def _post_process(self, number):
        """float64 (1,) → `{"number": x}`."""
        return {"number": float(number[0])}
