"""LitServe with two workers, and batches for the task that gains from them.

    python server.py

`fast_queue` is what LitServe advises above a hundred requests a second, and as many HTTP processes as workers is its
own default. `batch_timeout` must be positive to gather anything without spinning; of 0, 1, 10 and 50 ms, 1 ms did
best here with one connection, and as well as any with thirty-two
(https://lightning.ai/docs/litserve/features/batching).
"""

from __future__ import annotations

import os
from typing import Any

import litserve
import work

IMAGES = os.environ["BENCH_TASK"].startswith("image")
BATCHES = os.environ["BENCH_TASK"] == "batch"
BATCH_TIMEOUT = 0.001  # seconds


class Served(litserve.LitAPI):
    """The task as LitServe's four methods."""

    def setup(self, device: str) -> None:
        """Load the weights, in the worker."""
        self.work = work.load()

    def decode_request(self, request):  # type: ignore[no-untyped-def]  # LitServe takes a type as a schema
        """The body → an input."""
        return self.work.read(request["image"].file.read() if IMAGES else request["text"][0])

    def batch(self, inputs: list[Any]) -> list[Any]:
        """Inputs stay a list; the task stacks them."""
        return list(inputs)

    def predict(self, given: Any) -> Any:
        """An input, or with batches a list of them → results."""
        return self.work.run(given) if BATCHES else self.work.run([given])[0]

    def unbatch(self, output: Any) -> Any:
        """A list of results → each."""
        return output

    def encode_response(self, output: Any) -> dict[str, Any]:
        """A result → the JSON that the client gets."""
        return self.work.write(output)


if __name__ == "__main__":
    size = {"max_batch_size": work.MAX_BATCH, "batch_timeout": BATCH_TIMEOUT} if BATCHES else {}
    server = litserve.LitServer(
        Served(api_path="/model/predict", **size), accelerator="cpu", workers_per_device=2, fast_queue=True
    )
    server.run(host="127.0.0.1", port=int(os.environ["BENCH_PORT"]), generate_client_file=False)
