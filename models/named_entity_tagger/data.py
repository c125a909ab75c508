"""The annotated sentences of the Groningen Meaning Bank, divided once for all."""

import csv
import io
import random
import zipfile

from maxfw import datasets
from maxfw.assets import Asset

SPLIT_SEED = 1
VALIDATION, HELD_OUT = 2000, 4000
GMB = Asset(
    "gmb_ner_dataset.csv.zip",
    url="https://raw.githubusercontent.com/codingtime123/Named-Entity-Recognition-with-NLP/"
    "bae7eccc99b1ca894587a959e3d1a707d7f0853a/ner_dataset.csv.zip",
    sha256="200946f102feed46ba7d2baef7200dcb2068ad325f32c73447d80f5cd8e14791",
    licence="ODbL-1.0",
    size=3_319_491,
)


def load():
    """`(training, validation, held out)`, lists of `(terms, tags)`; no sentence stands in two of them."""
    with zipfile.ZipFile(io.BytesIO(datasets.read(GMB))) as archive:
        rows = csv.reader(io.StringIO(archive.read("ner_dataset.csv").decode("latin-1")))
        next(rows)
        found = []
        for start, term, _, tag in rows:
            if start:
                found.append(([], []))
            found[-1][0].append(term)
            found[-1][1].append(tag)
    once = list({tuple(terms): (terms, tags) for terms, tags in found}.values())
    random.Random(SPLIT_SEED).shuffle(once)
    first, second = len(once) - HELD_OUT - VALIDATION, len(once) - HELD_OUT
    return once[:first], once[first:second], once[second:]
