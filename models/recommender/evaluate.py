"""How often the recommender's ten best hold the visit that was hidden, for users that it was not trained with."""

from pathlib import Path

import numpy as np

from maxfw.catalog import ModelFolder, load_module
from maxfw.quality import Measured, measure

FOLDER = Path(__file__).resolve().parent
visits = load_module(ModelFolder(FOLDER / "visits.py"))
SEED = 1


def evaluate(model):
    """hit@10 of the network, and how much more that is than for the ten most visited areas."""
    positions = {int(area): column for column, area in enumerate(model.areas)}
    _, held_out = visits.load(visits.HELD_OUT)
    pairs = visits.with_one_hidden(held_out, SEED)
    popularity = np.bincount(model.visited, minlength=len(positions)).astype(float)
    rows = [model.row([positions[area] for area in shown]) for shown, _ in pairs]
    ours = visits.hit_rate(model._predict_batch(rows), pairs, positions)
    popular = visits.hit_rate(np.tile(popularity, (len(pairs), 1)), pairs, positions)
    where = f"{len(pairs):,} test users, one visit of each hidden"
    return [
        Measured("hit@10", where, ours, bar=0.72),
        Measured("hit@10 above popularity", where, ours - popular, bar=0.08),
    ]


if __name__ == "__main__":
    print(*measure(ModelFolder(FOLDER)), sep="\n")
