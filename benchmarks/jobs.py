"""What a job over a folder does beside a plain loop in one process, and beside the server on the same cores.

    python -m benchmarks.jobs [MODEL] [--photos 400] [--rounds 3]

A photo is a JPEG of 640×480 pixels. The loop reads, decodes, prepares, predicts in the model's best batches, and
encodes, one after the other; the job is `maxfw.offline` on the same files; the server is asked by wrk, over 16
connections. The three take turns, because the machine is shared, and the median of the rounds counts.
Prints JSON: photos a second of each, milliseconds of the processor that one takes, which say more on a machine that
others use too, and the job's shares of the loop's and the server's rate.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
from PIL import Image

from benchmarks.load import Exchange, wrk
from maxfw.catalog import find, load_model
from maxfw.offline import Answering, Listing, Order, Results, run
from maxfw.offline.answering import settings_for_jobs
from maxfw.predictor import Predictor
from maxfw.settings import load_settings

PHOTO = (640, 480)
DIFFERENT = 50
CONNECTIONS = 16


def make_photos(folder: Path, count: int) -> list[Path]:
    """So many JPEGs, of which some are the same file under other names."""
    rng = np.random.default_rng(7)
    made: list[Path] = []
    for number in range(count):
        path = folder / f"{number:06d}.jpg"
        if number < DIFFERENT:
            rough = rng.integers(0, 255, (12, 16, 3), dtype=np.uint8)
            Image.fromarray(rough).resize(PHOTO, Image.Resampling.BICUBIC).save(path, quality=88)
        else:
            os.link(made[number % DIFFERENT], path)
        made.append(path)
    return made


def loop_rate(predictor: Predictor, photos: list[Path]) -> float:
    """Photos a second of a plain loop, in this thread."""
    model, task, settings = predictor.model, predictor.task, predictor.settings
    hooks = predictor.arguments(task.inputs_of(str(photos[0])), {})
    size = model.max_batch_size
    started = time.perf_counter()
    for first in range(0, len(photos), size):
        chunk = [task.read(task.inputs_of(str(photo)), settings) for photo in photos[first : first + size]]
        batch = [model._pre_process(items[0], **hooks["_pre_process"]) for items in chunk]
        for items, result in zip(chunk, model._predict_batch(batch, **hooks["_predict_batch"]), strict=True):
            outcome = model._post_process(result, **hooks["_post_process"])
            task.encode(task.write(items, [outcome], predictor.labels))
    return len(photos) / (time.perf_counter() - started)


def job_rate(predictor: Predictor, folder: Path, out: Path) -> float:
    """Photos a second of a job over the folder."""
    results = Results(out, Order.of({}))
    try:
        jobs = iter(Listing.of([str(folder)], type(predictor.model), predictor.settings))
        return run(Answering(predictor, {}), results, jobs).rate
    finally:
        results.close()


@contextmanager
def server(model: str) -> Iterator[tuple[int, int]]:
    """`maxfw serve` on a free port → the port, and the process."""
    words = [sys.executable, "-m", "maxfw", "serve", model, "--port", "0"]
    environment = {**os.environ, "MAXFW_ACCESS_LOG": "off", "PYTHONUNBUFFERED": "1"}
    process = subprocess.Popen(
        words, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, env=environment
    )
    assert process.stdout is not None
    try:
        for line in process.stdout:
            if found := re.search(r"http://[\d.]+:(\d+)", line):
                yield int(found[1]), process.pid
                return
        raise RuntimeError("the server did not start")
    finally:
        process.terminate()
        process.wait()


def cpu_s(pid: int) -> float:
    """The seconds of the processor that a process has taken."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def upload(photo: Path, field: str) -> bytes:
    """The request that sends a photo."""
    head = f'--x\r\nContent-Disposition: form-data; name="{field}"; filename="a.jpg"\r\n\r\n'
    body = head.encode() + photo.read_bytes() + b"\r\n--x--\r\n"
    lines = [
        "POST /model/predict HTTP/1.1",
        "Host: localhost",
        "Content-Type: multipart/form-data; boundary=x",
        f"Content-Length: {len(body)}",
    ]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


def main() -> None:
    """Measure, and print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("model", nargs="?", default="image_classifier")
    parser.add_argument("--photos", type=int, default=400)
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    predictor = Predictor(load_model(find(options.model)), settings_for_jobs(load_settings()))
    rates: dict[str, list[float]] = {"loop": [], "job": [], "server": []}
    costs: dict[str, list[float]] = {"loop": [], "job": [], "server": []}
    with tempfile.TemporaryDirectory(prefix="maxfw-jobs-") as name, server(options.model) as (port, pid):
        folder = Path(name, "photos")
        folder.mkdir()
        photos = make_photos(folder, options.photos)
        some = photos[:DIFFERENT]
        answers = [
            predictor.task.encode(predictor.answer(predictor.task.inputs_of(str(photo)))).content
            for photo in some
        ]
        exchange = Exchange([upload(photo, predictor.task.files[0].name) for photo in some], answers)
        for number in range(options.rounds):
            started = cpu_s(os.getpid())
            rates["loop"].append(loop_rate(predictor, photos))
            between = cpu_s(os.getpid())
            rates["job"].append(job_rate(predictor, folder, Path(name, f"{number}.jsonl")))
            costs["loop"].append((between - started) / len(photos) * 1000)
            costs["job"].append((cpu_s(os.getpid()) - between) / len(photos) * 1000)
            before = cpu_s(pid)
            load = wrk(port, exchange, connections=CONNECTIONS, seconds=5)
            if load.wrong:
                raise RuntimeError(load.wrong)
            rates["server"].append(load.per_second)
            costs["server"].append((cpu_s(pid) - before) / load.requests * 1000)
    middle = {name: round(statistics.median(values), 1) for name, values in rates.items()}
    shares = {f"job / {other}": round(middle["job"] / middle[other], 2) for other in ("loop", "server")}
    cpu_ms = {name: round(statistics.median(values), 2) for name, values in costs.items()}
    print(json.dumps({"model": options.model, **middle, "cpu_ms": cpu_ms, **shares}))


if __name__ == "__main__":
    main()
