"""SQuAD's questions, divided by article: nobody is asked about an article that was learned from."""

import io
import json
import random
import zipfile

from maxfw import datasets
from maxfw.assets import Asset

SPLIT_SEED, UNSEEN = 7, 10  # the seed of the division, and the number of articles held out
SQUAD = Asset(
    "squad_dev-v1.1.json.zip",
    url="https://raw.githubusercontent.com/pulakdas1999/QnA_using_BERT/48925669ea5ebb270348b817d7463b809a381bb9/"
    "dev-v1.1.json.zip",
    sha256="6cf38c56fc7341bab8a5132f205dd7198148a6be9073ccd8ef07d55ca73b09b7",
    licence="CC-BY-SA-4.0",
    size=1_051_741,
)


def load():
    """`(training, held out)`: lists of `(context, question, [(answer, where it starts), …])`."""
    with zipfile.ZipFile(io.BytesIO(datasets.read(SQUAD))) as archive:
        [name] = [name for name in archive.namelist() if name.endswith(".json") and "__MACOSX" not in name]
        articles = json.loads(archive.read(name))["data"]
    titles = [article["title"] for article in articles]
    random.Random(SPLIT_SEED).shuffle(titles)
    unseen = set(titles[:UNSEEN])
    parts = ([], [])
    for article in articles:
        for paragraph in article["paragraphs"]:
            for asked in paragraph["qas"]:
                answers = [(answer["text"], answer["answer_start"]) for answer in asked["answers"]]
                parts[article["title"] in unseen].append((paragraph["context"], asked["question"], answers))
    return parts
