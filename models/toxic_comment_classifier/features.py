"""A comment → the rows of two tables: its words and pairs of words, and its pieces of words."""

import itertools
import re
import unicodedata
import zlib

WORDS, PIECES = 65_536, 32_768  # rows of the tables, found by a checksum; row 0 stays empty
MOST_TOKENS = 400  # a window; a longer comment is several
DISGUISES = str.maketrans("@$013457", "asoieast")  # as in "a$$h0le"; only inside words of letters
TOKEN = re.compile(r"[^\W_]+(?:'[^\W_]+)*")
DRAWN_OUT = re.compile(r"(\w)\1{2,}")


def tokens(text):
    """One text → its words, small letters: `"You SUUUCK, a$$hole"` → `["you", "suuck", "asshole"]`."""
    text = unicodedata.normalize("NFKC", text).lower().replace("’", "'")
    text = re.sub(r"(?<=[a-z])[@$013457*](?=[a-z$@])", lambda sign: sign[0].translate(DISGUISES), text)
    return TOKEN.findall(DRAWN_OUT.sub(r"\1\1", text.replace("'", "")))


def windows(text):
    """The words of a text, 400 at a time; a text without words is one empty window."""
    found = tokens(text)
    return [found[at : at + MOST_TOKENS] for at in range(0, len(found), MOST_TOKENS)] or [[]]


def _row(text, rows):
    return zlib.crc32(text.encode("utf-8", "surrogatepass")) % (rows - 1) + 1


def rows_of(words):
    """Words in order → `(rows of words and pairs, rows of pieces)`, each row once."""
    whole = {_row(word, WORDS) for word in words}
    whole |= {_row(f"{one} {two}", WORDS) for one, two in itertools.pairwise(words)}
    pieces = set()
    for word in set(words):
        edged = f"<{word[:40]}>"
        pieces |= {_row(edged[at : at + n], PIECES) for n in (3, 4, 5) for at in range(len(edged) - n + 1)}
    return sorted(whole), sorted(pieces)
