"""How good the answers are, on articles that were not learned from."""

import collections
import re
import string

from maxfw.quality import Measured
from maxfw.tasks.question_answering import Question

from . import data


def evaluate(model):
    """F1 and exact match of the words, as SQuAD's own script counts them."""
    _, rows = data.load()
    said = predicted(model, rows)
    answers = [[text for text, _ in row[2]] for row in rows]
    overlap = sum(
        max(f1(one, text) for text in texts) for one, texts in zip(said, answers, strict=True)
    ) / len(rows)
    exact = sum(plain(one) in map(plain, texts) for one, texts in zip(said, answers, strict=True)) / len(rows)
    where = f"SQuAD 1.1, {len(rows):,} questions on {data.UNSEEN} unseen articles"
    return [Measured("F1", where, overlap, bar=0.67), Measured("exact match", where, exact, bar=0.50)]


def predicted(model, rows, *, batch=16):
    """`(context, question, …)` → answers."""
    found = []
    for at in range(0, len(rows), batch):
        asked = [Question(context, question, 0) for context, question, _ in rows[at : at + batch]]
        found += model._predict_batch([model._pre_process(one) for one in asked])
    return found


def plain(text):
    """Words in small letters, without articles and punctuation."""
    text = "".join(letter for letter in text.lower() if letter not in string.punctuation)
    return " ".join(re.sub(r"\b(a|an|the)\b", " ", text).split())


def f1(one, other):
    """The harmonic mean of the shares of words of each that the other has, too."""
    ours, theirs = plain(one).split(), plain(other).split()
    shared = sum((collections.Counter(ours) & collections.Counter(theirs)).values())
    if not ours or not theirs:
        return float(ours == theirs)
    return 2 * shared / (len(ours) + len(theirs))
