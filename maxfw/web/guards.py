"""What every request passes: an id to speak about it, a body that stays in memory and within limits."""

from __future__ import annotations

import io
import re
import uuid
from typing import IO, Any

import flask
from flask import Flask, Response
from flask_cors import CORS

_USABLE_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")

# More fields than any task and its parameters have.
MAX_FORM_PARTS = 100


class BoundedRequest(flask.Request):
    """A request whose uploads stay in memory: their size is bounded, and the disk may be read-only."""

    def _get_file_stream(self, *args: Any, **kwargs: Any) -> IO[bytes]:
        return io.BytesIO()


def install(app: Flask, body_limit: int) -> None:
    """Bound the requests of an app, in bytes, and give each an id."""
    app.request_class = BoundedRequest
    app.config["MAX_CONTENT_LENGTH"] = body_limit
    app.config["MAX_FORM_PARTS"] = MAX_FORM_PARTS
    app.after_request(_add_headers)


def allow_origins(app: Flask, origins: str) -> None:
    """Let browsers call from `origins`: `*`, or several separated by commas."""
    allowed = [origin.strip() for origin in origins.split(",") if origin.strip()]
    CORS(app, origins="*" if "*" in allowed else allowed)


def request_id() -> str:
    """The id of this request: the client's `X-Request-ID` if it is a harmless word, else a new one."""
    if not flask.has_request_context():
        return ""
    known: str | None = flask.g.get("request_id")
    if known is None:
        known = flask.g.request_id = usable_id(flask.request.headers.get("X-Request-ID", ""))
    return known


def usable_id(offered: str) -> str:
    """The id that a client offers for its request, or a new one in place of an unusable one."""
    return offered if _USABLE_ID.fullmatch(offered) else uuid.uuid4().hex


def _add_headers(response: Response) -> Response:
    response.headers["X-Request-ID"] = request_id()
    response.headers.setdefault("X-Content-Type-Options", "nosniff")
    return response
