"""The three tasks of the benchmarks without any server: what every peer wraps, and what the loop runs in process.

A server gets its task from `load(name)`: `read` makes an input of what was uploaded, `run` answers a list of inputs,
`write` makes the JSON that a client gets.
"""

from __future__ import annotations

import io
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

CACHE = Path(__file__).resolve().parents[1] / ".cache"
MLP = CACHE / "mlp.onnx"
FEATURES = 256  # one for each value that a byte may have
SIDE = 224  # pixels
MAX_BATCH = 32


class Work(NamedTuple):
    """A task in three functions; `batches` says whether `run` gains from several inputs."""

    read: Callable[[Any], Any]
    run: Callable[[list[Any]], list[Any]]
    write: Callable[[Any], dict[str, Any]]
    batches: bool


def load(name: str | None = None, *, threads: int = 1) -> Work:
    """The task of this name, or of `BENCH_TASK`, with its weights loaded."""
    name = os.environ["BENCH_TASK"] if name is None else name
    return {"noop": _noop, "image": _image, "image12": _image, "batch": _batch}[name](threads)


def _positive(probability: float) -> dict[str, Any]:
    scores = {"positive": probability, "negative": 1 - probability}
    return {"status": "ok", "predictions": [[scores]]}


def _noop(threads: int) -> Work:
    """A text → always the same answer."""
    return Work(lambda text: text, lambda texts: [1.0] * len(texts), _positive, False)


def _batch(threads: int) -> Work:
    """A text → how often each byte is in it → a network of four wide layers → two probabilities."""
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    session = onnxruntime.InferenceSession(str(MLP), options, providers=["CPUExecutionProvider"])

    def run(batch: list[np.ndarray]) -> list[float]:
        return [float(p) for p in session.run(None, {"x": np.stack(batch)})[0][:, 0]]

    return Work(byte_counts, run, _positive, True)


def byte_counts(text: str) -> np.ndarray:
    """A text → how often each byte is in it, float32 (256,)."""
    found = np.frombuffer(text.encode(), dtype=np.uint8)
    return np.bincount(found, minlength=FEATURES).astype(np.float32)


def _image(threads: int) -> Work:
    """A JPEG → MobileNet v2 on LiteRT → its five likeliest classes."""
    from ai_edge_litert.interpreter import Interpreter
    from PIL import Image

    names = Path(os.environ["BENCH_LABELS"]).read_text(encoding="utf-8").splitlines()[1:]
    net = Interpreter(os.environ["BENCH_WEIGHTS"], num_threads=threads)
    net.allocate_tensors()
    source, [target] = net.get_input_details()[0]["index"], net.get_output_details()
    scale, zero = target["quantization"]
    draft = os.environ.get("BENCH_DECODE") == "draft"

    def read(blob: bytes) -> np.ndarray:
        image: Image.Image = Image.open(io.BytesIO(blob))
        if draft:
            image.draft("RGB", (2 * SIDE, 2 * SIDE))  # decoded at ½, ¼ or ⅛ of its size, as maxfw does
        image = image.convert("RGB").resize((SIDE, SIDE), Image.Resampling.BILINEAR, reducing_gap=3.0)
        return np.asarray(image)

    def run(batch: list[np.ndarray]) -> list[np.ndarray]:
        return [one(pixels) for pixels in batch]

    def one(pixels: np.ndarray) -> np.ndarray:
        net.set_tensor(source, pixels[None])
        net.invoke()
        logits = (net.get_tensor(target["index"])[0, 1:].astype(np.float32) - zero) * scale
        powers: np.ndarray = np.exp(logits - logits.max())
        return np.asarray(powers / powers.sum())

    def write(probabilities: np.ndarray) -> dict[str, Any]:
        best = np.argsort(-probabilities, kind="stable")[:5]
        found = [
            {"label_id": str(index), "label": names[index], "probability": float(probabilities[index])}
            for index in best
        ]
        return {"status": "ok", "predictions": found}

    return Work(read, run, write, False)
