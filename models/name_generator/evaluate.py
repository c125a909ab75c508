"""How good the generator is, on names that it never saw."""

import numpy as np

from maxfw.quality import Measured

from . import data, network


def evaluate(model):
    """Perplexity a letter, the end of the name counted as one, of the held-out names."""
    _, held_out = data.load()
    where = f"US first names, {len(held_out):,} held out"
    return [Measured("perplexity a letter", where, perplexity(model.net, held_out), bar=7.2, at_most=True)]


def perplexity(net, rows):
    """`(name, gender, …)` → how many letters the network hesitates between, on average; told the gender."""
    surprise = letters = 0
    for at in range(0, len(rows), 512):
        some = rows[at : at + 512]
        ids = encoded([name for name, *_ in some])
        state = net.begin([network.GENDERS.index(row[1]) for row in some])
        for before, after in zip(ids.T, ids.T[1:], strict=False):
            state, logits = net.step(state, np.maximum(before, 0))
            top = logits.max(axis=1, keepdims=True)
            shares = logits - top - np.log(np.exp(logits - top).sum(axis=1, keepdims=True))
            there = after >= 0
            surprise -= shares[np.arange(len(some)), np.maximum(after, 0)][there].sum()
            letters += there.sum()
    return float(np.exp(surprise / letters))


def encoded(names):
    """n names → int (n, longest + 2): each with its edges, then -1."""
    ids = np.full((len(names), max(map(len, names)) + 2), -1, dtype=np.int64)
    for row, name in zip(ids, names, strict=True):
        row[: len(name) + 2] = [
            network.EDGE,
            *(network.LETTERS.index(letter) + 1 for letter in name),
            network.EDGE,
        ]
    return ids
