"""Text sentiment: is an English sentence positive or negative?"""

import re
import unicodedata
from pathlib import Path

import numpy as np

from maxfw.errors import BadInput
from maxfw.model import MAXModelWrapper
from maxfw.runtimes.litert import LiteRTRuntime
from maxfw.tasks.text_classification import TextClassification

WEIGHTS = Path(__file__).parent / "sentiment.tflite"

WINDOW = 64  # tokens that the network reads at a time
ROWS = 64  # windows in one call of the network, so that a long text needs no more memory than a batch
PADDING, UNKNOWN = 0, 1  # the first two token ids; the words of the vocabulary follow

# Each apostrophe that people type becomes the plain one.
APOSTROPHES = str.maketrans("\u2018\u2019\u02bc\u00b4`", "'''''")
# "don't", "dont", "do n't" → "do not": a negation is always a word of its own.
NEGATION = re.compile(
    r"\b(ai|are|ca|could|did|does|do|had|has|have|is|must|need|should|was|were|wo|would) ?n'?t\b"
)
DRAWN_OUT = re.compile(r"(\w)\1{2,}")  # "sooooo" → "soo"
TOKEN = re.compile(r"[:;=]-?[()dp](?!\w)|<3|'(?:s|m|re|ve|ll|d)\b|[^\W\d_]+|\d+|!+|\?+|\.{2,}|[^\w\s]")


def tokens(text):
    """One text → its words and signs, lower case, in order: `"It isn't BAD!!"` → `["it", "is", "not", "bad", "!!"]`."""
    text = unicodedata.normalize("NFKC", text).lower().translate(APOSTROPHES)
    text = NEGATION.sub(r"\1 not", text)
    text = DRAWN_OUT.sub(r"\1\1", text).replace("cannot", "can not")
    return [token[:2] if token[0] in "!?." else token for token in TOKEN.findall(text)]


def token_ids(text, ids_of):
    """One text → int32 (windows, 64): its tokens, 64 to a window, the last window filled up with zeros."""
    ids = [ids_of.get(token, UNKNOWN) for token in tokens(text)] or [UNKNOWN]
    ids += [PADDING] * (-len(ids) % WINDOW)
    return np.array(ids, dtype=np.int32).reshape(-1, WINDOW)


def read_vocabulary(path):
    """The words that the network knows, one a line, each with its token id."""
    words = path.read_text(encoding="utf-8").splitlines()
    return {word: number for number, word in enumerate(words, start=UNKNOWN + 1)}


class ModelWrapper(MAXModelWrapper):
    """Two small word networks in one LiteRT graph, trained by `train.py` beside this file."""

    MODEL_META_DATA = {
        "id": "max-text-sentiment-classifier",
        "name": "MAX Text Sentiment Classifier",
        "description": "Says whether a short English text is positive or negative. Trained on sentences of reviews and comments.",
        "type": "Text Classification",
        "source": "trained by train.py in this folder, see README.md",
        "license": "Apache-2.0",
    }
    task = TextClassification(labels=["positive", "negative"])
    max_batch_size = 64

    def __init__(self, path=None):
        weights = Path(path or WEIGHTS)
        weights = weights / WEIGHTS.name if weights.is_dir() else weights
        self.ids_of = read_vocabulary(weights.with_name("vocabulary.txt"))
        self.network = LiteRTRuntime(weights)

    def _pre_process(self, text):
        """One text, str → token ids, int32 (windows, 64); a text of up to 64 tokens is one window."""
        if not text.strip():
            raise BadInput(f"the text is empty: {text[:20]!r}", hint="send at least one word")
        return token_ids(text, self.ids_of)

    def _predict_batch(self, batch):
        """n × int32 (windows, 64) → n × float32 (2,): how probably each text is positive, and negative."""
        return [
            self._of_text(windows, positive)
            for windows, positive in zip(batch, self._of_windows(batch), strict=True)
        ]

    def _of_windows(self, batch):
        """n × int32 (windows, 64) → n × float32 (windows,), the probability that each window is positive."""
        rows = np.concatenate(batch)
        positive = [self.network.run([rows[at : at + ROWS]])[0] for at in range(0, len(rows), ROWS)]
        ends = np.cumsum([len(windows) for windows in batch])
        return np.split(np.concatenate(positive).reshape(-1), ends[:-1])

    @staticmethod
    def _of_text(windows, positive):
        """A text counts as the mean of its windows, each as heavy as its number of tokens."""
        mean = np.average(positive, weights=np.count_nonzero(windows, axis=1))
        return np.array([mean, 1 - mean], dtype=np.float32)

    def _post_process(self, probabilities):
        """float32 (2,) → `{"positive": p, "negative": 1 - p}`."""
        positive, negative = map(float, probabilities)
        return {"positive": positive, "negative": negative}
