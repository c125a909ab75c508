"""The network in numpy: what it computes is what `train.py` trained in PyTorch."""

import numpy as np

from . import features

KINDS = ("geo", "org", "per", "gpe", "tim", "art", "eve", "nat")
TAGS = ("O", *(f"{place}-{kind}" for kind in KINDS for place in "BI"))
WIDTHS = (56, 24, 24, 16)  # numbers for a word, its ending, its beginning, its shape
HIDDEN, LAYERS = 112, 3
GAP = LAYERS  # rows of zeros between two sentences, so that neither sees the other
NEVER = -1e4
TRUST = 0.3  # how much the habits of tags count beside what the network says


def read_words(path):
    """The words of the vocabulary, one a line → word: row of its table."""
    lines = (
        path.read_text(encoding="utf-8").rstrip("\n").split("\n")
    )  # not splitlines: some words hold odd signs
    return {word: number for number, word in enumerate(lines, start=features.UNKNOWN + 1)}


def allowed(counts):
    """How often a tag follows another, float (18, 17) → log shares, with `NEVER` where an entity has no beginning."""
    share = np.log(counts / counts.sum(axis=1, keepdims=True)) * TRUST
    for before, name in enumerate([*TAGS, "start"]):
        for after, tag in enumerate(TAGS):
            if tag.startswith("I-") and name[2:] != tag[2:]:
                share[before, after] = NEVER
    return share


class Tagger:
    """Reads numbers of terms, says tags."""

    def __init__(self, path):
        with np.load(path) as arrays:
            self.arrays = {name: arrays[name].astype(np.float32) for name in arrays.files}
        for number in range(len(WIDTHS)):
            self.arrays[f"tables.{number}.weight"] *= self.arrays.pop(f"tables.{number}.weight.scale")

    def logits(self, rows):
        """int32 (n, 4), rows of zeros between sentences → float32 (n, 17)."""
        there = (rows[:, :1] > 0).astype(np.float32)
        seen = np.concatenate(
            [self.arrays[f"tables.{n}.weight"][rows[:, n]] for n in range(len(WIDTHS))], axis=1
        )
        hidden = self._linear("first", seen) * there
        edge = np.zeros((1, HIDDEN), dtype=np.float32)
        for layer in range(LAYERS):
            before, after = np.concatenate([edge, hidden[:-1]]), np.concatenate([hidden[1:], edge])
            both = self._linear(f"layers.{layer}", np.concatenate([before, hidden, after], axis=1))
            gate, value = both[:, :HIDDEN], both[:, HIDDEN:]
            hidden = (hidden + np.tanh(value) / (1 + np.exp(-gate))) * there
        return self._linear("last", hidden)

    def _linear(self, name, x):
        return x @ self.arrays[f"{name}.weight"].T + self.arrays[f"{name}.bias"]

    def tags(self, logits):
        """float32 (n, 17) of one sentence → the likeliest row of tags that is no nonsense (Viterbi, 1967)."""
        follows = self.arrays["follows"]
        scores = logits - np.log(
            np.exp(logits - logits.max(axis=1, keepdims=True)).sum(axis=1, keepdims=True)
        )
        best, came_from = scores[0] + follows[-1], []
        for row in scores[1:]:
            ways = best[:, None] + follows[:-1]
            came_from.append(ways.argmax(axis=0))
            best = ways.max(axis=0) + row
        path = [int(best.argmax())]
        for back in reversed(came_from):
            path.append(int(back[path[-1]]))
        return [TAGS[tag] for tag in reversed(path)]
