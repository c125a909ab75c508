"""First names of the United States, divided once for all."""

import random

from maxfw import datasets
from maxfw.assets import Asset

SPLIT_SEED = 1
HELD_OUT = 0.1
SSA = "https://raw.githubusercontent.com/aramshiva/babies/5cbb539a286b8c1e40cb1400bf7c43b5e5b31b25/names"
YEARS = [
    Asset(f"yob{year}.txt", url=f"{SSA}/yob{year}.txt", sha256=sha256, licence="public domain")
    for year, sha256 in [
        (1980, "559c2581299def3195687dacd1ad7968ea06bd71d304a28b09bc681f8417505a"),
        (2000, "9d2b0a6fda6ea63e4a4b9f084c76fed9aa500ba80608b75d2c973aa3be5e66e2"),
        (2010, "33b60b6185354b45ba7e155982893541626f83f50550e99615614b67ce68e9d5"),
    ]
]
SEXES = {"F": "female", "M": "male"}


def load():
    """`(training, held out)`: lists of `(name, "female" or "male", how many children)`; a name is in one list only."""
    counts = {}
    for asset in YEARS:
        for line in datasets.read(asset).decode().split():
            name, sex, count = line.split(",")
            key = name.lower(), SEXES[sex]
            counts[key] = counts.get(key, 0) + int(count)
    names = sorted({name for name, _ in counts})
    random.Random(SPLIT_SEED).shuffle(names)
    kept_back = set(names[: int(len(names) * HELD_OUT)])
    rows = [(name, sex, count) for (name, sex), count in sorted(counts.items())]
    return [row for row in rows if row[0] not in kept_back], [row for row in rows if row[0] in kept_back]
