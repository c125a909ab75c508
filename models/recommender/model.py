"""An autoencoder over visits: which areas of a web site a user will probably look at next."""

import csv
from pathlib import Path

import numpy as np

from maxfw.errors import BadInput, quoted
from maxfw.model import MAXModelWrapper
from maxfw.runtimes import LiteRTRuntime
from maxfw.tasks.recommendation import NumResults, Recommendation, Recommended

FOLDER = Path(__file__).resolve().parent


class ModelWrapper(MAXModelWrapper):
    """Trained by `train.py` beside this file; it knows the users of its training data and what they visited."""

    MODEL_META_DATA = {
        "id": "max-recommender",
        "name": "Recommender",
        "description": "Which of 294 areas of www.microsoft.com a visitor of 1998 will probably look at next, from those that "
        "the visitor has looked at.",
        "type": "Recommender System",
        "source": "trained by train.py in this folder, see README.md",
        "license": "Apache-2.0",
    }
    task = Recommendation(example="10001")
    max_batch_size = 64

    def __init__(self, path=None):
        folder = Path(path or FOLDER)
        self.network = LiteRTRuntime(folder / "recommender.tflite")
        with (folder / "areas.csv").open(encoding="utf-8", newline="") as file:
            self.areas = dict(csv.reader(file))
        self.names = list(self.areas)
        with np.load(folder / "users.npz") as users:
            self.visited = users["columns"]
            ends = np.cumsum(users["counts"], dtype=np.int64)
            self.ends = dict(
                zip(users["ids"].tolist(), zip(ends - users["counts"], ends, strict=True), strict=True)
            )

    def _pre_process(self, user_id):
        """A user's id, str → what that user visited, float32 (294,), 0 or 1."""
        known = int(user_id) if user_id.isascii() and user_id.isdecimal() and len(user_id) < 10 else -1
        if known not in self.ends:
            raise BadInput(
                f"field 'user_id': unknown user {quoted(user_id)}",
                hint=f"the users of this model are {min(self.ends)} to {max(self.ends)}",
            )
        start, end = self.ends[known]
        return self.row(self.visited[start:end])

    def row(self, columns):
        """The columns of the areas that were visited → float32 (294,), 0 or 1."""
        visited = np.zeros(len(self.names), np.float32)
        visited[columns] = 1
        return visited

    def _predict_batch(self, batch):
        """n × float32 (294,) → n × float32 (294,): the probability of each area to be next; 0 where the user was."""
        visited = np.stack(batch)
        [shares] = self.network.run([visited])
        fresh = shares * (1 - visited)
        return fresh / np.maximum(fresh.sum(axis=1, keepdims=True), 1e-9)

    def _post_process(self, probabilities, *, num_results: NumResults = 5):
        """float32 (294,) → the likeliest areas."""
        best = np.argsort(-probabilities, kind="stable")[:num_results]
        return [
            Recommended(self.names[column], float(probabilities[column]), self.areas[self.names[column]])
            for column in best
        ]
