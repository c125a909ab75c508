"""What a handler returned → JSON: numpy values are encoded, and the text is always valid JSON.

The original framework failed on numpy values outside `marshal_with`, and wrote `NaN`, which is no JSON and
which browsers refuse. Here NaN and the infinities become `null`.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from typing import Any

from flask import Response, current_app, make_response
from flask.json.provider import DefaultJSONProvider


def is_array(value: Any) -> bool:
    """Whether `value` is a numpy array or scalar, or quacks like one (a tensor)."""
    # Asking for the class would import numpy into apps that do not use it.
    return hasattr(value, "dtype") and hasattr(value, "tolist")


def plain(value: Any) -> Any:
    """`value` with numpy values as Python's, keys included, and with None for what JSON has no number for."""
    if is_array(value):
        value = value.tolist()
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, Mapping):
        return {key.tolist() if is_array(key) else key: plain(content) for key, content in value.items()}
    if isinstance(value, list | tuple):
        return [plain(element) for element in value]
    return value


def _encodable(value: Any) -> Any:
    """The `default` of the JSON encoder: called for what it does not know."""
    return value.tolist() if is_array(value) else DefaultJSONProvider.default(value)


def encode(value: Any, **how: Any) -> str:
    """`value` as JSON text; `how` are keywords of `json.dumps`."""
    if "cls" not in how:
        how.setdefault("default", _encodable)
    try:
        return json.dumps(value, **{"allow_nan": False, **how})
    except (TypeError, ValueError):
        # Rare: a numpy key, or a number that JSON has not. The second pass finds out, and costs only then.
        return json.dumps(plain(value), **how)


class OldStyleJSON(DefaultJSONProvider):
    """What `flask.jsonify` uses in an old-style app."""

    def dumps(self, obj: Any, **kwargs: Any) -> str:
        return encode(obj, **{"ensure_ascii": self.ensure_ascii, "sort_keys": self.sort_keys, **kwargs})


def json_response(data: Any, code: int, headers: Mapping[str, str] | None = None) -> Response:
    """A flask-restx representation: JSON that ends with a newline, indented while debugging."""
    how = dict(current_app.config.get("RESTX_JSON") or {})
    if current_app.debug:
        how.setdefault("indent", 4)
    response = make_response(encode(data, **how) + "\n", code)
    response.headers.extend(headers or {})
    return response
