"""How often the recommender's ten best hold the visit that was hidden, for users that it was not trained with."""

import json
from pathlib import Path

import numpy as np
import visits

from maxfw.catalog import ModelFolder, load_class

FOLDER = Path(__file__).resolve().parent
SEED = 1
BAR = {"hit@10 above popularity": 0.08}


def evaluate(folder=FOLDER):
    """hit@10 of the network in `folder` and of the ten most visited areas, on the 5,000 users of the test file."""
    model = load_class(ModelFolder(FOLDER))(folder)
    positions = {int(area): column for column, area in enumerate(model.areas)}
    _, held_out = visits.load(visits.HELD_OUT)
    pairs = visits.with_one_hidden(held_out, SEED)
    popularity = np.bincount(model.visited, minlength=len(positions)).astype(float)
    rows = [model.row([positions[area] for area in shown]) for shown, _ in pairs]
    ours = visits.hit_rate(np.array(model._predict_batch(rows)), pairs, positions)
    popular = visits.hit_rate(np.tile(popularity, (len(pairs), 1)), pairs, positions)
    return {
        "hit@10": round(ours, 4),
        "hit@10 of popularity": round(popular, 4),
        "hit@10 above popularity": round(ours - popular, 4),
        "users": len(pairs),
        "bar": BAR,
    }


if __name__ == "__main__":
    print(json.dumps(evaluate(), indent=2))
