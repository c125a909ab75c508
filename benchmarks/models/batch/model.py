"""A network of four wide layers that `benchmarks/in_process/network.py` wrote: sixteen inputs cost little more than one."""

from pathlib import Path

import numpy as np

from maxfw.model import MAXModelWrapper
from maxfw.runtimes.onnx import OnnxRuntime
from maxfw.tasks.text_classification import TextClassification

NETWORK = Path(__file__).resolve().parents[2] / ".cache" / "mlp.onnx"


class ModelWrapper(MAXModelWrapper):
    """Says of a text something that depends on all of its bytes."""

    MODEL_META_DATA = {"license": "Apache-2.0"}
    task = TextClassification(labels=["positive", "negative"])
    max_batch_size = 32

    def __init__(self, path=None):
        self.net = OnnxRuntime(path or NETWORK, threads=1)

    def _pre_process(self, text):
        """One text → how often each byte is in it, float32 (256,)."""
        return np.bincount(np.frombuffer(text.encode(), dtype=np.uint8), minlength=256).astype(np.float32)

    def _predict_batch(self, batch):
        """n × float32 (256,) → float32 (n, 2), the probabilities of the labels."""
        return self.net.run([np.stack(batch)])[0]

    def _post_process(self, probabilities):
        """float32 (2,) → `{"positive": p, "negative": 1 - p}`."""
        positive = float(probabilities[0])
        return {"positive": positive, "negative": 1 - positive}
