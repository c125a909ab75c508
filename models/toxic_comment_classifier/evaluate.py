"""How good the classifier is, on held-out comments."""

import numpy as np

from maxfw.quality import Measured

from . import data, network


def evaluate(model):
    """The area under the ROC curve of each label and their mean, and of `toxic` on another part of Jigsaw's comments."""
    _, _, held_out = data.load_six()
    said, wanted = predicted(model, held_out), np.array([labels for _, labels in held_out])
    areas = [area(said[:, n], wanted[:, n]) for n in range(len(data.LABELS))]
    where = f"Jigsaw, {len(held_out):,} comments held out"
    rows = [Measured("mean AUC of six labels", where, float(np.mean(areas)), bar=0.92)]
    rows += [
        Measured(f"AUC of {name}", where, value, bar=0.85)
        for name, value in zip(data.LABELS, areas, strict=True)
    ]
    _, other = data.load_toxic_or_not()
    value = area(predicted(model, other)[:, 0], np.array([label for _, label in other]))
    return [
        *rows,
        Measured("AUC of toxic", f"Jigsaw's test part, {len(other):,} comments held out", value, bar=0.92),
    ]


def predicted(model, rows):
    """Comments → float (n, 6)."""
    return np.stack([network.probabilities(network.read(text), model.net) for text, *_ in rows])


def area(scores, labels):
    """The chance that a comment with the label scores above one without (Mann and Whitney, 1947), ties count half."""
    order = np.argsort(scores, kind="stable")
    ranked = scores[order]
    starts = np.flatnonzero(np.r_[True, ranked[1:] != ranked[:-1]])
    counts = np.diff(np.r_[starts, len(ranked)])
    ranks = np.empty(len(scores))
    ranks[order] = np.repeat(starts + (counts + 1) / 2, counts)
    ones = labels > 0.5
    many, few = ones.sum(), (~ones).sum()
    return float((ranks[ones].sum() - many * (many + 1) / 2) / (many * few))
