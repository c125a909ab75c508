"""From a complete request to the answer of a WSGI app (PEP 3333), whatever server received it."""

from __future__ import annotations

import io
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, NamedTuple

Environ = dict[str, Any]
Headers = list[tuple[str, str]]
WSGIApp = Callable[[Environ, Callable[..., Any]], Iterable[bytes]]

WHOLE_BYTES = 1_000_000
"""An answer of a stated length up to this is sent in one piece; what is longer, or of no stated length, in its own."""

_BASE: Environ = {
    "SCRIPT_NAME": "",
    "wsgi.version": (1, 0),
    "wsgi.multithread": True,
    "wsgi.multiprocess": False,
    "wsgi.run_once": False,
    # The body is complete whatever the framing was, so an app may read to its end.
    "wsgi.input_terminated": True,
}

# Header name → its key in the environment; None for those that PEP 3333 treats otherwise, or that could pass for
# another: `content_type` would become the key of `content-type`.
_KEYS: dict[str, str | None] = {
    "content-type": "CONTENT_TYPE",
    "content-length": None,
    "transfer-encoding": None,
}
_MOST_KEYS = 512  # whoever sends thousands of names fills no memory


class Answer(NamedTuple):
    """What an app answered; `rest` holds what is still to come after `content`, if anything."""

    status: int
    headers: Headers
    content: bytes
    rest: Rest | None


def environ_of(
    *,
    method: str,
    path: str,
    query: str,
    scheme: str,
    http_version: str,
    server: str,
    client: str,
    authority: str | None,
    headers: Sequence[tuple[str, str]],
    body: bytes,
) -> Environ:
    """A complete request → the environment of its call; `path` has its percent signs undone, addresses are host:port."""
    host, _, port = server.rpartition(":")
    environ = _BASE.copy()
    environ["REQUEST_METHOD"] = method
    environ["PATH_INFO"] = path if path.isascii() else path.encode("utf-8", "replace").decode("latin-1")
    environ["QUERY_STRING"] = query
    environ["SERVER_NAME"] = host
    environ["SERVER_PORT"] = port
    environ["SERVER_PROTOCOL"] = "HTTP/" + http_version
    environ["REMOTE_ADDR"] = client.rpartition(":")[0].strip("[]")
    environ["CONTENT_LENGTH"] = str(len(body))
    environ["wsgi.url_scheme"] = scheme
    environ["wsgi.input"] = io.BytesIO(body)
    environ["wsgi.errors"] = sys.stderr
    for name, value in headers:
        key = _KEYS[name] if name in _KEYS else _key_of(name)
        if key is None:
            continue
        if key in environ:
            value = environ[key] + ("; " if key == "HTTP_COOKIE" else ",") + value
        environ[key] = value
    if authority and "HTTP_HOST" not in environ:
        environ["HTTP_HOST"] = authority
    return environ


def call(app: WSGIApp, environ: Environ) -> Answer:
    """Call an app and take its answer; whoever gets a `rest` must exhaust or close it."""
    started: list[Any] = []

    def start_response(status: str, headers: Headers, exc_info: Any = None) -> Callable[[bytes], Any]:
        if exc_info and started and started[0] is None:  # the head is on its way, says PEP 3333
            raise exc_info[1].with_traceback(exc_info[2])
        started[:] = [int(status[:3]), headers]
        return written.append

    written: list[bytes] = []
    content = app(environ, start_response)
    try:
        pieces = iter(content)
        first = b"".join(written) + next(pieces, b"")
        status, headers = started
        if not 200 <= status <= 599:
            raise ValueError(f"the app answered with the status {status}")
        headers = [(name.lower(), value) for name, value in headers]
        if not isinstance(content, list | tuple) and not _is_short(headers):
            started[0] = None
            return Answer(status, headers, first, Rest(pieces, content))
        answer = Answer(status, headers, b"".join((first, *pieces)), None)
    except BaseException:
        _close(content)
        raise
    _close(content)
    return answer


class Rest:
    """What is still to come of an answer; to be closed, begun or not."""

    def __init__(self, pieces: Iterator[bytes], content: Any) -> None:
        self._pieces = pieces
        self._content = content

    def __iter__(self) -> Iterator[bytes]:
        return self._pieces

    def close(self) -> None:
        """Tell the app that nobody takes more of it."""
        _close(self._content)


def _key_of(name: str) -> str | None:
    key = None if "_" in name else "HTTP_" + name.upper().replace("-", "_")
    if len(_KEYS) < _MOST_KEYS:
        _KEYS[name] = key
    return key


def _is_short(headers: Headers) -> bool:
    return any(name == "content-length" and int(value) <= WHOLE_BYTES for name, value in headers)


def _close(content: Any) -> None:
    if hasattr(content, "close"):
        content.close()
