"""LiteRT (TensorFlow Lite): a `.tflite` file on the CPU."""

from __future__ import annotations

import os
import threading
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from maxfw.errors import BadModel
from maxfw.runtimes.base import Runtime, TensorSpec, available_cpus, existing, import_framework, loading

MOST_THREADS = 4
"""The networks that LiteRT is for are too small to feed more."""


class LiteRTRuntime(Runtime):
    """A `.tflite` file.

    A graph with a free first dimension takes any batch; most files are fixed at one input.
    `threads` is by default the CPUs that are available, at most four: MobileNet v2 takes 6.7 ms with one thread and
    4.0 ms with two on two cores, and is slower again (4.9 ms) with more threads than cores.
    `inner` names tensors inside the graph that are answered as well, after its outputs, for what a network computes on
    the way; it then keeps all of them in memory.

    Raises:
        MissingExtra: ai-edge-litert is not installed.
        BadModel: the file is absent, damaged, or uses an operation that LiteRT does not have.
    """

    framework = "LiteRT"

    def __init__(
        self, path: str | os.PathLike[str], *, threads: int | None = None, inner: Sequence[str] = ()
    ) -> None:
        litert = import_framework("ai_edge_litert.interpreter", extra="litert", needs="ai-edge-litert")
        file = existing(path, self.framework)
        threads = min(MOST_THREADS, available_cpus()) if threads is None else threads
        with loading(file, self.framework), warnings.catch_warnings():
            # LiteRT says that keeping every tensor takes memory, which is what `inner` asks for.
            warnings.filterwarnings("ignore", "Warning: Enabling `experimental_preserve_all_tensors`")
            self._interpreter = litert.Interpreter(
                os.fspath(file), num_threads=threads, experimental_preserve_all_tensors=bool(inner)
            )
            self._interpreter.allocate_tensors()
        inputs, outputs = self._interpreter.get_input_details(), self._interpreter.get_output_details()
        outputs += _inner_tensors(self._interpreter.get_tensor_details() if inner else [], inner, file)
        self.inputs = tuple(_spec(tensor) for tensor in inputs)
        # An output whose size depends on the data (detections, for one) is stated as a scalar.
        self.outputs = tuple(_spec(tensor, scalar_is_unknown=True) for tensor in outputs)
        self._input_indices = [tensor["index"] for tensor in inputs]
        self._output_indices = [tensor["index"] for tensor in outputs]
        self._allocated: list[tuple[int, ...]] | None = [
            tuple(map(int, tensor["shape"])) for tensor in inputs
        ]
        self._lock = threading.Lock()

    def _run(self, arrays: list[np.ndarray]) -> list[np.ndarray]:
        # The interpreter keeps inputs and outputs in its own memory: one run at a time.
        with self._lock:
            self._allocate([array.shape for array in arrays])
            for index, array in zip(self._input_indices, arrays, strict=True):
                self._interpreter.set_tensor(index, array)
            self._interpreter.invoke()
            return [
                self._interpreter.get_tensor(index) for index in self._output_indices
            ]  # get_tensor copies

    def _allocate(self, shapes: list[tuple[int, ...]]) -> None:
        """Make room for inputs of these shapes, if there is not already."""
        if shapes == self._allocated:
            return
        for spec, shape in zip(self.inputs, shapes, strict=True):
            if 0 in shape:
                raise ValueError(f"input {spec.name!r} takes {spec}, got the empty shape {shape}")
        self._allocated = None  # until it succeeds, the next run must not trust what is there
        for index, shape in zip(self._input_indices, shapes, strict=True):
            self._interpreter.resize_tensor_input(index, shape, strict=True)
        try:
            self._interpreter.allocate_tensors()
        except RuntimeError as error:
            raise ValueError(f"the graph cannot take inputs of the shapes {shapes}: {error}") from error
        self._allocated = shapes


def _inner_tensors(tensors: list[dict[str, Any]], names: Sequence[str], file: Path) -> list[dict[str, Any]]:
    by_name = {tensor["name"]: tensor for tensor in tensors}
    if missing := [name for name in names if name not in by_name]:
        raise BadModel(f"{file} has no inner tensor {missing[0]!r}")
    return [by_name[name] for name in names]


def _spec(tensor: dict[str, Any], *, scalar_is_unknown: bool = False) -> TensorSpec:
    sizes = tensor["shape_signature"] if len(tensor["shape_signature"]) else tensor["shape"]
    shape = tuple(None if size < 0 else int(size) for size in sizes)
    scale, zero_point = tensor["quantization"]
    return TensorSpec(
        tensor["name"],
        np.dtype(tensor["dtype"]),
        None if scalar_is_unknown and not shape else shape,
        (float(scale), int(zero_point)) if scale else None,
    )
