"""What the batcher needs to know of an input: with whom it may share a batch, and how much memory it holds."""

from __future__ import annotations

import sys
from collections.abc import Hashable, Mapping
from typing import Any

# Of a longer list only so many elements are weighed; the others are taken to be like them.
_WEIGHED = 100


def parameters_key(parameters: Mapping[str, Any]) -> tuple[tuple[str, str], ...]:
    """A key that is equal only for equal parameters."""
    if not parameters:
        return ()
    return tuple((name, repr(value)) for name, value in sorted(parameters.items()))


def shape_key(x: Any) -> Hashable:
    """A key that is equal only for inputs that can be stacked: type, dtype and shape, through tuples and dicts."""
    shape = getattr(x, "shape", None)
    if shape is not None and hasattr(x, "dtype"):  # an array, or a framework's tensor
        return (x.dtype, tuple(shape))
    if isinstance(x, tuple):
        return tuple(shape_key(part) for part in x)
    if isinstance(x, Mapping):
        return tuple((name, shape_key(part)) for name, part in sorted(x.items()))
    return type(x)  # type: ignore[return-value]  # mypy does not know that classes can be hashed


def bytes_of(x: Any) -> int:
    """About how many bytes an input holds: arrays, texts and pictures, through tuples, lists and dicts."""
    if isinstance(size := getattr(x, "nbytes", None), int):
        return size
    if isinstance(x, str | bytes | bytearray):
        return sys.getsizeof(x)
    if isinstance(x, Mapping):
        return sum(map(bytes_of, x.values()))
    if isinstance(x, tuple | list):
        weighed = x[:_WEIGHED]
        total = sum(map(bytes_of, weighed))
        return total if len(weighed) == len(x) else total * len(x) // len(weighed)
    if hasattr(x, "getbands"):  # a PIL image
        return int(x.width * x.height * len(x.getbands()))
    return sys.getsizeof(x)
