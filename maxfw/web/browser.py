"""Pages that people open: they load their own files only, and nobody else's page may act in a visitor's name."""

from __future__ import annotations

import logging
from pathlib import Path

import flask
import msgspec
from flask import Flask, Response
from werkzeug.security import safe_join

from maxfw.errors import AnswerError, ForeignRequest, MaxfwError, ModelAway, NotFound, RequestError
from maxfw.settings import Settings
from maxfw.web import errors, guards
from maxfw.web.door import Door
from maxfw.web.metrics import Metrics

log = logging.getLogger("maxfw")

PAGE_THREADS = 16
"""How many requests a web application answers at a time."""

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


def page_app(
    name: str, folder: Path, settings: Settings, *, max_bytes: int, index: str = "index.html"
) -> Flask:
    """An app of its own around a page: `folder/INDEX` at `/`, its files at `/static/`, ours at `/shared/`.

    Its errors, ids and limits are those of every server; what it does is added by the caller.
    """
    app = Flask(name, static_folder=None)
    guards.install(app, max_bytes)
    # Visitors have no key; those of the settings are for models.
    Door(app, msgspec.structs.replace(settings, api_keys=""), Metrics(), old_style=False)
    errors.install(app)
    app.before_request(lambda: refuse_foreign(flask.request))
    app.after_request(protect)

    @app.get("/")
    def start_page() -> Response:
        return page_file(folder, index)

    @app.get("/static/<path:name>")
    def own_file(name: str) -> Response:
        return page_file(folder, name)

    @app.get("/shared/<path:name>")
    def shared_file(name: str) -> Response:
        return page_file(STATIC, name)

    @app.get("/health")
    def health() -> dict[str, str]:
        return {"status": "ok"}

    return app


def in_own_words(error: AnswerError) -> MaxfwError:
    """What the model's service said to us → what we say to a visitor, who does not know that service."""
    if 400 <= error.status < 500 and error.status not in (401, 403, 404, 405):
        refused = RequestError(error.message.removeprefix(f"{error.status}: "), hint=error.hint)
        refused.status = error.status
        return refused
    log.warning("the model does not answer: %s", error.message)
    if error.status == 503:
        return ModelAway("The model is busy.", hint="Try again in a moment.")
    return ModelAway("The model cannot be reached.", hint="It may be starting. Try again in a moment.")


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
        raise NotFound(f"there is no page {name!r}", hint="go to the start page")
    return protect(file_answer(Path(path), media_type))


def file_answer(path: Path, media_type: str) -> Response:
    """A small file as the answer to this request; 304 where the browser has it already."""
    response = Response(path.read_bytes(), content_type=media_type)
    response.cache_control.no_cache = True
    response.add_etag()
    response.make_conditional(flask.request)
    return response


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
