"""The network in numpy: what it computes is what `train.py` trained in PyTorch."""

import numpy as np

from . import features

DEEP, HIDDEN = 24, 48  # numbers for each piece of a word; numbers of the layer after it


class Classifier:
    """A wide part, six numbers for each word and pair, and a deep part, vectors of pieces through a layer."""

    def __init__(self, path):
        with np.load(path) as arrays:
            self.arrays = {name: arrays[name].astype(np.float32) for name in arrays.files}
        for table in ("wide", "wide_pieces", "deep"):
            self.arrays[table] *= self.arrays.pop(f"{table}.scale")

    def logits(self, rows):
        """`(rows of words, rows of pieces)` of one window → float32 (6,)."""
        arrays = self.arrays
        words, pieces = rows
        out = arrays["bias"].copy()
        if words:
            out += arrays["wide"][words].sum(axis=0) / np.sqrt(len(words))
        if pieces:
            out += arrays["wide_pieces"][pieces].sum(axis=0) / np.sqrt(len(pieces))
            hidden = np.maximum(
                arrays["deep"][pieces].sum(axis=0) / np.sqrt(len(pieces)) @ arrays["inner"]
                + arrays["inner_bias"],
                0,
            )
            out += hidden @ arrays["outer"]
        return out


def probabilities(windows, net):
    """Windows of rows → float32 (6,): how probable each label is, as strong as in the window where it is strongest."""
    logits = np.stack([net.logits(rows) for rows in windows]).max(axis=0)
    return (1 / (1 + np.exp(-logits))).astype(np.float32)


def read(text):
    """One text → its windows of rows."""
    return [features.rows_of(words) for words in features.windows(text)]
