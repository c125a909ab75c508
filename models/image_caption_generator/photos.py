"""The photos that are learnt from, as numbers and sentences: none of them as a picture.

A photo has sentences and true kinds of objects (COCO's annotations), and 1,505 of them have what the real detector and
embedder saw.
"""

import collections
import gzip
import hashlib
import io
import itertools
import json
import re
from dataclasses import dataclass, field

import numpy as np

from maxfw.assets import Asset, fetch
from maxfw.catalog import find, load_class

CAPTIONS = Asset(
    "captions_val2017.json",
    url="https://raw.githubusercontent.com/ruizewang/evaluate/1152656d3b8c66c48fc6a4357e159f5e21bd2d2d"
    "/annotations/captions_val2017.json",
    sha256="1018a8760deaf1fc71be2f1b8da1a1348b9c35994af4322ca2fd795a78abb79c",
    size=3_872_493,
    licence="CC-BY-4.0",
)
CATEGORIES = Asset(
    "coco_val2014_multilabel.json",
    url="https://raw.githubusercontent.com/penghui-yang/L2D/ea7fa5581de3cd0dba2f4d5ba3e3aaed78837a58"
    "/appendix/val_anno.json",
    sha256="ebfb244896c4f557237c27449388aabf6d344ad990414997b2c4a94d3d7c1674",
    size=2_864_345,
    licence="CC-BY-4.0",
)
# What detector and embedder saw, and the captions of those photos that are not in val2017: by `sightings.py`.
SIGHTINGS = ("features.npz", "e44a8eabfc6f112e99983068d638aa81bb5849ed4329fb0601bdc6f11ab9f7f2")
THEIR_CAPTIONS = ("captions.json.gz", "90b3506e2575511f67533a667a5da67fadd69a8c8ecce7ff19049476c029f9e3")
FEATURE_SCALE = 0.023528477  # of the embedder's 8-bit output, zero point 0

# Nothing that the model sees tells a man from a woman, so it learns words that need not know.
NEUTRAL = {
    "man": "person", "woman": "person", "guy": "person", "lady": "person", "male": "person", "female": "person",
    "gentleman": "person", "businessman": "person", "mans": "person", "womans": "person", "men": "people",
    "women": "people", "guys": "people", "ladies": "people", "males": "people", "females": "people",
    "gentlemen": "people", "boy": "child", "girl": "child", "boys": "children", "girls": "children",
    "kid": "child", "kids": "children", "son": "child", "daughter": "child", "mother": "parent",
    "father": "parent", "mom": "parent", "dad": "parent", "wife": "partner", "husband": "partner",
    "his": "their", "her": "their", "hers": "theirs", "him": "them", "he": "they", "she": "they",
    "himself": "themselves", "herself": "themselves", "policeman": "officer", "policemen": "officers",
    "fireman": "firefighter", "firemen": "firefighters", "cowboy": "rider", "batsman": "batter",
}  # fmt: skip
AFTER_THEY = {"is": "are", "'s": "are", "was": "were", "has": "have"}


@dataclass
class Photo:
    """One photo: `part` is training, validation or test; `found` is (classes, scores, boxes); `feature` float32 (1024,)."""

    captions: list
    kinds: frozenset = frozenset()
    known_kinds: bool = False
    part: str = "training"
    found: tuple | None = None
    feature: np.ndarray | None = None
    sentences: list = field(default_factory=list)


def load(folder):
    """Every photo by its COCO id; `folder` holds the two files of sightings.

    Test photos are those of the sightings' own split, validation are all others of val2017 with sightings.
    """
    captions = collections.defaultdict(list)
    for one in json.loads(fetch(CAPTIONS).read_text(encoding="utf-8"))["annotations"]:
        captions[one["image_id"]].append(one["caption"])
    of_2017 = set(captions)
    others = json.loads(gzip.decompress(checked(folder, *THEIR_CAPTIONS)))
    captions.update({int(number): some for number, some in others.items() if int(number) not in of_2017})
    photos = {number: Photo(some) for number, some in captions.items()}
    for number, kinds in true_kinds().items():
        if number in photos:
            photos[number].kinds, photos[number].known_kinds = kinds, True
    seen = np.load(io.BytesIO(checked(folder, *SIGHTINGS)))
    columns = [seen[name] for name in ("image_id", "split", "det_class", "det_score", "det_box", "feature")]
    for number, split, classes, scores, boxes, feature in zip(*columns, strict=True):
        photo = photos[int(number)]
        photo.part = "test" if split == "test" else "validation" if int(number) in of_2017 else "training"
        photo.found = classes.astype(int), scores.astype(np.float32), boxes.astype(np.float32)
        photo.feature = feature.astype(np.float32) * FEATURE_SCALE
    for photo in photos.values():
        photo.sentences = [neutral(words(caption)) for caption in photo.captions]
    return photos


def true_kinds():
    """The kinds of objects (0…79) that COCO's annotators saw, by photo."""
    detector = load_class(find("object_detector"))
    [label_file] = [asset for asset in detector.assets if asset.name == "labelmap.txt"]
    names = [name for name in fetch(label_file).read_text(encoding="utf-8").splitlines() if name != "???"]
    kind_of = {
        at: names.index(name) for at, name in enumerate(sorted(names))
    }  # the file counts alphabetically
    entries = json.loads(fetch(CATEGORIES).read_text(encoding="utf-8"))
    return {
        int(re.search(r"(\d+)\.jpg$", one["file_name"])[1]): frozenset(kind_of[at] for at in one["labels"])
        for one in entries
    }


def checked(folder, name, sha256):
    """The bytes of a file; says so if it is not the one that the weights in this folder were trained from."""
    content = (folder / name).read_bytes()
    if hashlib.sha256(content).hexdigest() != sha256:
        print(f"{folder / name} is not what decoder.tflite was trained from (sha256 {sha256})")
    return content


def words(caption):
    """A caption → its words, lower case, without signs: `"A man's T-shirt."` → `["a", "man", "'s", "t-shirt"]`."""
    text = caption.lower().replace("\u2019", "'").replace("'s", " 's").replace("n't", " n't")
    return re.findall(r"'s|n't|[a-z0-9]+(?:-[a-z0-9]+)*", text)


def neutral(said):
    """The same words, but none that says a gender: "person" for "man" and "woman", "their" for "his" and "her"."""
    said = [NEUTRAL.get(word, word) for word in said]
    for at, (one, following) in enumerate(itertools.pairwise(said)):
        if one == "they":
            said[at + 1] = AFTER_THEY.get(following, following)
    return said
