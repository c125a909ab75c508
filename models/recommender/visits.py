"""The data that the recommender learned from: who looked at which areas of www.microsoft.com in a week of 1998."""

import random

from maxfw import datasets
from maxfw.assets import Asset

PINNED = (
    "https://raw.githubusercontent.com/mhahsler/recommenderlab/c737fca94bc58652e750b03a3737ac7d9952f71b"
    "/Work/data/MSWeb"
)
TRAINING = Asset(
    "anonymous-msweb.data",
    url=f"{PINNED}/anonymous-msweb.data",
    sha256="60fd5f438a55d2105ca0ff4142e748e2146486bde84c96d55dc98b37a8139cbd",
    licence="CC BY 4.0",
)
HELD_OUT = Asset(
    "anonymous-msweb.test",
    url=f"{PINNED}/anonymous-msweb.test",
    sha256="db0a902a744ac488a0a6817a5df871f2341df083b6ab8ee1a046a69c635e7241",
    licence="CC BY 4.0",
)


def load(asset):
    """A file of visits → `({area: title}, {user: [area, …]})`, ids as they stand in it."""
    areas, users = {}, {}
    visited = []
    for line in datasets.read(asset).decode("latin-1").splitlines():
        kind, *fields = line.split(",")
        if kind == "A":  # an area: id, 1, "title", "path"
            areas[int(fields[0])] = fields[2].strip('"')
        elif kind == "C":  # a user ("case"): "id", id; the visits follow
            visited = users.setdefault(int(fields[1]), [])
        elif kind == "V":  # a visit: area, 1
            visited.append(int(fields[0]))
    return areas, users


def with_one_hidden(users, seed):
    """Users with two visits or more → `(the visits that are shown, the one that is hidden)`, at random."""
    chance = random.Random(seed)
    pairs = []
    for _, visited in sorted(users.items()):
        if len(visited) > 1:
            hidden = chance.choice(visited)
            pairs.append(([area for area in visited if area != hidden], hidden))
    return pairs


def hit_rate(scores, pairs, positions, most=10):
    """How often the hidden area is among the `most` that score highest, of those that were not shown; ties are lost.

    `scores` is float (n, areas), a row for each pair; `positions` maps an area's id to its column.
    """
    hits = 0
    for row, (shown, hidden) in zip(scores, pairs, strict=True):
        not_worse = ~(row < row[positions[hidden]])  # a NaN is no hit
        not_worse[[positions[area] for area in shown]] = False
        hits += not_worse.sum() <= most
    return float(hits) / len(pairs)
