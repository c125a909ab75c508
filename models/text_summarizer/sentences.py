"""A text → its sentences."""

import re

LONGEST = 1500  # characters; what has no end mark for longer is cut at a space
SHORTENED = r"\b(?:Mr|Mrs|Ms|Dr|Prof|St|Gen|Sen|Rep|Gov|Lt|Col|Jr|Sr|No|vs|etc|Inc|Corp|Ltd|Co|Jan|Feb|Aug|Sept|Oct|Nov|Dec)"
INITIAL = r"(?:^|\s|\.)[A-Z]"  # "J. Smith", "U.S."
END = re.compile(
    r"(?:(?<=[.!?…])|(?<=[.!?…][\"'”’)\]]))\s+(?=[\"'“‘(\[]?[^\W_a-z])|(?<=[。！？])|\n\s*\n+|(?<=[।॥؟۔])\s+"
)
NO_END = re.compile(rf"(?:{SHORTENED}|{INITIAL})\.$")


def split(text):
    """One text → its sentences in order, without the space around them."""
    found = []
    for part in END.split(text.replace("\0", " ")):
        part = " ".join(part.split())
        if found and NO_END.search(found[-1]):
            found[-1] += f" {part}"
        elif part:
            found.append(part)
    return [piece for sentence in found for piece in _cut(sentence)]


def _cut(sentence):
    while len(sentence) > LONGEST:
        at = sentence.rfind(" ", 0, LONGEST)
        at = at if at > 0 else LONGEST
        yield sentence[:at]
        sentence = sentence[at:].strip()
    if sentence:
        yield sentence
