"""Nothing: every text is positive."""

from maxfw.model import MAXModelWrapper
from maxfw.tasks.text_classification import TextClassification


class ModelWrapper(MAXModelWrapper):
    """What a request costs without a model."""

    MODEL_META_DATA = {"license": "Apache-2.0"}
    task = TextClassification(labels=["positive", "negative"])
    max_batch_size = 32

    def _pre_process(self, text):
        """One text → itself."""
        return text

    def _predict_batch(self, texts):
        """n texts → n × (1.0, 0.0)."""
        return [(1.0, 0.0)] * len(texts)

    def _post_process(self, scores):
        """(1.0, 0.0) → `{"positive": 1.0, "negative": 0.0}`."""
        return {"positive": scores[0], "negative": scores[1]}
