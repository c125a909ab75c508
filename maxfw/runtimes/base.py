"""What every runtime is: named tensors in, named tensors out."""

from __future__ import annotations

import contextlib
import importlib
import math
import os
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from maxfw.errors import BadModel, MissingExtra

Arrays = Sequence[np.ndarray] | Mapping[str, np.ndarray]
"""The inputs of a graph, in its order or by their names."""

CONTAINER_CPU_QUOTA = Path("/sys/fs/cgroup/cpu.max")
"""Where Linux (cgroup v2) tells a container its share: `microseconds per period`, or `max` for no limit."""
_LONGEST_REASON = 300


@dataclass(frozen=True)
class TensorSpec:
    """An input or output of a graph.

    `dtype` None is any type, `object` is text. `shape` None is any shape; None within it is a free dimension.
    `quantisation` is the (scale, zero point) of integers that stand for real numbers.
    """

    name: str
    dtype: np.dtype[Any] | None = None
    shape: tuple[int | None, ...] | None = None
    quantisation: tuple[float, int] | None = None

    def dequantise(self, values: np.ndarray) -> np.ndarray:
        """Integers of any shape → the real numbers they stand for, float32; floats are returned as float32."""
        scale, zero_point = self.quantisation or (1.0, 0)
        return (values.astype(np.float32) - np.float32(zero_point)) * np.float32(scale)

    def accepts_dtype(self, dtype: np.dtype[Any]) -> bool:
        """Whether an array of this type may be given."""
        if self.dtype is None or self.dtype == dtype:
            return True
        return self.dtype.kind == "O" and dtype.kind in "US"

    def accepts_shape(self, shape: tuple[int, ...]) -> bool:
        """Whether an array of this shape may be given."""
        if self.shape is None:
            return True
        return len(shape) == len(self.shape) and all(
            own in (None, given) for own, given in zip(self.shape, shape, strict=True)
        )

    def __str__(self) -> str:
        """`float32 (n, 224, 224, 3)`: n is a free dimension."""
        return f"{_named(self.dtype)} {_written(self.shape)}"


class Runtime(ABC):
    """A loaded graph: arrays in, arrays out.

    `inputs` and `outputs` are in the order that the graph declares them.
    """

    framework: str
    """What people call it, for error messages."""
    inputs: tuple[TensorSpec, ...] = ()
    outputs: tuple[TensorSpec, ...] = ()

    def run(self, arrays: Arrays) -> list[np.ndarray]:
        """The graph's outputs in declared order, for its inputs in declared order or by name.

        What is returned belongs to the caller: later runs do not change it.

        Raises:
            ValueError: an input is missing, unknown, or has another type or shape than the graph takes.
        """
        return self._run(self._in_order(arrays))

    @abstractmethod
    def _run(self, arrays: list[np.ndarray]) -> list[np.ndarray]:
        """Checked inputs in declared order, C-contiguous → fresh outputs in declared order."""

    def _in_order(self, arrays: Arrays) -> list[np.ndarray]:
        names = [spec.name for spec in self.inputs]
        if isinstance(arrays, Mapping):
            if set(arrays) != set(names):
                raise ValueError(f"the graph takes the inputs {names}, got {sorted(arrays)}")
            arrays = [arrays[name] for name in names]
        given: object = arrays  # an array is no Sequence, but people hand one over
        if isinstance(given, np.ndarray):
            raise ValueError(f"the graph takes a list of arrays ({', '.join(names)}), got one bare array")
        if len(arrays) != len(names):
            raise ValueError(f"the graph takes {len(names)} arrays ({', '.join(names)}), got {len(arrays)}")
        return [_checked(spec, array) for spec, array in zip(self.inputs, arrays, strict=True)]


def _checked(spec: TensorSpec, array: np.ndarray) -> np.ndarray:
    if not isinstance(array, np.ndarray):
        raise ValueError(f"input {spec.name!r} takes an array, {spec}, got {type(array).__name__}")
    if not spec.accepts_dtype(array.dtype):
        raise ValueError(
            f"input {spec.name!r} takes {spec}, got {array.dtype} {array.shape}: convert it to {_named(spec.dtype)}"
        )
    if not spec.accepts_shape(array.shape):
        raise ValueError(
            f"input {spec.name!r} takes {spec}, got {array.dtype} {array.shape}{_fixed(spec, array)}"
        )
    return array if array.flags.c_contiguous else np.ascontiguousarray(array)


def _fixed(spec: TensorSpec, array: np.ndarray) -> str:
    """The likeliest misunderstanding: a batch given to a graph that was exported for one input."""
    assert spec.shape is not None
    first, rest = spec.shape[:1], TensorSpec(spec.name, None, spec.shape[1:])
    if first not in ((), (None,)) and rest.accepts_shape(array.shape[1:]) and array.ndim == len(spec.shape):
        return f": the graph is fixed at {first[0]} in its first dimension"
    return ""


def _named(dtype: np.dtype[Any] | None) -> str:
    if dtype is None:
        return "any type"
    return "text" if dtype.kind == "O" else str(dtype)


def _written(shape: tuple[int | None, ...] | None) -> str:
    if shape is None:
        return "of any shape"
    sizes = ["n" if size is None else str(size) for size in shape]
    return f"({sizes[0]},)" if len(sizes) == 1 else f"({', '.join(sizes)})"


def import_framework(module: str, *, extra: str, needs: str) -> Any:
    """The imported module.

    Raises:
        MissingExtra: it is not installed; the message is the pip line.
    """
    try:
        return importlib.import_module(module)
    except ModuleNotFoundError as error:
        # A module that is missing *inside* an installed package is a broken installation: let it be seen.
        if (error.name or "").partition(".")[0] != module.partition(".")[0]:
            raise
        raise MissingExtra(extra, needs=needs) from None


def existing(path: str | os.PathLike[str], framework: str) -> Path:
    """The path, if something is there.

    Raises:
        BadModel: nothing is.
    """
    found = Path(path)
    if not found.exists():
        raise BadModel(f"{found} does not exist, so {framework} cannot load it", hint="check the path")
    return found


@contextlib.contextmanager
def loading(path: Path, framework: str) -> Iterator[None]:
    """Within it, whatever the framework raises about the file becomes a BadModel with the first line of the reason.

    Each framework has many classes of error for a bad file, some without a common base.
    """
    try:
        yield
    except BadModel:
        raise
    except Exception as error:
        lines = str(error).strip().splitlines() or [type(error).__name__]
        raise BadModel(
            f"{framework} cannot load {path}: {lines[0][:_LONGEST_REASON]}",
            hint="the file is damaged, or of another format or version than this runtime reads",
        ) from error


def available_cpus(quota_file: Path = CONTAINER_CPU_QUOTA) -> int:
    """The CPUs that this process may use: its affinity, bounded by the quota of its container."""
    affinity = getattr(os, "sched_getaffinity", None)  # not on macOS and Windows
    cpus = len(affinity(0)) if affinity else os.cpu_count() or 1
    try:
        quota, period = quota_file.read_text().split()
        return max(1, min(cpus, math.ceil(int(quota) / int(period))))
    except (OSError, ValueError):  # no such file (cgroup v1, another system), or no quota
        return cpus
