"""What protects a page that people open: it loads its own files only, and nobody else's page may act in its name."""

from __future__ import annotations

from pathlib import Path

import flask
from flask import Response
from werkzeug.security import safe_join

from maxfw.errors import NotFound, RequestError

STATIC = Path(__file__).with_name("static")
"""The modules and the stylesheet of our pages; the web applications use them, too."""

# The machine's own table of types may call a module something that a browser refuses to run.
MEDIA_TYPES = {
    ".html": "text/html; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".svg": "image/svg+xml",
    ".png": "image/png",
}

OWN_HEADER = "X-Max-App"
"""A header that only a script of the same origin can send without asking us first, and we never say yes."""


POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self' blob: data:",
        "media-src 'self' blob:",
        "connect-src 'self'",
        "base-uri 'none'",
        "form-action 'none'",
        "frame-ancestors 'none'",
    )
)
"""The Content-Security-Policy of our pages: no inline script, and every file from where the page came from."""


def protect(response: Response) -> Response:
    """Add the headers of a page: where it may load from, what it may use, that its type is not to be guessed."""
    response.headers["Content-Security-Policy"] = POLICY
    response.headers["X-Content-Type-Options"] = "nosniff"
    response.headers["Referrer-Policy"] = "no-referrer"
    response.headers["Permissions-Policy"] = "camera=(self), microphone=(self), geolocation=()"
    return response


def page_file(folder: Path, name: str) -> Response:
    """A file of a page, of one of the types that pages are made of.

    Raises:
        NotFound: there is no such file, or it is of another type.
    """
    media_type = MEDIA_TYPES.get(Path(name).suffix)
    path = safe_join(str(folder), name)
    if media_type is None or path is None or not Path(path).is_file():
        raise NotFound(f"there is no page {name!r}", hint="the playground is at /app/")
    return protect(file_answer(Path(path), media_type))


def file_answer(path: Path, media_type: str) -> Response:
    """A small file as the answer to this request; 304 where the browser has it already."""
    response = Response(path.read_bytes(), content_type=media_type)
    response.cache_control.no_cache = True
    response.add_etag()
    response.make_conditional(flask.request)
    return response


class ForeignRequest(RequestError):
    """Another site's page tries to act in a visitor's name."""

    code = "foreign_request"
    status = 403


def refuse_foreign(request: flask.Request) -> None:
    """Let only our own page change something.

    Raises:
        ForeignRequest: the request lacks the header that our pages send, or a browser says that it is another site's.
    """
    if request.method in ("GET", "HEAD", "OPTIONS"):
        return
    if request.headers.get("Sec-Fetch-Site", "same-origin") not in ("same-origin", "none"):
        raise ForeignRequest("this request comes from the page of another site")
    if OWN_HEADER not in request.headers:
        raise ForeignRequest(f"the header {OWN_HEADER} is missing", hint=f"programs send {OWN_HEADER}: 1")
