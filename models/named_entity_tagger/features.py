"""Text → sentences → terms → the numbers of tables that the network reads."""

import re
import zlib

import numpy as np

TERM = re.compile(
    r"\d+(?:[.,:/-]\d+)*(?:st|nd|rd|th|s)?(?!\w)|(?:[^\W\d_]\.){2,}|\$|[^\W_]+(?:-[^\W_]+)*(?='s\b)|'s\b|[^\W_]+(?:[-'’&.][^\W_]+)*|\.{2,}|\S"
)
SHORTENED = re.compile(
    r"(?:Mr|Mrs|Ms|Dr|St|Gen|Sen|Rep|Gov|Lt|Col|Prof|Jr|Sr|Jan|Feb|Aug|Sept|Oct|Nov|Dec|No|Inc|Corp|Co|Ltd)\."
)
ENDS = {".", "!", "?", "...", "…", "。"}
LONGEST = 120  # terms of a sentence; more are cut into several

PADDING, UNKNOWN = 0, 1  # the first rows of the table of words
SUFFIXES, PREFIXES, SHAPES = 4096, 4096, 512  # rows of the tables whose rows are found by a checksum


def terms(text):
    """One text → its words and signs in order: `"Mr. Bush's visit."` → `["Mr.", "Bush", "'s", "visit", "."]`."""
    found = []
    for part in re.split(r"\s+", text):
        whole = SHORTENED.fullmatch(part)
        found += [part] if whole else TERM.findall(part)
    return found


def sentences(found):
    """Terms → lists of terms, cut after what ends a sentence."""
    parts, start = [], 0
    for at, term in enumerate(found, 1):
        if term in ENDS or at - start == LONGEST or at == len(found):
            parts.append(found[start:at])
            start = at
    return parts


def shape(term):
    """What a term looks like: `"U.S."` → `"X.X."`, `"2004"` → `"dddd"`, `"London"` → `"Xxxx"`."""
    drawn = "".join(
        "d" if c.isdigit() else "X" if c.isupper() else "x" if c.isalpha() else c for c in term[:40]
    )
    return re.sub(r"([xXd])\1{3,}", r"\1\1\1\1", drawn)


def _row(text, rows):
    return zlib.crc32(text.encode("utf-8", "surrogatepass")) % (rows - 1) + 1


def plain(term):
    """The form under which a term stands in the vocabulary: small letters, digits as 0."""
    return re.sub(r"\d", "0", term.lower())


def numbers(sentence, words):
    """n terms → int32 (n, 4): the rows of word, suffix, prefix and shape."""
    rows = [
        (
            words.get(plain(term), UNKNOWN),
            _row("s" + term[-3:].lower(), SUFFIXES),
            _row("p" + term[:3].lower(), PREFIXES),
            _row(shape(term), SHAPES),
        )
        for term in sentence
    ]
    return np.array(rows, dtype=np.int32).reshape(-1, 4)
