"""ONNX Runtime: an `.onnx` file on the CPU."""

from __future__ import annotations

import os
from typing import Any

import numpy as np

from maxfw.runtimes.base import Runtime, TensorSpec, available_cpus, existing, import_framework, loading

_ERRORS_ONLY = 3

_DTYPES: dict[str, Any] = {
    "tensor(float)": np.float32,
    "tensor(double)": np.float64,
    "tensor(float16)": np.float16,
    "tensor(bool)": np.bool_,
    "tensor(string)": object,
    **{f"tensor({name})": np.dtype(name) for name in ("int8", "int16", "int32", "int64")},
    **{f"tensor({name})": np.dtype(name) for name in ("uint8", "uint16", "uint32", "uint64")},
}


class OnnxRuntime(Runtime):
    """An `.onnx` file; a dimension with a name or without a size is free.

    `threads` share one run; by default as many as there are CPUs available.

    Raises:
        MissingExtra: onnxruntime is not installed.
        BadModel: the file is absent, damaged, or uses an operation that ONNX Runtime does not have.
    """

    framework = "ONNX Runtime"

    def __init__(self, path: str | os.PathLike[str], *, threads: int | None = None) -> None:
        onnxruntime = import_framework("onnxruntime", extra="onnx", needs="onnxruntime")
        onnxruntime.disable_telemetry_events()
        file = existing(path, self.framework)
        options = onnxruntime.SessionOptions()
        # Left to itself it takes every core of the machine, also in a container that may use one of them.
        options.intra_op_num_threads = available_cpus() if threads is None else threads
        options.log_severity_level = _ERRORS_ONLY
        with loading(file, self.framework):
            self._session = onnxruntime.InferenceSession(
                os.fspath(file), options, providers=["CPUExecutionProvider"]
            )
        self.inputs = tuple(_spec(tensor) for tensor in self._session.get_inputs())
        self.outputs = tuple(_spec(tensor) for tensor in self._session.get_outputs())

    def _run(self, arrays: list[np.ndarray]) -> list[np.ndarray]:
        named = {spec.name: array for spec, array in zip(self.inputs, arrays, strict=True)}
        return list(self._session.run(None, named))


def _spec(tensor: Any) -> TensorSpec:
    dtype = _DTYPES.get(tensor.type)
    return TensorSpec(
        tensor.name,
        None if dtype is None else np.dtype(dtype),
        tuple(size if isinstance(size, int) and size >= 0 else None for size in tensor.shape),
    )
