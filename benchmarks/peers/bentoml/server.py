"""BentoML with two workers, and adaptive batching for the task that gains from it.

    bentoml serve server:Served

A batching endpoint of BentoML takes a list and answers with a list, one entry for each input, so its JSON has no
envelope (https://docs.bentoml.com/en/latest/get-started/adaptive-batching.html); a second service that adds one would
cost another hop.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import bentoml
import work

TASK = os.environ["BENCH_TASK"]
SERVICE: dict[str, Any] = {"workers": 2, "traffic": {"timeout": 60}}

if TASK.startswith("image"):

    @bentoml.service(**SERVICE)
    class Served:
        """The five likeliest classes of a photo."""

        def __init__(self) -> None:
            self.work = work.load()

        @bentoml.api(route="/model/predict")
        def predict(self, image: Path) -> dict[str, Any]:
            """A file → the JSON that the client gets."""
            [result] = self.work.run([self.work.read(image.read_bytes())])
            return self.work.write(result)

elif TASK == "batch":

    @bentoml.service(**SERVICE)
    class Served:  # type: ignore[no-redef]
        """The probabilities of texts, in batches."""

        def __init__(self) -> None:
            self.work = work.load()

        @bentoml.api(
            route="/model/predict", batchable=True, max_batch_size=work.MAX_BATCH, max_latency_ms=1000
        )
        def predict(self, text: list[str]) -> list[dict[str, float]]:
            """Texts → the scores of each."""
            results = self.work.run([self.work.read(one) for one in text])
            return [self.work.write(result)["predictions"][0][0] for result in results]

else:

    @bentoml.service(**SERVICE)
    class Served:  # type: ignore[no-redef]
        """The probabilities of a text."""

        def __init__(self) -> None:
            self.work = work.load()

        @bentoml.api(route="/model/predict")
        def predict(self, text: list[str]) -> dict[str, Any]:
            """A text → the JSON that the client gets."""
            [result] = self.work.run([self.work.read(text[0])])
            return self.work.write(result)
