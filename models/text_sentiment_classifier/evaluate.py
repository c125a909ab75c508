"""How good the classifier is, on the held-out rows of two corpora."""

from maxfw.quality import Measured

from . import corpora

BARS = {"UCI sentences": 0.87, "rt-polarity": 0.75}


def evaluate(model):
    """The accuracy on the held-out part of each."""
    divided, found = corpora.load(), []
    for name, bar in BARS.items():
        rows = divided[name].held_out
        right = sum((model.predict(text)["positive"] > 0.5) == (label > 0.5) for text, label in rows)
        found.append(Measured("accuracy", f"{name}, {len(rows):,} held out", right / len(rows), bar))
    return found
