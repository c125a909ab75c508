"""The door of every app, new or old: each request gets its id, shows its key, is counted, measured and logged.

It stands between a WSGI server and the Flask app, so that whatever hosts the app serves the same.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from typing import Any, NamedTuple

import flask
from flask import Flask

from maxfw.errors import MaxfwError
from maxfw.predictor import Caller, Predictor
from maxfw.settings import Settings
from maxfw.web import errors, guards
from maxfw.web.errors import CALLER
from maxfw.web.logs import AccessLog
from maxfw.web.metrics import Metrics

LAST_LINES_S = 1.0

Environ = dict[str, Any]


class Refused(NamedTuple):
    """What is known of a request that is sent away; `origin` is the page that it came from."""

    method: str
    path: str
    request_id: str
    route: str
    client: str
    origin: str


class Door:
    """Wraps the `wsgi_app` of a Flask app; it is found as `app.extensions["maxfw.door"]`."""

    def __init__(self, app: Flask, settings: Settings, metrics: Metrics, *, old_style: bool) -> None:
        """Stand before an app.

        Raises:
            BadSetting: an API key's hash is none.
        """
        self.draining = False
        self.metrics = metrics
        self._log = AccessLog(settings.access_log)
        self._keys = guards.Keys(settings.api_keys)
        self._timeout_s = settings.predict_timeout_s
        self._old_style = old_style
        self._origins = guards.origins_of(settings.cors)
        self._body_limit = int(app.config["MAX_CONTENT_LENGTH"])
        self._app = app
        self._inner = app.wsgi_app
        app.wsgi_app = self  # type: ignore[method-assign]
        app.before_request(_note_route)
        app.extensions["maxfw.door"] = self

    def __call__(self, environ: Environ, start_response: Callable[..., Any]) -> Iterable[bytes]:
        method, path = environ["REQUEST_METHOD"], _path_of(environ)
        caller: Caller | None = environ.get(CALLER)
        # Our own front has looked at the key already, and notes the answer when it is sent.
        is_hosted_elsewhere = caller is None
        if caller is None:
            id_ = guards.usable_id(environ.get("HTTP_X_REQUEST_ID", ""))
            caller = environ[CALLER] = Caller(self._timeout_s, request_id=id_)

        def start(status: str, headers: list[tuple[str, str]], exc_info: Any = None) -> Any:
            headers.append(("X-Request-ID", caller.request_id))
            if not any(name == "X-Content-Type-Options" for name, _ in headers):
                headers.append(("X-Content-Type-Options", "nosniff"))
            if is_hosted_elsewhere:
                self.note(
                    caller,
                    method,
                    path,
                    int(status[:3]),
                    client=environ.get("REMOTE_ADDR", ""),
                    received=environ.get("CONTENT_LENGTH"),
                    size=next((value for name, value in headers if name == "Content-Length"), None),
                )
            return start_response(status, headers, exc_info)

        try:
            if is_hosted_elsewhere:
                self._keys.check(method, environ["PATH_INFO"], lambda name: environ.get(_key(name), ""))
            if environ.get("HTTP_CONTENT_ENCODING"):
                guards.inflate(environ, self._body_limit)
        except MaxfwError as error:
            caller.code = error.code
            headers, body = self._words(error, caller.request_id, environ.get("HTTP_ORIGIN", ""))
            start(f"{error.status} {error.code}", [*headers, ("Content-Length", str(len(body)))])
            return [body]
        return self._inner(environ, start)

    def id_of(self, offered: str) -> str:
        """The id of a request that offers one, or none."""
        return guards.usable_id(offered)

    def check_key(self, method: str, path: str, header: Callable[[str], str]) -> None:
        """See `Keys.check`."""
        self._keys.check(method, path, header)

    def refuse(
        self, refused: Refused, error: MaxfwError, started: float
    ) -> tuple[int, list[tuple[str, str]], bytes]:
        """The answer to a request that does not reach the app: status, headers and body; counted and logged."""
        headers, body = self._words(error, refused.request_id, refused.origin)
        headers = [(name.lower(), value) for name, value in headers]
        headers += [("x-request-id", refused.request_id), ("x-content-type-options", "nosniff")]
        caller = Caller(self._timeout_s, request_id=refused.request_id)
        caller.started, caller.route, caller.code = started, refused.route, error.code
        self.note(
            caller,
            refused.method,
            refused.path,
            error.status,
            client=refused.client,
            received=None,
            size=len(body),
        )
        return error.status, headers, body

    def _words(self, error: MaxfwError, request_id: str, origin: str) -> tuple[list[tuple[str, str]], bytes]:
        """Headers and body of a refusal, in the words of the app's time, and readable for pages of other origins."""
        headers = list(errors.headers_of(error).items())
        if origin and (self._origins == ["*"] or origin in self._origins):
            headers.append(("Access-Control-Allow-Origin", "*" if self._origins == ["*"] else origin))
        return headers, errors.old_body_of(error) if self._old_style else errors.body_of(error, request_id)

    def close(self) -> None:
        """Write what is left of the log; if nobody reads it, not for long."""
        self._log.flush(wait_s=LAST_LINES_S)

    def tick(self) -> None:
        """Several times a second: write the log, look at the queue."""
        self._log.flush()
        predictor = self._app.extensions.get("maxfw")
        if isinstance(predictor, Predictor):
            self.metrics.tick(predictor.batcher.queue_length(), predictor.batcher.busy_s())
        else:
            self.metrics.count()

    def note(
        self, caller: Caller, method: str, path: str, status: int, *, client: str, received: Any, size: Any
    ) -> None:
        """A request is answered: count it, measure it, log it; `received` and `size` are bytes in and out."""
        seconds = time.monotonic() - caller.started
        self.metrics.answered(caller.route, method, status, seconds)
        if caller.seconds:
            self.metrics.staged(caller.seconds)
        if caller.code:
            self.metrics.refused(caller.code)
        self._log.add(
            caller.request_id,
            method,
            path,
            status,
            seconds,
            client=client,
            received=received,
            size=size,
            code=caller.code,
            stages=caller.seconds,
        )


def _path_of(environ: Environ) -> str:
    """The path as people read it; WSGI carries its bytes as Latin-1."""
    path: str = environ["PATH_INFO"]
    return path if path.isascii() else path.encode("latin-1", "replace").decode("utf-8", "replace")


def _note_route() -> None:
    # Rules are few and are the author's; paths are many and a stranger's.
    caller, rule = flask.request.environ.get(CALLER), flask.request.url_rule
    if caller is not None and rule is not None:
        caller.route = rule.rule


def _key(header: str) -> str:
    return "HTTP_" + header.upper().replace("-", "_")
