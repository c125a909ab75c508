"""Text sentiment, the thorough one: is an English text positive or negative?"""

from pathlib import Path

import numpy as np

from maxfw.catalog import find, load_beside
from maxfw.errors import BadInput
from maxfw.model import MAXModelWrapper
from maxfw.tasks.text_classification import TextClassification

encoder = load_beside(find("word_embedding_generator"), "encoder")

ADAPTER = Path(__file__).parent / "sentiment.npz"
WINDOW = 128  # tokens that the network reads at a time


class ModelWrapper(MAXModelWrapper):
    """all-MiniLM-L6-v2 with a low-rank adapter and a linear layer, trained by `train.py` beside this file."""

    MODEL_META_DATA = {
        "id": "max-text-sentiment-classifier-minilm",
        "name": "MAX Text Sentiment Classifier (MiniLM)",
        "description": "Says whether a short English text is positive or negative: slower and more often right than "
        "text_sentiment_classifier, whose place it can take.",
        "type": "Text Classification",
        "source": "https://huggingface.co/sentence-transformers/all-MiniLM-L6-v2",
        "license": "Apache-2.0",
    }
    task = TextClassification(labels=["positive", "negative"], window=WINDOW)
    assets = encoder.ASSETS
    max_batch_size = 32

    def __init__(self, path=None):
        with np.load(Path(path) / ADAPTER.name if path else ADAPTER) as arrays:
            adapter = {name: arrays[name] for name in arrays.files}
        self.weight, self.bias = (adapter.pop(name).astype(np.float32) for name in ("Wh", "bh"))
        self.encoder = encoder.Encoder(self.asset("model.safetensors"), self.asset("tokenizer.json"), adapter)

    def _pre_process(self, text):
        """One text, str → its windows, lists of at most 128 token ids."""
        if not text.strip():
            raise BadInput(f"the text is empty: {text[:20]!r}", hint="send at least one word")
        return self.encoder.windows(text, WINDOW)

    def _predict_batch(self, batch):
        """n × windows → n × float: how probably each text is positive, the mean of its windows by their length."""
        rows = [window for windows in batch for window in windows]
        scores = iter([(self._score(tokens), len(tokens)) for tokens in self.encoder.run(rows)])
        found = []
        for windows in batch:
            parts = [next(scores) for _ in windows]
            found.append(
                float(np.average([score for score, _ in parts], weights=[count for _, count in parts]))
            )
        return found

    def _score(self, tokens):
        """float32 (length, 384) → the probability of one window."""
        logit = np.concatenate([tokens.mean(axis=0), tokens[0]]) @ self.weight + self.bias
        return 1 / (1 + np.exp(-float(logit[0])))

    def _post_process(self, positive):
        """A probability → `{"positive": p, "negative": 1 - p}`."""
        return {"positive": positive, "negative": 1 - positive}
