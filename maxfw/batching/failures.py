"""Calls that fail: what a model returned that is no answer, and what it raised because memory ran out."""

from __future__ import annotations

import gc
import traceback
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from maxfw.errors import BadModelOutput, MaxfwError

# Class names of PyTorch and TensorFlow; nothing is imported to recognise them.
_CLASSES = frozenset({"OutOfMemoryError", "ResourceExhaustedError"})
# What ONNX Runtime, CUDA, XLA and the C++ library say in a RuntimeError.
_WORDS = (
    "failed to allocate memory",
    "out of memory",
    "bad allocation",
    "bad_alloc",
    "resource_exhausted",
    "cublas_status_alloc_failed",
)
# So many errors, each raised from the next, are looked at.
_DEPTH = 5


def attempt(
    run: Callable[..., Any], xs: Sequence[Any], parameters: Mapping[str, Any]
) -> list[Any] | BaseException:
    """One result for each input, or what went wrong, which is `BadModelOutput` if their number is wrong."""
    try:
        results = run(xs, **parameters)
        if type(results) is list and len(results) == len(xs):
            return results
        count = _length(results)
        # What a strange sequence raises while it is taken apart is the model's fault as well.
        answers = list(results) if isinstance(count, int) else []
        count = len(answers) if isinstance(count, int) else count
    except BaseException as error:  # the thread must outlive whatever a model raises, sys.exit included
        if is_out_of_memory(error):
            _let_go(error)
        return error
    if count != len(xs):
        return WrongLength(f"_predict_batch returned {count} results for {len(xs)} inputs")
    return answers


class WrongLength(BadModelOutput):
    """No input is guilty: nobody can tell which result belongs to whom."""


def is_out_of_memory(error: BaseException) -> bool:
    """Whether a smaller batch may succeed: Python's own error, or what a framework raises or says instead."""
    return any(isinstance(cause, MemoryError) or _says_so(cause) for cause in _causes(error))


def _let_go(error: BaseException) -> None:
    """Free what the frames of a failed call still hold, so that the next, smaller one has room."""
    for cause in _causes(error):
        traceback.clear_frames(cause.__traceback__)
    gc.collect()


def _causes(error: BaseException) -> Iterator[BaseException]:
    """An error, and those it was raised from: a runtime of ours, or the author, may have wrapped it."""
    cause: BaseException | None = error
    for _ in range(_DEPTH):
        if cause is None:
            return
        yield cause
        cause = cause.__cause__


def _says_so(error: BaseException) -> bool:
    if not isinstance(error, Exception) or isinstance(error, MaxfwError):
        return False
    if any(kind.__name__ in _CLASSES for kind in type(error).__mro__):
        return True
    try:
        words = str(error).lower()
    except Exception:  # an author's error whose text cannot be made
        return False
    return any(word in words for word in _WORDS)


def _length(results: Any) -> int | str:
    """How many results there are, or what came instead of a sequence."""
    if isinstance(results, str | bytes | Mapping) or not hasattr(results, "__len__"):
        return f"a {type(results).__name__} instead of"
    return len(results)
