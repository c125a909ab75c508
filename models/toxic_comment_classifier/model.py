"""Toxic comments: insults, obscenities, threats and hate in English comments."""

from pathlib import Path

from maxfw.errors import BadInput
from maxfw.model import MAXModelWrapper
from maxfw.tasks.base import Label
from maxfw.tasks.toxicity import Toxicity

from . import network

WEIGHTS = Path(__file__).parent / "classifier.npz"
LABELS = {
    "toxic": "very hateful, aggressive or disrespectful, likely to make people leave a discussion",
    "severe_toxic": "the same, stronger",
    "obscene": "swearing, or words for sex and excretion",
    "threat": "a wish or an intention to do harm to somebody",
    "insult": "offends or belittles somebody",
    "identity_hate": "hateful about an ethnicity, a religion, a gender or the like",
}


class ModelWrapper(MAXModelWrapper):
    """A wide and a deep part over words and pieces of words, in numpy, trained by `train.py` beside this file."""

    MODEL_META_DATA = {
        "id": "max-toxic-comment-classifier",
        "name": "MAX Toxic Comment Classifier",
        "description": "Says how probably an English comment is toxic, in six ways. Trained on comments of Wikipedia's "
        "discussions; it also suspects harmless comments about identity, so let a person decide.",
        "type": "Toxicity",
        "source": "trained by train.py in this folder, see README.md",
        "license": "CC-BY-SA-3.0",
    }
    task = Toxicity(
        labels=[Label(str(number), name, said) for number, (name, said) in enumerate(LABELS.items())]
    )
    max_batch_size = 32

    def __init__(self, path=None):
        self.net = network.Classifier(Path(path or WEIGHTS.parent) / WEIGHTS.name)

    def _pre_process(self, text):
        """One text, str → the rows of its words, by windows of 400 words."""
        if not text.strip():
            raise BadInput(f"the text is empty: {text[:20]!r}", hint="send at least one word")
        return network.read(text)

    def _predict_batch(self, batch):
        """n × windows → n × float32 (6,), the probability of each label."""
        return [network.probabilities(windows, self.net) for windows in batch]
