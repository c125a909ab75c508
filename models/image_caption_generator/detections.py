"""What the real detector would have seen in photos that nobody has here: learnt from 1,505 photos where it looked.

A photo of which only the captions and the true kinds of objects are known borrows the sightings of a photo like it:
with its wrong and missing objects, so that what is learnt from them copes with a real detector.
"""

import numpy as np
from decoder import KIND_OF_LINE, KINDS

LIKENESS = 0.05  # how much likelier the most similar photos are to be borrowed from (a temperature)
SEEN = 10  # objects, the most that the detector answers


def similarity(bags, donor_bags):
    """Cosine of word counts weighted by rarity, float32 (n, donors); bags are lists of words."""
    known = {word: at for at, word in enumerate(sorted({word for bag in bags for word in bag}))}
    rarity = np.zeros(len(known))
    for bag in bags:
        rarity[[known[word] for word in set(bag)]] += 1
    rarity = np.log(len(bags) / rarity.clip(1))

    def matrix(some):
        table = np.zeros((len(some), len(known)), dtype=np.float32)
        for row, bag in zip(table, some, strict=True):
            at, counts = np.unique([known[word] for word in bag if word in known], return_counts=True)
            row[at] = np.sqrt(counts / max(len(bag), 1)) * rarity[at]
        return table / np.linalg.norm(table, axis=1, keepdims=True).clip(1e-6)

    return matrix(bags) @ matrix(donor_bags).T


class Donors:
    """Photos with real detections, to borrow from.

    `found` are n × (classes (10,), scores (10,), boxes (10, 4)), `kinds` n sets of what is truly there, 0…79.
    """

    def __init__(self, found, kinds):
        self.found, self.kinds = found, kinds
        self.multihot = np.zeros((len(kinds), KINDS), dtype=np.float32)
        for row, there in zip(self.multihot, kinds, strict=True):
            row[list(there)] = 1

    def borrow(self, kinds, likeness, chance):
        """Detections for a photo with these true kinds; `likeness` float (n,) is that of its captions to each donor's.

        Returns the donor's number and (classes, scores, boxes), at most ten, surest first.
        """
        wanted = np.zeros(KINDS, dtype=np.float32)
        wanted[list(kinds)] = 1
        shared = self.multihot @ wanted
        union = self.multihot.sum(axis=1) + wanted.sum() - shared
        overlap = np.divide(shared, union, out=np.ones_like(union), where=union > 0)
        donor = self._pick(likeness + overlap, chance)
        classes, scores, boxes = self.found[donor]
        # What only the donor truly has goes, what only this photo has comes from another donor; errors stay.
        stay = ~np.isin(KIND_OF_LINE[classes], list(self.kinds[donor] - kinds))
        parts = [(classes[stay], scores[stay], boxes[stay])]
        for kind in sorted(kinds - self.kinds[donor]):
            having = np.flatnonzero(self.multihot[:, kind])
            if len(having):
                other = having[self._pick(likeness[having], chance)]
                its = KIND_OF_LINE[self.found[other][0]] == kind
                parts.append(tuple(array[its] for array in self.found[other]))
        classes, scores, boxes = (np.concatenate(arrays) for arrays in zip(*parts, strict=True))
        surest = np.argsort(-scores, kind="stable")[:SEEN]
        return donor, (classes[surest], scores[surest], boxes[surest])

    @staticmethod
    def _pick(likeness, chance):
        sums = np.cumsum(np.exp((likeness - likeness.max()) / LIKENESS, dtype=np.float64))
        return int(np.searchsorted(sums, chance.random() * sums[-1], side="right"))
