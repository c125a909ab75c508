"""Named entities: the people, places, organisations and times that an English text names."""

from pathlib import Path

import numpy as np

from maxfw.errors import BadInput
from maxfw.model import MAXModelWrapper
from maxfw.tasks.base import Label
from maxfw.tasks.token_classification import TokenClassification

from . import features, network

WEIGHTS = Path(__file__).parent / "tagger.npz"
MEANING = {
    "geo": "geographical entity",
    "org": "organization",
    "per": "person",
    "gpe": "geopolitical entity",
    "tim": "time indicator",
    "art": "artifact",
    "eve": "event",
    "nat": "natural phenomenon",
}


def described(tag):
    """What a tag says: `"B-geo"` → "beginning of a geographical entity"."""
    place, _, kind = tag.partition("-")
    if not kind:
        return "no entity"
    return f"{'beginning' if place == 'B' else 'continuation'} of: {MEANING[kind]}"


class ModelWrapper(MAXModelWrapper):
    """A small convolution over terms, in numpy, trained by `train.py` beside this file."""

    MODEL_META_DATA = {
        "id": "max-named-entity-tagger",
        "name": "MAX Named Entity Tagger",
        "description": "Tags each term of an English text: people, places, organisations, nationalities, times, events. "
        "Trained on news of the Groningen Meaning Bank.",
        "type": "Token Classification",
        "source": "trained by train.py in this folder, see README.md",
        "license": "Apache-2.0",
    }
    task = TokenClassification(
        labels=[Label(str(i), tag, described(tag)) for i, tag in enumerate(network.TAGS)]
    )
    max_batch_size = 32

    def __init__(self, path=None):
        folder = Path(path or WEIGHTS.parent)
        self.words = network.read_words(folder / "words.txt")
        self.net = network.Tagger(folder / WEIGHTS.name)

    def _pre_process(self, text):
        """One text, str → its terms by sentences."""
        found = features.sentences(features.terms(text))
        if not found:
            raise BadInput(f"the text is empty: {text[:20]!r}", hint="send at least one word")
        return found

    def _predict_batch(self, batch):
        """n × sentences of terms → n × (terms, tags), both in a row."""
        tags = iter(self.tagged([sentence for sentences in batch for sentence in sentences]))
        return [
            (
                [term for sentence in sentences for term in sentence],
                [tag for _ in sentences for tag in next(tags)],
            )
            for sentences in batch
        ]

    def tagged(self, sentences):
        """Lists of terms → lists of tags, one for each term."""
        gap = np.zeros((network.GAP, 4), dtype=np.int32)
        parts = [features.numbers(sentence, self.words) for sentence in sentences]
        logits = self.net.logits(np.concatenate([part for one in parts for part in (one, gap)]))
        found, at = [], 0
        for part in parts:
            found.append(self.net.tags(logits[at : at + len(part)]))
            at += len(part) + network.GAP
        return found

    def _post_process(self, found):
        """(terms, tags) → `{"terms": […], "tags": […]}`."""
        terms, tags = found
        return {"terms": terms, "tags": tags}
