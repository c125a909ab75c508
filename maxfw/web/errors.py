"""The one door through which errors leave: every failure becomes the same JSON shape, with no internals in it."""

from __future__ import annotations

import logging
import math
from urllib.parse import urlsplit, urlunsplit

import flask
import msgspec
from flask import Flask, Response
from werkzeug.exceptions import HTTPException

from maxfw.errors import (
    BadInput,
    BadModelOutput,
    MaxfwError,
    MethodNotAllowed,
    MissingExtra,
    NotFound,
    Overloaded,
    RequestError,
    RequestTimeout,
    ServiceError,
    TooLarge,
    Unauthorized,
    UnsupportedMedia,
)
from maxfw.predictor import Caller

log = logging.getLogger("maxfw")

CALLER = "maxfw.caller"
"""The key of the `Caller` in a request's environment."""

_BY_STATUS: dict[int, type[RequestError]] = {
    error.status: error
    for error in (
        BadInput,
        Unauthorized,
        NotFound,
        MethodNotAllowed,
        RequestTimeout,
        TooLarge,
        UnsupportedMedia,
    )
}


def install(app: Flask) -> None:
    """Route every error of an app through this door."""
    # flask-restx has put its own in their place, which would show the text of any exception.
    app.handle_user_exception = response_of  # type: ignore[method-assign, assignment]
    app.handle_exception = response_of  # type: ignore[method-assign, assignment]


def response_of(error: Exception) -> Response:
    """Any exception → the JSON answer that the caller gets; the log gets what the caller does not."""
    if isinstance(error, HTTPException) and error.code is not None and error.code < 400:
        return _redirect(error)
    caller = current_caller()
    request_id = caller.request_id if caller else ""
    shown = shown_in_place_of(error, request_id)
    if caller:
        caller.code = shown.code
    response = Response(body_of(shown, request_id), status=shown.status, headers=headers_of(shown))
    if isinstance(error, HTTPException):
        for name, value in error.get_headers():
            if name in ("Allow", "WWW-Authenticate"):
                response.headers[name] = value
    return response


def body_of(error: MaxfwError, request_id: str) -> bytes:
    """An error as JSON, in the one shape that all of them have."""
    return msgspec.json.encode(
        {
            "status": "error",
            "code": error.code,
            "message": error.message,
            "hint": error.hint,
            "request_id": request_id,
        }
    )


def old_body_of(error: MaxfwError) -> bytes:
    """An error as clients of an old-style app know it."""
    return msgspec.json.encode({"message": error.message})


def current_caller() -> Caller | None:
    """Who waits for the answer that Flask is making now; None outside of a request."""
    if not flask.has_request_context():
        return None
    caller: Caller | None = flask.request.environ.get(CALLER)
    return caller


def headers_of(error: MaxfwError) -> dict[str, str]:
    """The headers that go with an error."""
    headers = {"Content-Type": "application/json"}
    if isinstance(error, Unauthorized):
        headers["WWW-Authenticate"] = "Bearer"
    if isinstance(error, Overloaded):
        headers["Retry-After"] = str(max(1, math.ceil(error.retry_after)))
    return headers


def _redirect(error: HTTPException) -> Response:
    """A redirect is no error; it leads to a path of this server, whatever host the request claimed to ask."""
    response: Response = error.get_response()  # type: ignore[assignment]
    target = urlsplit(response.headers.get("Location", "/"))
    response.headers["Location"] = urlunsplit(("", "", target.path, target.query, ""))
    return response


def shown_in_place_of(error: BaseException, request_id: str) -> MaxfwError:
    """The error that may be shown in place of the one that happened."""
    if isinstance(error, BadModelOutput):
        log.error("request %s: %s", request_id, error.message)
    if isinstance(error, RequestError | ServiceError | MissingExtra):
        return error
    if isinstance(error, HTTPException) and (error.code or 500) < 500 and flask.has_request_context():
        return _from_http(error)
    log.error("request %s failed", request_id, exc_info=error)
    return ServiceError("the server failed to answer this request", hint="its log has the reason")


def _too_large(request: flask.Request) -> TooLarge:
    """Which of werkzeug's three limits a request has exceeded."""
    if (request.content_length or 0) > (request.max_content_length or math.inf):
        message = f"the request is larger than {request.max_content_length} bytes"
        return TooLarge(message, hint="see limits in /model/metadata")
    return TooLarge(
        f"the form has more than {request.max_form_parts} fields, or a text field of more than "
        f"{request.max_form_memory_size} bytes",
        hint="send large content as a file",
    )


def _from_http(error: HTTPException) -> RequestError:
    request = flask.request
    if error.code == 404:
        return NotFound(f"there is nothing at {request.path}", hint="see the API at /")
    if error.code == 405:
        allowed = ", ".join(sorted(getattr(error, "valid_methods", None) or []))
        return MethodNotAllowed(f"{request.method} does not work at {request.path}", hint=f"use {allowed}")
    if error.code == 413:
        return _too_large(request)
    kind = _BY_STATUS.get(error.code or 400, RequestError)
    refused = kind(error.description or error.name)
    refused.status = error.code or 400
    return refused
