"""How good the classifier is, on the texts that are held out from text_sentiment_classifier, too."""

from maxfw.catalog import find, load_beside
from maxfw.quality import Measured

corpora = load_beside(find("text_sentiment_classifier"), "corpora")

BARS = {
    "UCI sentences": 0.92,
    "rt-polarity": 0.77,
    "GoEmotions": 0.87,
    "pros and cons": 0.90,
    "product reviews": 0.80,
}


def evaluate(model):
    """The accuracy on the held-out part of each corpus."""
    found = []
    for name, corpus in corpora.load().items():
        rows = corpus.held_out
        right = [
            (p > 0.5) == (label > 0.5) for p, (_, label) in zip(predicted(model, rows), rows, strict=True)
        ]
        found.append(
            Measured("accuracy", f"{name}, {len(rows):,} held out", sum(right) / len(right), BARS[name])
        )
    return found


def predicted(model, rows, *, batch=32):
    """`(text, label)` → the probabilities that they are positive."""
    return [
        one
        for at in range(0, len(rows), batch)
        for one in model._predict_batch([model._pre_process(text) for text, _ in rows[at : at + batch]])
    ]
