"""The public sentences that the sentiment model learns from and is measured on.

Every corpus is shuffled and divided with the same seed, so the held-out rows are the same on every machine.
"""

import io
import random
import re
import zipfile
from pathlib import Path
from typing import NamedTuple

from maxfw.assets import Asset
from maxfw.datasets import read

SPLIT_SEED = 1
NLTK = "https://raw.githubusercontent.com/nltk/nltk_data/5db857e6f7df11eabb5e5665836db9ec8df07e28/packages/corpora/"
UCI = (
    "https://raw.githubusercontent.com/kvrao/sentiment_analysis/462f7304ab341f1b5014e6eae56100bfe35d703a/"
    "sentiment%20labelled%20sentences/"
)
GOEMOTIONS = (
    "https://raw.githubusercontent.com/monologg/GoEmotions-pytorch/b75f9d3a8b76bc1060687925b04ca98a1b8ea66b/"
    "data/group/"
)


def _asset(name, folder, sha256, *, licence="CC BY 4.0", file=None):
    return Asset(name, url=folder + (file or name), sha256=sha256, licence=licence)


SENTENCE_POLARITY = _asset(
    "sentence_polarity.zip", NLTK, "6e1ed4405b65c7eabf1d199a7f7c437091ac21da0ea7467b410a74062574566b"
)
PROS_CONS = _asset("pros_cons.zip", NLTK, "b5bca541ba5b2e614cde2213ddcca027416f6997067c90e45c173bf55c6fade8")
PRODUCT_REVIEWS = [
    _asset("product_reviews_1.zip", NLTK, "627bfb0bb7c87586246d99b4402c3d7e4fb77ac14559d8695c283bd6850615ac"),
    _asset("product_reviews_2.zip", NLTK, "272b08fe130882e5867aa7ecc69a65616099183c4ccc10374a62c271801b0bc1"),
]
MOVIE_REVIEWS = _asset(
    "movie_reviews.zip", NLTK, "a41211ae685019137410268134db6a1a14428c89b671eb83056151a878539008"
)
UCI_SENTENCES = [
    _asset(
        "amazon_cells_labelled.txt", UCI, "47003fc0a0d4840b00e96e715b6189bad09e7443a3da41c4cbe12ffc79f86ae3"
    ),
    _asset("imdb_labelled.txt", UCI, "c662b9360c1652babb990d164835af12aa105db7991f1fdb19038115f0e93de8"),
    _asset("yelp_labelled.txt", UCI, "b565b1eeb864d76842588c3a256731b08bcdd9faf6de507bfe211a96f8b81912"),
]
GOEMOTIONS_PARTS = [
    _asset(f"goemotions_group_{part}.tsv", GOEMOTIONS, sha256, file=f"{part}.tsv")
    for part, sha256 in [
        ("train", "f6e6059e336d17ae31496857cd5883a41934df50261ef74bc3eedc2ef9f701c8"),
        ("dev", "e2d7cae65ffdc8df4d457c33695ab1f000eaef9beaadbce8276043802a3ba8ee"),
        ("test", "aff79328e20b30a8177fef46a2b8f79ea6165d7e2760f4d3625d3ca9e906f89f"),
    ]
]


class Corpus(NamedTuple):
    """Rows are `(text, label)`: 1.0 is positive, 0.0 negative, 0.5 neutral. `weight` is that of a training row."""

    training: list
    validation: list
    held_out: list
    weight: float


def load():
    """All corpora by name, as they are divided; the same text may still stand in two parts (see `without_overlap`)."""
    return {
        "rt-polarity": _shuffled_and_split(_rt_polarity(), validation=1066, held_out=1067, weight=1.5),
        "UCI sentences": _shuffled_and_split(_uci(), validation=210, held_out=900, weight=2.0),
        "GoEmotions": _goemotions(weight=1.0),
        "pros and cons": _shuffled_and_split(_pros_cons(), validation=1000, held_out=2000, weight=0.5),
        "product reviews": _shuffled_and_split(_product_reviews(), validation=300, held_out=600, weight=1.0),
    }


def load_movie_reviews():
    """Whole reviews as lists of sentences, `([sentence, …], label)`: 1,800 to train with and 200 held out."""
    labels = {"pos": 1.0, "neg": 0.0}
    rows = [
        ([line.strip() for line in text.splitlines() if line.strip()], labels[Path(name).parent.name])
        for name, text in _texts_in(MOVIE_REVIEWS, encoding="latin-1")
        if Path(name).parent.name in labels
    ]
    return _shuffled_and_split(rows, validation=0, held_out=200, weight=0.3)


def _texts_in(asset, *, encoding="utf-8"):
    """`(name, text)` of every text file in a zip file, by name, without the README."""
    with zipfile.ZipFile(io.BytesIO(read(asset))) as archive:
        names = sorted(name for name in archive.namelist() if not name.endswith("/") and "README" not in name)
        return [(name, archive.read(name).decode(encoding)) for name in names]


def _shuffled_and_split(rows, *, validation, held_out, weight):
    """The last `held_out` rows of the shuffled corpus are held out, the `validation` rows before them validate."""
    random.Random(SPLIT_SEED).shuffle(rows)
    first, second = len(rows) - held_out - validation, len(rows) - held_out
    return Corpus(rows[:first], rows[first:second], rows[second:], weight)


def _rt_polarity():
    by_ending = {Path(name).suffix: text.splitlines() for name, text in _texts_in(SENTENCE_POLARITY)}
    return [(line, 1.0) for line in by_ending[".pos"]] + [(line, 0.0) for line in by_ending[".neg"]]


def _uci():
    lines = [line for asset in UCI_SENTENCES for line in read(asset).decode().split("\n") if line.strip()]
    return [(text, float(label)) for text, label in (line.rsplit("\t", 1) for line in lines)]


def _goemotions(*, weight):
    """Comments with one of the groups negative (1), neutral (2), positive (3); neutral ones are not held out."""
    labels = {"1": 0.0, "2": 0.5, "3": 1.0}
    parts = []
    for asset in GOEMOTIONS_PARTS:
        rows = [line.split("\t")[:2] for line in read(asset).decode().split("\n") if line.strip()]
        parts.append([(text, labels[group]) for text, group in rows if group in labels])
    training, validation, held_out = parts
    return Corpus(training, validation, [row for row in held_out if row[1] != 0.5], weight)


def _pros_cons():
    content = dict(_texts_in(PROS_CONS))
    rows = []
    for tag, label in (("Pros", 1.0), ("Cons", 0.0)):
        text = next(text for name, text in content.items() if name.endswith(f"Integrated{tag}.txt"))
        rows += [(phrase, label) for phrase in re.findall(rf"<{tag}>(.*?)</{tag}>", text)]
    return rows


def _product_reviews():
    """Sentences whose marks (`battery[-2]##…`) are all of one sign."""
    rows = []
    for asset in PRODUCT_REVIEWS:
        for _, text in _texts_in(asset, encoding="latin-1"):
            for marks, _, sentence in (line.partition("##") for line in text.splitlines()):
                signs = set(re.findall(r"\[([+-])\d?\]", marks))
                if len(signs) == 1 and sentence.strip():
                    rows.append((sentence.strip(), 1.0 if signs == {"+"} else 0.0))
    return rows
