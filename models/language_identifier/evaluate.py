"""How good the identifier is, on sentences of the Universal Declaration of Human Rights."""

import io
import re
import zipfile

from maxfw import datasets
from maxfw.assets import Asset
from maxfw.quality import Measured

UDHR = Asset(
    "udhr2.zip",
    url="https://raw.githubusercontent.com/nltk/nltk_data/5db857e6f7df11eabb5e5665836db9ec8df07e28/"
    "packages/corpora/udhr2.zip",
    sha256="0796c314b09a930c989c6f9d93d226af9af13feccd88496e196c743dd266c7f3",
    licence="public domain",
    size=1_653_975,
)
# The languages with most speakers, among those that the model knows: its code for each file.
LARGEST = {
    "eng": "en", "cmn_hans": "zh", "hin": "hi", "spa": "es", "fra": "fr", "arb": "ar", "ben": "bn", "por_BR": "pt",
    "rus": "ru", "urd": "ur", "ind": "id", "deu": "de", "jpn": "ja", "mar": "mr", "mya": "my", "tur": "tr",
    "tam": "ta", "vie": "vi", "tgl": "tl", "kor": "ko", "pes_1": "fa", "swh": "sw", "jav": "jv", "ita": "it",
    "pan": "pa", "guj": "gu", "tha": "th", "kan": "kn", "pol": "pl", "ukr": "uk",
}  # fmt: skip
SHORTEST = 20  # characters; less is a heading


def sentences():
    """`(text, code)` of every sentence of 30 languages, headings left out."""
    with zipfile.ZipFile(io.BytesIO(datasets.read(UDHR))) as archive:
        for file, code in LARGEST.items():
            text = archive.read(f"udhr2/{file}.txt").decode("utf-8")
            for part in re.split(r"(?<=[.!?])\s+|(?<=[。।॥۔])\s*|\n+", text):
                if len(part.strip()) >= SHORTEST:
                    yield part.strip(), code


def evaluate(model):
    """Accuracy over all sentences, and of the language with the lowest."""
    right = {code: [] for code in LARGEST.values()}
    for text, code in sentences():
        right[code].append(model.predict(text).keys() and next(iter(model.predict(text))) == code)
    hits = [hit for hits in right.values() for hit in hits]
    where = f"UDHR, {len(hits):,} sentences of 30 languages"
    lowest = min(right, key=lambda code: sum(right[code]) / len(right[code]))
    return [
        Measured("accuracy", where, sum(hits) / len(hits), bar=0.95),
        Measured(
            f"accuracy, lowest of a language ({lowest})",
            where,
            sum(right[lowest]) / len(right[lowest]),
            bar=0.6,
        ),
    ]
