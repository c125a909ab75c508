"""Comments with labels, divided once for all: parts of Jigsaw's collection that the public can have.

The texts are offensive by nature.
"""

import csv
import io
import random

from maxfw import datasets
from maxfw.assets import Asset

SPLIT_SEED = 1
VALIDATION, HELD_OUT = 800, 1700  # of the comments with six labels
TEST_PART = 4180  # of the comments that only say toxic or not, held out
LABELS = ("toxic", "severe_toxic", "obscene", "threat", "insult", "identity_hate")
LICENCE = "annotations CC0-1.0, texts CC-BY-SA-3.0"
PARTS = (
    "https://raw.githubusercontent.com/furkancaglayan/Detecting-Potentially-Hurtful-and-Toxic-Comments/"
    "78bd6d8227291e27744ca65a8be1939d106e4dd5/Data/"
)


def _asset(name, url, sha256):
    return Asset(name, url=url, sha256=sha256, licence=LICENCE)


SIX_LABELS = [
    _asset(f"jigsaw_{label}_3000.csv", f"{PARTS}{label}.csv", sha256)
    for label, sha256 in [
        ("toxic", "f226e92cbba3bbc3d194bc44d6808847c479b0766e68795b0e0b2585fde627b3"),
        ("severe_toxic", "3b399e4d56d723fe956d04b5f7df0b9564b1987c452169026d518edc42258ddb"),
        ("obscene", "6954807c82f1bd287506314a3b68f86f369a8c0c27aae01d593283cd8017b8f1"),
        ("insult", "7e9083022ee84ecaf59e1e373c6233d1a1e13ac0b4c271c45ee8dad72ccf99a7"),
        ("identity_hate", "e8e84196cf7eb099418ec91c7eceafbb8a2a0e90d1bd2a330d8954c44fb55acf"),
    ]
]
UNTOUCHED = _asset(
    "jigsaw_2000.csv",
    "https://raw.githubusercontent.com/HieuNT91/file_storage/54fa062ad711dec1226b23c55f2e2bcf78b09893/toxic_comments.csv",
    "280b24ec6115f613f025d674d277a5f2f1c44ea037d5542d0e4bbdea2fffa638",
)
TOXIC_OR_NOT = _asset(
    "jigsaw_test_balanced_12180.csv",
    "https://raw.githubusercontent.com/Hongcheng-Gao/RobTest-Demo/ed917c2546bda37908f65e417d28722520eac615/"
    "data/jigsaw/test.csv",
    "ed555e1ce2cf67611afa7f624bc0679bf57b83fc39ece13f4cc54b21829cc9fc",
)


def load_six():
    """`(training, validation, held out)`, lists of `(text, six labels 0 or 1)`; no comment stands in two of them."""
    found = {}
    for asset in [*SIX_LABELS, UNTOUCHED]:
        for row in csv.DictReader(io.StringIO(datasets.read(asset).decode("utf-8", "replace"))):
            if row["id"] != "0" and row["comment_text"].strip():  # id 0: altered copies of other rows
                found.setdefault(
                    row["id"], (row["comment_text"], [float(row[label] or 0) for label in LABELS])
                )
    once = list({" ".join(text.lower().split()): (text, labels) for text, labels in found.values()}.values())
    random.Random(SPLIT_SEED).shuffle(once)
    first, second = len(once) - HELD_OUT - VALIDATION, len(once) - HELD_OUT
    return once[:first], once[first:second], once[second:]


def load_toxic_or_not():
    """`(training, held out)`, lists of `(text, toxic 0 or 1)`: comments of Jigsaw's test part, half of them toxic."""
    rows = csv.reader(io.StringIO(datasets.read(TOXIC_OR_NOT).decode("utf-8", "replace")))
    found = list({text: (text, float(label)) for text, label in rows if text.strip()}.values())
    random.Random(SPLIT_SEED).shuffle(found)
    return found[:-TEST_PART], found[-TEST_PART:]
