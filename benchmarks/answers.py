"""Whether a server's JSON is the right answer, before its bytes are what wrk compares all others with."""

from __future__ import annotations

import json
from typing import Any

TOLERANCE = {"noop": 0.0, "batch": 1e-4, "image": 0.01, "image12": 0.02}
PLAIN_DECODER = 0.2  # how far probabilities may be off with another decoder


def wrong_answer(task: str, expected: Any, body: bytes, *, same_decoder: bool = True) -> str:
    """What is wrong with a server's answer to a request; an empty text if it is right."""
    try:
        found = json.loads(body)
    except ValueError as error:
        return f"no JSON: {error}: {body[:200]!r}"
    mine, right = _scores(found), _scores(expected)
    tolerance = TOLERANCE[task] if same_decoder or not task.startswith("image") else PLAIN_DECODER
    best = max(right, key=right.__getitem__)  # the others may change places
    if abs(mine.get(best, -1) - right[best]) > tolerance or max(mine.values()) != mine[best]:
        return f"it says {mine}, not {right} within {tolerance}"
    return ""


def _scores(answer: Any) -> dict[str, float]:
    """Label → probability, from the JSON of a classification; BentoML's lists have no envelope."""
    try:
        found = answer["predictions"] if isinstance(answer, dict) else [answer]
        if isinstance(found[0], list):
            return dict(found[0][0])
        return {entry["label"]: entry["probability"] for entry in found}
    except (KeyError, IndexError, TypeError):
        return {}
