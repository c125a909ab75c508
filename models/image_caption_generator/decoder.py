"""From what a detector and an embedder saw to sentences: a small LSTM, searched with beams.

The idea is that of Yin and Ordonez, "OBJ2TEXT: Generating Visually Descriptive Language from Object Layouts" (2017),
in the manner of Vinyals et al., "Show and Tell: A Neural Image Caption Generator" (2015).
"""

from itertools import pairwise

import numpy as np

from maxfw.runtimes.litert import LiteRTRuntime

KINDS, LINES = 80, 90  # COCO's kinds of objects, and the lines of the label file, where ten are unused
UNUSED = (11, 25, 28, 29, 44, 65, 67, 68, 70, 82)  # lines
KIND_OF_LINE = np.full(LINES, -1)
KIND_OF_LINE[[line for line in range(LINES) if line not in UNUSED]] = np.arange(KINDS)
LEAST_SCORE = 0.2  # of an object that counts at all
LAYOUT = 5 * KINDS

PADDING, START, END, UNKNOWN = range(4)  # the first token ids; the words of the vocabulary follow
BEAMS, LONGEST = 4, 18  # sentences that are followed at a time, words
CONTRAST = 0.3  # how much of the log probability without any object is taken off
LEAST_LIKELY = np.log(0.05)  # a word is thought of only if it is this probable beside the likeliest one
CANDIDATES = 12  # finished sentences of which the best are chosen
ANSWERED = 3
OTHERWISE = 2  # words that a further sentence must not share with a better one, at least
REPEATABLE = (
    *(
        "a",
        "an",
        "the",
        "of",
        "on",
        "in",
        "with",
        "and",
        "is",
        "are",
        "to",
        "at",
        "that",
        "it",
        "their",
        "by",
        "for",
    ),
    *("as", "next"),
)


def layout(classes, scores, boxes):
    """What the detector saw → for each of the 80 kinds how surely, how many, how large and where, float32 (400,).

    `classes` int (k,) are lines of the label file, `scores` float (k,) are 0…1, surest first, `boxes` (k, 4) are
    ymin, xmin, ymax, xmax in 0…1. Size (the root of the area) and place (−1…1 from the centre) are those of the surest
    object of a kind, all times its score, so that what is doubtful says little.
    """
    seen = np.zeros((5, KINDS), dtype=np.float32)
    kinds = KIND_OF_LINE[np.asarray(classes, dtype=int)]
    for kind, score, box in zip(kinds[::-1], scores[::-1], np.clip(boxes, 0, 1)[::-1], strict=True):
        if kind < 0 or score < LEAST_SCORE:
            continue
        ymin, xmin, ymax, xmax = box
        side = np.sqrt(max(ymax - ymin, 0) * max(xmax - xmin, 0))
        seen[1, kind] += score
        seen[[0, 2, 3, 4], kind] = score * np.array([1, side, ymin + ymax - 1, xmin + xmax - 1])
    seen[1] = np.log1p(seen[1])
    return seen.ravel()


class Decoder:
    """The network at `path`, and the words of `vocabulary.txt` beside it."""

    def __init__(self, path):
        # One thread: the steps are so small that a second one costs more than it brings.
        self.net = LiteRTRuntime(path, threads=1)
        self.words = path.with_name("vocabulary.txt").read_text(encoding="utf-8").splitlines()
        # LiteRT calls the input `token` "serving_default_token:0".
        self.inputs = [spec.name.removeprefix("serving_default_").split(":")[0] for spec in self.net.inputs]
        self.repeatable = np.isin(self.words, REPEATABLE)
        self.state_size = self.net.inputs[self.inputs.index("state")].shape[1]

    def sentences(self, seen, feature):
        """`layout` float32 (400,) and the embedder's feature float32 (1024,) → (sentence, probability), best first.

        Three at most. The probability is that of a word of the sentence given those before, the geometric mean.
        No pair of words is said twice in a sentence, and no word but those like `of` and `the`.
        """
        ended = self.search(seen, feature)
        return [(self.sentence(tokens), float(np.exp(ended[tokens][1]))) for tokens in best_of(ended)]

    def search(self, seen, feature):
        """Token ids without start and end → (value, log probability), both the mean of the sentence's words.

        What fits every photo ("standing next to each other") is the most probable, but says nothing about this one.
        So a word's value is how much more probable it is than if no object had been detected, in part: `CONTRAST`.
        It is the idea of Li and others, "A Diversity-Promoting Objective Function for Neural Conversation Models" (2016).
        """
        nothing = np.zeros_like(seen)
        fixed = {
            "layout": np.repeat([seen, nothing], BEAMS, axis=0),
            "feature": np.tile(feature, (2 * BEAMS, 1)),
        }
        said = np.full((1, 1), START, dtype=np.int32)
        state = np.zeros((2 * BEAMS, self.state_size), dtype=np.float32)
        values, sums, ended = np.zeros(1), np.zeros(1), {}
        for length in range(LONGEST):
            # The graph is fixed at so many beams; while there are fewer, some are run twice and looked at once.
            given = {**fixed, "token": np.tile(np.resize(said[:, -1], BEAMS), 2), "state": state}
            [told] = self.net.run([given[name] for name in self.inputs])
            odds, state = told[:, : len(self.words)], told[:, len(self.words) :]
            odds, without = odds[: len(said)], odds[BEAMS : BEAMS + len(said)]
            # Few words are likely; to weigh all of them would take as long as the network.
            beams, tokens = np.nonzero(odds > odds.max(axis=1, keepdims=True) + LEAST_LIKELY)
            log_odds = odds[beams, tokens].astype(np.float64)
            totals = values[beams] + log_odds - CONTRAST * without[beams, tokens].astype(np.float64)
            if length:
                for at in np.flatnonzero(tokens == END):
                    both = totals[at], sums[beams[at]] + log_odds[at]
                    ended[tuple(said[beams[at], 1:].tolist())] = tuple(np.divide(both, length + 1))
            unfit = [forbidden(line, self.repeatable) | {END} for line in said.tolist()]
            fit = [token not in unfit[beam] for beam, token in zip(beams, tokens.tolist(), strict=True)]
            best = np.flatnonzero(fit)
            best = best[np.argsort(-totals[best], kind="stable")[:BEAMS]]
            if not best.size:
                break
            beams, tokens = beams[best], tokens[best]
            said = np.column_stack([said[beams], tokens.astype(np.int32)])
            values, sums = totals[best], sums[beams] + log_odds[best]
            beams = np.resize(beams, BEAMS)
            state = state[np.concatenate([beams, BEAMS + beams])]
        return dict(sorted(ended.items(), key=lambda one: -one[1][0] * (len(one[0]) + 1))[:CANDIDATES])

    def sentence(self, tokens):
        """Token ids → the sentence, `'s` and the like at the word they belong to."""
        return " ".join(self.words[token] for token in tokens).replace(" 's", "'s").replace(" n't", "n't")


def forbidden(said, repeatable):
    """The tokens that must not follow those that were `said`, the first of which is START.

    `repeatable` bool (words,) are the tokens that a sentence may say twice, if not within three words.
    """
    after = {second for first, second in pairwise(said) if first == said[-1]}
    return {PADDING, START, UNKNOWN, *said[-2:], *(token for token in said if not repeatable[token]), *after}


def best_of(ended):
    """Token ids → (value, log probability): the most valuable sentences, best first, at most three, not too alike."""
    chosen = []
    for tokens in sorted(ended, key=lambda tokens: -ended[tokens][0]):
        if all(len(set(tokens) ^ set(better)) >= OTHERWISE for better in chosen):
            chosen.append(tokens)
    return chosen[:ANSWERED]
