"""The physical limit: a task in a plain loop, in as many processes as the servers have workers.

    python loop.py TASK SECONDS PROCESSES BATCH FILE…

Each file is an input as it is uploaded; decoding it and encoding the answer are part of the loop. Prints JSON:
`inputs_s`, inputs a second of all processes, and `batch_ms`, the median time of a batch of `BATCH`.
"""

from __future__ import annotations

import itertools
import json
import multiprocessing
import statistics
import sys
import time
from multiprocessing.synchronize import Barrier
from pathlib import Path

import msgspec
import work

WARM_UP = 5  # batches


def loop(task: str, seconds: float, batch: int, files: list[str], barrier: Barrier) -> tuple[float, float]:
    """Inputs a second in this process, and the median seconds of a batch."""
    model = work.load(task)
    uploads = [Path(file).read_bytes() for file in files]
    if not task.startswith("image"):
        uploads = [json.loads(upload)["text"][0] for upload in uploads]
    turns = itertools.cycle(uploads)
    encode = msgspec.json.Encoder().encode

    def once() -> None:
        read = [model.read(next(turns)) for _ in range(batch)]
        for result in model.run(read):
            encode(model.write(result))

    for _ in range(WARM_UP):
        once()
    barrier.wait()
    times, started = [], time.perf_counter()
    while (now := time.perf_counter()) < started + seconds:
        once()
        times.append(time.perf_counter() - now)
    return len(times) * batch / (time.perf_counter() - started), statistics.median(times)


_shared: dict[str, Barrier] = {}  # a barrier reaches a pool's process only when it is made


def _start(barrier: Barrier) -> None:
    _shared["barrier"] = barrier


def _work(task: str, seconds: float, batch: int, files: list[str]) -> tuple[float, float]:
    return loop(task, seconds, batch, files, _shared["barrier"])


def main() -> None:
    """Run the loops at the same time and print what they reached."""
    task, seconds, processes, batch, *files = sys.argv[1:]
    fresh = multiprocessing.get_context("spawn")
    barrier = fresh.Barrier(int(processes))
    with fresh.Pool(int(processes), _start, (barrier,)) as pool:
        order = (task, float(seconds), int(batch), files)
        found = [pool.apply_async(_work, order) for _ in range(int(processes))]
        reached = [one.get() for one in found]
    result = {
        "inputs_s": sum(inputs for inputs, _ in reached),
        "batch_ms": statistics.mean(median for _, median in reached) * 1000,
    }
    print(json.dumps(result))


if __name__ == "__main__":
    main()
