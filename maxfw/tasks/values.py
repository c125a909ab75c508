"""JSON in and out: bytes → dicts, answers → bytes, and whatever a model returned → typed structs."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, TypeVar

import msgspec
import numpy as np

from maxfw.errors import BadInput, BadModelOutput

T = TypeVar("T")

SLACK = 1e-6  # what float32 arithmetic may put a probability beyond 0 and 1


def decode_json(blob: bytes, what: str = "the body", *, max_depth: int = 64) -> dict[str, Any]:
    """A JSON object → a dict.

    Raises:
        BadInput: not JSON, not an object, or nested deeper than `max_depth`.
    """
    hint = "send a JSON object with the header 'Content-Type: application/json'"
    try:
        decoded = msgspec.json.decode(blob)
    except RecursionError:
        raise BadInput(f"{what} is nested deeper than {max_depth} levels") from None
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise BadInput(f"{what} is not valid JSON: {error}", hint=hint) from None
    if not isinstance(decoded, dict):
        raise BadInput(f"{what} is a JSON {type(decoded).__name__}, not an object", hint=hint)
    if blob.count(b"[") + blob.count(b"{") > max_depth and _depth(decoded) > max_depth:
        raise BadInput(f"{what} is nested deeper than {max_depth} levels")
    return decoded


def encode_json(answer: Any) -> bytes:
    """An answer as JSON; numpy scalars and arrays become numbers and lists.

    Raises:
        BadModelOutput: it holds a NaN, an infinity, or something that JSON has no form for.
    """
    try:
        content = msgspec.json.encode(answer, enc_hook=plain)
    except (TypeError, ValueError, RecursionError) as error:
        raise BadModelOutput(f"_post_process returned something that is no JSON: {error}") from error
    # msgspec writes NaN and infinities as null, so only an answer with a null in it needs a closer look.
    if b"null" in content and (where := _not_finite(msgspec.to_builtins(answer, enc_hook=plain))):
        raise BadModelOutput(f"_post_process returned a number that is not finite, at {where}")
    return content


def typed(outcome: Any, wanted: type[T]) -> T:
    """What a model returned, as the task's type; dicts, numpy values and structs are all welcome.

    Raises:
        BadModelOutput: it does not fit; says where.
    """
    try:
        content = msgspec.to_builtins(outcome, enc_hook=plain, str_keys=True)
        if where := _not_finite(content):
            raise BadModelOutput(f"_post_process returned a number that is not finite, at {where}")
        return msgspec.convert(content, wanted, strict=True)
    except (msgspec.ValidationError, TypeError, RecursionError) as error:
        raise BadModelOutput(f"_post_process did not return what the task answers: {error}") from error


def check_probability(value: float, whose: str) -> None:
    """Refuse a probability outside 0…1; float32 may miss the ends by a hair.

    Raises:
        BadModelOutput: names the value and whose it is.
    """
    if not -SLACK <= value <= 1 + SLACK:
        raise BadModelOutput(f"_post_process returned {value} for {whose!r}, not a probability (0…1)")


def is_vector(outcome: Any) -> bool:
    """Whether a model returned numbers in a row: an array, or a list or tuple of numbers."""
    if isinstance(outcome, list | tuple):
        return bool(outcome) and isinstance(outcome[0], int | float | np.generic)
    return hasattr(outcome, "__array__")


def probability_vector(
    outcome: Any, count: int, *, name_of: Callable[[int], str]
) -> np.ndarray[Any, np.dtype[np.float64]]:
    """An array, list or tuple of numbers → probabilities in the order of `count` labels, float64 (count,).

    Raises:
        BadModelOutput: another length than there are labels, or not numbers from 0 to 1.
    """
    try:
        vector = np.asarray(outcome, dtype=object if isinstance(outcome, str) else None)
    except (TypeError, ValueError, RuntimeError) as error:
        raise BadModelOutput(f"_post_process returned no vector of numbers: {error}") from error
    if vector.shape != (count,) or vector.dtype.kind not in "biuf":
        raise BadModelOutput(
            f"_post_process returned {vector.dtype} of shape {vector.shape}, not {count} probabilities"
        )
    vector = vector.astype(np.float64)
    if not np.isfinite(vector).all():
        raise BadModelOutput("_post_process returned a number that is not finite")
    outside = np.flatnonzero((vector < -SLACK) | (vector > 1 + SLACK))
    if outside.size:
        check_probability(float(vector[outside[0]]), name_of(int(outside[0])))
    return vector


def finite_numbers(outcome: Any) -> list[float]:
    """A vector, numpy or a list of numbers, → a list of numbers.

    Raises:
        BadModelOutput: it is no vector, is empty, or holds a NaN or an infinity.
    """
    try:
        vector = np.asarray(outcome)
    except ValueError as error:  # lists of unequal lengths
        raise BadModelOutput(f"_post_process did not return a vector: {error}") from error
    if vector.ndim != 1 or not vector.size or vector.dtype.kind not in "iuf":
        raise BadModelOutput(
            f"_post_process returned {vector.dtype} of shape {vector.shape}, not a vector of numbers"
        )
    if not np.isfinite(vector).all():
        raise BadModelOutput("_post_process returned a number that is not finite")
    numbers: list[float] = vector.astype(np.float64).tolist()
    return numbers


def number_rows(outcome: Any) -> list[list[float]]:
    """Vectors of equal length, an array of two dimensions or lists of numbers, → lists.

    Raises:
        BadModelOutput: there is none, they are of different lengths, or one is no vector of finite numbers.
    """
    if not isinstance(outcome, np.ndarray | list | tuple):
        raise BadModelOutput(f"_post_process returned {type(outcome).__name__}, not rows of numbers")
    rows = [finite_numbers(row) for row in outcome]
    if len({len(row) for row in rows}) != 1:
        raise BadModelOutput("_post_process did not return rows of numbers of one length, at least one row")
    return rows


def plain(value: Any) -> Any:
    """What msgspec asks for of a value that it does not know: numpy's become numbers and lists."""
    if isinstance(value, np.generic | np.ndarray):
        return value.tolist()
    raise TypeError(f"{type(value).__name__} is no JSON value")


def _not_finite(value: Any, where: str = "the answer") -> str:
    """Where in nested lists and dicts the first NaN or infinity stands; empty if all is well."""
    if isinstance(value, float):
        return "" if math.isfinite(value) else where
    if isinstance(value, dict):
        inner = ((item, f"{where}.{key}") for key, item in value.items())
    elif isinstance(value, list):
        inner = ((item, f"{where}[{index}]") for index, item in enumerate(value))
    else:
        return ""
    return next((found for item, place in inner if (found := _not_finite(item, place))), "")


def _depth(value: Any) -> int:
    """Levels of nesting; walks level by level, so that depth costs no recursion."""
    depth, level = 0, [value]
    while level:
        containers = [item for item in level if isinstance(item, dict | list)]
        level = [
            inner for item in containers for inner in (item.values() if isinstance(item, dict) else item)
        ]
        depth += bool(containers)
    return depth
