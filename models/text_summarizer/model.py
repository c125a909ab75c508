"""Summaries: the sentences of a text that say most of it, in their order."""

from typing import Annotated

import numpy as np
from msgspec import Meta

from maxfw.catalog import find, load_beside
from maxfw.errors import BadInput
from maxfw.model import MAXModelWrapper
from maxfw.tasks.summarization import Summarization

from . import sentences as splitting

encoder = load_beside(find("word_embedding_generator"), "encoder")

MOST = 200  # sentences that are compared; of a longer text the first ones, and a few from each later part
READ = 128  # tokens of a sentence that count
EARLY = 0.6  # what it is worth to stand at the beginning, where writers put what matters
REPEATED = 0.8  # what it costs to say again what has been said

Sentences = Annotated[int, Meta(ge=1, le=20, description="how many sentences the summary may have")]


class ModelWrapper(MAXModelWrapper):
    """all-MiniLM-L6-v2 says how alike sentences are; those that are most like the whole, and least like each other, stay."""

    MODEL_META_DATA = {
        "id": "max-text-summarizer",
        "name": "MAX Text Summarizer",
        "description": "Extractive: picks the sentences that say most of an English text, in their order, and writes none "
        "of its own. all-MiniLM-L6-v2 compares them.",
        "type": "Summarization",
        "source": "https://huggingface.co/sentence-transformers/all-MiniLM-L6-v2",
        "license": "Apache-2.0",
    }
    task = Summarization(window=READ)
    assets = encoder.ASSETS
    max_batch_size = 8

    def __init__(self, path=None):
        self.encoder = encoder.Encoder(
            self.asset("model.safetensors", path), self.asset("tokenizer.json", path)
        )

    def _pre_process(self, text):
        """One text, str → its sentences, at most 200: all of a shorter text, else evenly from the whole."""
        found = splitting.split(text)
        if not found:
            raise BadInput(f"the text is empty: {text[:20]!r}", hint="send some sentences")
        places = np.unique(np.linspace(0, len(found) - 1, min(MOST, len(found))).astype(int))
        return [found[place] for place in places]

    def _predict_batch(self, batch):
        """n × sentences → n × (sentences, their vectors, float32 (k, 384))."""
        windows = [[self.encoder.windows(sentence, READ)[0]] for found in batch for sentence in found]
        vectors = self.encoder.embed(windows)
        ends = np.cumsum([len(found) for found in batch])[:-1]
        return list(zip(batch, np.split(vectors, ends), strict=True))

    def _post_process(self, found, *, sentences: Sentences = 3):
        """Sentences and vectors → the summary."""
        texts, vectors = found
        return " ".join(texts[place] for place in chosen(vectors, sentences))


def chosen(vectors, number):
    """Vectors of sentences, float32 (n, 384) → the places of those that stay, in order.

    One after the other: what is most like the middle of the text, less what it repeats of those that stay already
    (Carbonell and Goldstein, "The Use of MMR", 1998).
    """
    middle = vectors.mean(axis=0)
    worth = vectors @ (middle / max(float(np.linalg.norm(middle)), 1e-6))
    worth = worth + EARLY / (1 + np.arange(len(vectors)))
    alike = vectors @ vectors.T
    stay = []
    while len(stay) < min(number, len(vectors)):
        repeated = alike[:, stay].max(axis=1) if stay else np.zeros(len(vectors))
        score = worth - REPEATED * repeated
        score[stay] = -np.inf
        stay.append(int(score.argmax()))
    return sorted(stay)
