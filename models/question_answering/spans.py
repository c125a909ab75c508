"""Questions and their paragraphs as the network reads them, and answers as it says them."""

from typing import NamedTuple

import numpy as np

WINDOW, STRIDE = 224, 80  # tokens that the network reads at a time; how far one window begins behind another
QUESTION = 64  # tokens of a question that count
LONGEST = 20  # tokens of an answer


class Window(NamedTuple):
    """One part of a paragraph behind its question: token ids, 0 and 1 for the two texts, where the part begins."""

    ids: list
    kinds: list
    first: int  # the place of the first token of the paragraph among `ids`
    offset: int  # its place in the paragraph


class Prepared(NamedTuple):
    """A question with the windows of its paragraph, and where each token of the paragraph stands in it."""

    windows: list
    places: list
    context: str


def prepared(encoder, context, question, *, most=WINDOW, stride=STRIDE):
    """A paragraph and a question → windows."""
    tokenizer = encoder.tokenizer
    asked = tokenizer.encode(question, add_special_tokens=False).ids[:QUESTION]
    told = tokenizer.encode(context, add_special_tokens=False)
    room = most - len(asked) - 3
    windows, offset = [], 0
    while True:
        part = told.ids[offset : offset + room]
        ids = [encoder.start, *asked, encoder.end, *part, encoder.end]
        windows.append(Window(ids, [0] * (len(asked) + 2) + [1] * (len(part) + 1), len(asked) + 2, offset))
        if offset + room >= len(told.ids):
            return Prepared(windows, told.offsets, context)
        offset += room - stride


def best(logits, window, count):
    """Logits of starts and ends, float (length, 2), of a window with `count` tokens → `(score, start, end)` in the paragraph."""
    starts, ends = logits[window.first : window.first + count].T
    pairs = starts[:, None] + ends[None, :]
    near = np.tri(count, count, LONGEST - 1, dtype=bool) & ~np.tri(count, count, -1, dtype=bool)
    pairs = np.where(near, pairs, -np.inf)
    place = int(pairs.argmax())
    return float(pairs.flat[place]), window.offset + place // count, window.offset + place % count
