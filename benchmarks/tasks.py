"""What is asked: the requests of each task as bytes, and which answers are right."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
from PIL import Image

from benchmarks.servers import HERE, PREDICT
from maxfw.assets import fetch
from maxfw.catalog import find, load_class
from maxfw.contract import samples_of
from maxfw.settings import load_settings

CACHE = HERE / ".cache"
PHOTO, SAMPLE = "image_classifier", "dog-human"
SIZES = {"image": (640, 480), "image12": (4000, 3000)}
QUALITY = 90
GRAIN = 4.0  # standard deviation of the noise that a camera's sensor leaves in a big photo, of 255
SENTENCE = "the quick brown fox jumps over a lazy dog while nobody looks at it any more"
TEXTS = 16  # different ones, so that an answer to somebody else is seen


class Task(msgspec.Struct, frozen=True):
    """One of the tasks: what is uploaded, how it goes over the wire, how many ask at a time."""

    name: str
    title: str
    uploads: tuple[Path, ...]
    requests: tuple[bytes, ...]
    connections: tuple[int, ...]
    expected: tuple[dict[str, Any], ...]
    """The answers of the loop in this process, by request."""


def prepare() -> dict[str, Task]:
    """All tasks; writes photos, texts and the network into the cache."""
    CACHE.mkdir(exist_ok=True)
    _in_process("network.py")
    photos = {name: _photo(size) for name, size in SIZES.items()}
    texts = tuple(_text(number) for number in range(TEXTS))
    made = (
        ("noop", "no-op JSON", texts[:1], (1, 16, 64)),
        ("image", "JPEG of 640×480", (photos["image"],), (1, 16, 64)),
        ("image12", "JPEG of 12 megapixels", (photos["image12"],), (4,)),
        ("batch", "a network that gains from batches", texts, (1, 32, 128)),
    )
    return {name: _task(name, title, uploads, counts) for name, title, uploads, counts in made}


def weights() -> dict[str, str]:
    """Where the weights and labels of the zoo's MobileNet lie, for the peers' environment."""
    network, labels = load_class(find(PHOTO)).assets
    settings = load_settings()
    return {"BENCH_WEIGHTS": str(fetch(network, settings)), "BENCH_LABELS": str(fetch(labels, settings))}


def request(content_type: str, body: bytes, path: str = PREDICT) -> bytes:
    """A POST as it goes over the wire, on a connection that is kept."""
    head = (
        f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nUser-Agent: maxfw-bench\r\nAccept: */*\r\n"
        f"Content-Type: {content_type}\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


def _task(name: str, title: str, uploads: tuple[Path, ...], connections: tuple[int, ...]) -> Task:
    if name.startswith("image"):
        requests = tuple(request(*_multipart(file)) for file in uploads)
    else:
        requests = tuple(request("application/json", file.read_bytes()) for file in uploads)
    expected = tuple(json.loads(_in_process("once.py", name, str(file))) for file in uploads)
    return Task(name, title, uploads, requests, connections, expected)


def _multipart(file: Path) -> tuple[str, bytes]:
    boundary = "maxfw-bench-8f3c1d"
    head = (
        f'--{boundary}\r\nContent-Disposition: form-data; name="image"; filename="{file.name}"\r\n'
        "Content-Type: image/jpeg\r\n\r\n"
    )
    return f"multipart/form-data; boundary={boundary}", head.encode() + file.read_bytes() + (
        f"\r\n--{boundary}--\r\n".encode()
    )


def _in_process(program: str, *arguments: str) -> str:
    """What a program of `in_process/` prints."""
    environment = {**os.environ, **weights(), "BENCH_DECODE": "draft"}
    command = [sys.executable, str(HERE / "in_process" / program), *arguments]
    done = subprocess.run(
        command, env=environment, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise RuntimeError(f"{program} {arguments}: {done.stderr}")
    return done.stdout


def loop(task: Task, *, seconds: float, processes: int, batch: int) -> dict[str, float]:
    """What the loop without a server reaches; see `in_process/loop.py`."""
    arguments = (task.name, str(seconds), str(processes), str(batch), *map(str, task.uploads))
    return dict(json.loads(_in_process("loop.py", *arguments)))


def _photo(size: tuple[int, int]) -> Path:
    file = CACHE / f"photo{size[0]}x{size[1]}.jpg"
    if file.exists():
        return file
    folder = find(PHOTO)
    task = load_class(folder).task
    assert task is not None
    [sample] = [one for one in samples_of(folder, task) if one.name == SAMPLE]
    photo = Image.open(io.BytesIO(sample.inputs.files["image"].blob)).convert("RGB")
    photo = photo.resize(size, Image.Resampling.LANCZOS)
    if size == SIZES["image12"]:  # it was enlarged, and a camera's photo is not that smooth
        grain = np.random.default_rng(1).normal(0, GRAIN, (size[1], size[0], 1))
        photo = Image.fromarray((np.asarray(photo) + grain).clip(0, 255).astype(np.uint8))
    photo.save(file, "JPEG", quality=QUALITY)
    return file


def _text(number: int) -> Path:
    file = CACHE / f"text{number}.json"
    text = SENTENCE[number % 5 :: 1 + number % 3] + f" {number * 7919}" + "!?z"[number % 3] * number
    file.write_text(json.dumps({"text": [text]}), encoding="utf-8")
    return file
