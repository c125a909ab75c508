"""What every request passes: an id to speak about it, a key where one is needed, a body within limits."""

from __future__ import annotations

import hashlib
import hmac
import io
import os
import re
import zlib
from collections.abc import Callable
from typing import IO, Any

import flask
from flask import Flask
from flask_cors import CORS

from maxfw.errors import BadInput, BadSetting, TooLarge, Unauthorized
from maxfw.settings import Settings
from maxfw.web.forms import BoundedFormParser

MAX_HEADER_BYTES = 8192
HEADER_TIMEOUT_S = 10

# What needs no key: whether the service is well, and pages, which hold no secrets and are how people send a key.
_OPEN = re.compile(r"/(health(/.*)?|swagger\.json|swaggerui/.*|app(/.*)?)?")

_USABLE_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")
_HASH = re.compile(r"[0-9a-f]{64}")
_PIECE = 1 << 16
_MOST_MEMBERS = 10_000  # each costs time, even one without content


class BoundedRequest(flask.Request):
    """A request whose uploads stay in memory: their size is bounded, and the disk may be read-only."""

    form_data_parser_class = BoundedFormParser

    def _get_file_stream(self, *args: Any, **kwargs: Any) -> IO[bytes]:
        return io.BytesIO()


def install(app: Flask, body_limit: int) -> None:
    """Bound the requests of an app."""
    app.request_class = BoundedRequest
    app.config["MAX_CONTENT_LENGTH"] = body_limit


def origins_of(setting: str) -> list[str]:
    """`https://a.org, https://b.org` → each of them; everybody (`*`) stands alone."""
    origins = [origin.strip() for origin in setting.split(",") if origin.strip()]
    return ["*"] if "*" in origins else origins


def allow_origins(app: Flask, setting: str) -> None:
    """Let browsers call from these origins: `*`, or several separated by commas."""
    origins = origins_of(setting)
    CORS(app, origins="*" if origins == ["*"] else origins)


def request_limits(settings: Settings) -> dict[str, Any]:
    """The limits of every request, as `/model/metadata` publishes them."""
    return {
        "header_bytes": MAX_HEADER_BYTES,
        "header_seconds": HEADER_TIMEOUT_S,
        "body_seconds": settings.body_timeout_s,
        "predict_seconds": settings.predict_timeout_s,
    }


def usable_id(offered: str) -> str:
    """The id that a client offers for its request, or a new one in place of an unusable one."""
    return offered if offered and _USABLE_ID.fullmatch(offered) else os.urandom(16).hex()


class Keys:
    """The keys that may call the model, of which only the sha256 is kept."""

    def __init__(self, hashes: str) -> None:
        """`hashes` are hexadecimal, separated by commas; `sha256:` before one is allowed. None: everybody may call.

        Raises:
            BadSetting: one is no sha256.
        """
        written = [one.strip().lower().removeprefix("sha256:") for one in hashes.split(",") if one.strip()]
        for one in written:
            if not _HASH.fullmatch(one):
                raise BadSetting(
                    f"MAXFW_API_KEYS has an entry of {len(one)} characters that is no sha256",
                    hint="`maxfw key` prints a new key and its sha256",
                )
        self._hashes = [bytes.fromhex(one) for one in written]

    def check(self, method: str, path: str, header: Callable[[str], str]) -> None:
        """Let a request pass if it needs no key or has a right one; `header` gives the value of a header.

        A browser's OPTIONS never carries a key, and asks only what it may ask.

        Raises:
            Unauthorized: it has none, or a wrong one.
        """
        if not self._hashes or method == "OPTIONS" or _OPEN.fullmatch(path):
            return
        offered = header("x-api-key")
        if not offered:
            scheme, _, offered = header("authorization").partition(" ")
            offered = offered.strip() if scheme.lower() == "bearer" else ""
        if not offered:
            raise Unauthorized("this service needs an API key")
        digest = hashlib.sha256(offered.encode("utf-8", "surrogateescape")).digest()
        # Every one is compared, so that the time says nothing about which is near.
        if not sum([hmac.compare_digest(digest, known) for known in self._hashes]):
            raise Unauthorized("the API key is not known")


def inflate(environ: dict[str, Any], limit: int) -> None:
    """Put the plain body in place of a compressed one; encodings other than gzip and deflate are left to the app.

    Raises:
        TooLarge: it has more than `limit` bytes when it is plain; at most a little more than these are made.
        BadInput: it is damaged.
    """
    encoding = environ["HTTP_CONTENT_ENCODING"].strip().lower()
    if encoding not in ("gzip", "x-gzip", "deflate"):
        return
    try:
        plain = _inflated(environ["wsgi.input"], limit)
    except EOFError:
        raise BadInput(f"the {encoding} data of the body was cut short") from None
    except zlib.error as error:
        raise BadInput(
            f"the body is not the {encoding} data that its Content-Encoding says: {error}"
        ) from None
    environ["wsgi.input"] = io.BytesIO(plain)
    environ["CONTENT_LENGTH"] = str(len(plain))
    del environ["HTTP_CONTENT_ENCODING"]


def _inflated(stream: IO[bytes], limit: int) -> bytearray:
    """The plain content of every gzip member, or of the one piece of zlib data; nothing stays nothing.

    Raises:
        TooLarge: see `inflate`.
        EOFError: the data ends too early.
        zlib.error: it is damaged.
    """
    plain = bytearray()
    piece = stream.read(_PIECE)
    members = 0
    while piece:
        members += 1
        if members > _MOST_MEMBERS:
            raise TooLarge(f"the body has more than {_MOST_MEMBERS} gzip members", hint="compress it in one")
        machine = zlib.decompressobj(wbits=zlib.MAX_WBITS | 32)  # finds out whether it is gzip or zlib
        while not machine.eof:
            if not piece:
                raise EOFError
            plain += machine.decompress(piece, _PIECE)
            if len(plain) > limit:
                raise TooLarge(
                    f"the body has more than {limit} bytes when it is decompressed", hint="send less"
                )
            piece = machine.unconsumed_tail or (b"" if machine.eof else stream.read(_PIECE))
        piece = machine.unused_data or stream.read(_PIECE)
        while piece and not (piece := piece.lstrip(b"\0")):  # as gzip does: zeros fill up a block of a tape
            piece = stream.read(_PIECE)
    return plain
