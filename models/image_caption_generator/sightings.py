"""What the detector and the embedder see in COCO photos that you have: a folder of photos → the files of `train.py`.

    python models/image_caption_generator/sightings.py val2017/ --captions captions_val2014.json --out sightings/

The photos are COCO's, named by it (`000000000139.jpg`, `COCO_val2014_000000000042.jpg`), from cocodataset.org. Test
photos are those whose id falls into a tenth by its sha1, so that they are the same for everybody.
"""

import argparse
import collections
import gzip
import hashlib
import json
import re
from pathlib import Path

import numpy as np
from PIL import Image
from rich.progress import track

from maxfw.catalog import find, load_model

SEEN = 10  # objects, the most that the detector answers
FEATURE = 1024


def main():
    """Look at every photo and write `features.npz` and `captions.json.gz`."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("photos", type=Path, help="folder of COCO photos")
    parser.add_argument("--captions", type=Path, nargs="*", default=[], help="COCO's files of captions")
    parser.add_argument("--out", type=Path, required=True, help="folder of the two files")
    options = parser.parse_args()
    files = {number: file for file in options.photos.rglob("*.jpg") if (number := id_of(file)) is not None}
    if not files:
        parser.error(f"{options.photos} holds no photo with a name of COCO, like 000000000139.jpg")
    options.out.mkdir(parents=True, exist_ok=True)
    seen = look([files[number] for number in track(sorted(files), "looking")])
    split = ["test" if is_test(number) else "train" for number in sorted(files)]
    np.savez_compressed(options.out / "features.npz", image_id=sorted(files), split=split, **seen)
    captions = collections.defaultdict(list)
    for file in options.captions:
        for one in json.loads(file.read_text(encoding="utf-8"))["annotations"]:
            if one["image_id"] in files:
                captions[str(one["image_id"])].append(one["caption"])
    (options.out / "captions.json.gz").write_bytes(gzip.compress(json.dumps(captions).encode()))
    print(f"{len(files):,} photos, {len(captions):,} of them with captions")


def id_of(file):
    """The number that COCO's name of a photo ends in, or None."""
    found = re.search(r"(?:^|_)(\d{12})$", file.stem)
    return int(found[1]) if found else None


def is_test(number):
    """Whether a photo is kept from the training."""
    return int(hashlib.sha1(str(number).encode()).hexdigest(), 16) % 10 == 0


def look(files):
    """Paths of photos → arrays with a row for each: what the embedder answers (8 bits), and up to ten objects."""
    model = load_model(find("image_caption_generator"))
    seen = collections.defaultdict(list)
    for file in files:
        with Image.open(file) as photo:
            pixels, small = model._pre_process(photo.convert("RGB"))
        boxes, classes, scores = model.detector._predict(pixels)
        missing = SEEN - len(scores)
        [feature] = model.embedder.run([small[None]])
        seen["feature"].append(feature.reshape(FEATURE))
        seen["det_class"].append(np.pad(classes.astype(np.int8), (0, missing)))
        seen["det_score"].append(np.pad(scores.astype(np.float16), (0, missing)))
        seen["det_box"].append(np.pad(boxes.astype(np.float16), ((0, missing), (0, 0))))
    return {name: np.stack(rows) for name, rows in seen.items()}


if __name__ == "__main__":
    main()
