"""What old model repositories expect of other libraries, added to today's versions of them.

Each shim only accepts more than the library does; none changes what it already accepted.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import flask
import flask.helpers
from flask_restx import fields
from PIL import Image

from maxfw.core.answers import is_array

_MARK = "_accepts_2019"

# Keywords that Flask 2.0 renamed: `send_file` of 2019 → today's.
SEND_FILE_KEYWORDS = {
    "attachment_filename": "download_name",
    "cache_timeout": "max_age",
    "add_etags": "etag",
}

# Filters that Pillow 10 removed: the name of 2019 → today's.
PILLOW_FILTERS = {"ANTIALIAS": "LANCZOS", "LINEAR": "BILINEAR", "CUBIC": "BICUBIC"}


def install_shims() -> None:
    """Install every shim; does nothing the second time."""
    for old, new in PILLOW_FILTERS.items():
        if not hasattr(Image, old):
            setattr(Image, old, getattr(Image, new))
    if not hasattr(flask.send_file, _MARK):
        flask.send_file = flask.helpers.send_file = _with_old_keywords(flask.send_file)
    for field in (fields.Fixed, fields.Arbitrary):
        if not hasattr(field.format, _MARK):
            field.format = _with_numpy_scalars(field.format)


def _with_old_keywords(send_file: Callable[..., flask.Response]) -> Callable[..., flask.Response]:
    @functools.wraps(send_file)
    def send_file_of_2019(*args: Any, **kwargs: Any) -> flask.Response:
        for old, new in SEND_FILE_KEYWORDS.items():
            if old in kwargs:
                kwargs.setdefault(new, kwargs.pop(old))
        return send_file(*args, **kwargs)

    setattr(send_file_of_2019, _MARK, True)
    return send_file_of_2019


def _with_numpy_scalars(format_field: Callable[..., str]) -> Callable[..., str]:
    """`decimal.Decimal` takes a Python float and refuses an `np.float32`."""

    @functools.wraps(format_field)
    def format_of_2019(self: fields.Raw, value: Any) -> str:
        return format_field(self, value.tolist() if is_array(value) else value)

    setattr(format_of_2019, _MARK, True)
    return format_of_2019
