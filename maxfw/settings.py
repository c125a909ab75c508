"""Every knob of maxfw, in one table.

The fields of `Settings` are the table: each becomes an environment variable (`MAXFW_PORT`), a flag of
`maxfw serve` (`--port`), and a row of the reference page, and is checked once, at start-up.
This is the only module that reads the environment.
"""

from __future__ import annotations

import contextlib
import difflib
import functools
import logging
import os
import ssl
import sys
import typing
from collections.abc import Iterator, Mapping
from typing import Annotated, Any

import msgspec
from msgspec import Meta, Struct

from maxfw.errors import BadSetting, SetupError, one_line

PREFIX = "MAXFW_"

# The original framework's variable is a second name of ours: `CORS_ENABLE=true` opens to every origin.
HISTORICAL_CORS = "CORS_ENABLE"

# Set by a supervisor for its workers; nothing for people to set.
WORKER_SOCKET = "MAXFW_WORKER_SOCKET"

# Where prometheus-client looks for the folder in which several processes share their metrics.
METRICS_FOLDER = "PROMETHEUS_MULTIPROC_DIR"

# Variables with our prefix that are no settings; the second makes tests fail where a file of the mirror is missing.
_NO_SETTINGS = frozenset({WORKER_SOCKET, "MAXFW_REQUIRE_MIRROR"})

log = logging.getLogger("maxfw")


class Settings(Struct, frozen=True, kw_only=True):
    """What an operator can set; see `docs/reference/settings.md`."""

    host: Annotated[str, Meta(description="address to listen on; 0.0.0.0 means every network")] = "127.0.0.1"
    port: Annotated[int, Meta(ge=0, le=65535, description="TCP port to listen on; 0 takes a free one")] = 5000
    workers: Annotated[
        int, Meta(ge=1, le=256, description="processes, each with its own copy of the model")
    ] = 1
    threads: Annotated[
        int,
        Meta(
            ge=0,
            le=1024,
            description="request threads per process; 0 chooses 16, or 1 for an old-style model",
        ),
    ] = 0
    cors: Annotated[
        str, Meta(description="origins that browsers may call from, separated by commas; * is every origin")
    ] = ""
    log_level: Annotated[
        str, Meta(pattern="^(debug|info|warning|error)$", description="debug, info, warning or error")
    ] = "info"

    access_log: Annotated[
        bool, Meta(description="write one line of JSON on stderr for each request; off: none")
    ] = True
    api_keys: Annotated[
        str,
        Meta(
            description="sha256 of each key that may call the model, separated by commas (`maxfw key` makes one); "
            "empty: everybody may"
        ),
    ] = ""
    tls_cert: Annotated[
        str, Meta(description="PEM file with the server's certificate chain; empty: plain HTTP")
    ] = ""
    tls_key: Annotated[str, Meta(description="PEM file with the certificate's private key")] = ""
    tls_client_ca: Annotated[
        str, Meta(description="PEM file of the authority that clients' certificates must be signed by")
    ] = ""
    metrics_dir: Annotated[
        str,
        Meta(
            description="folder in which several workers share their metrics; empty: one in memory, or none"
        ),
    ] = ""
    canary_s: Annotated[
        float,
        Meta(
            ge=1,
            le=86_400,
            description="seconds after which whoever asks for readiness has the model asked its own sample again",
        ),
    ] = 60

    max_batch_wait_ms: Annotated[
        float, Meta(ge=0, le=10_000, description="milliseconds a batch waits for company; 0 never waits")
    ] = 0
    max_queue: Annotated[
        int,
        Meta(ge=1, le=1_000_000, description="inputs that may wait for the model before new ones get 503"),
    ] = 256
    max_queue_mb: Annotated[
        float,
        Meta(gt=0, le=1_000_000, description="megabytes of inputs that may wait for the model, then 503"),
    ] = 512
    predict_timeout_s: Annotated[
        float, Meta(gt=0, le=86_400, description="seconds from a complete request to its answer, then 504")
    ] = 60
    body_timeout_s: Annotated[
        float, Meta(gt=0, le=86_400, description="seconds a client may take to send its request, then 408")
    ] = 30
    grace_s: Annotated[
        float,
        Meta(ge=0, le=86_400, description="seconds that requests in flight get to finish after SIGTERM"),
    ] = 30

    max_in_flight_mb: Annotated[
        float,
        Meta(gt=0, le=1_000_000, description="megabytes of all requests that are being read or answered"),
    ] = 256

    max_image_mb: Annotated[float, Meta(gt=0, le=10_000, description="megabytes of an uploaded image")] = 20
    max_image_mpx: Annotated[float, Meta(gt=0, le=10_000, description="megapixels of an uploaded image")] = 50
    max_audio_mb: Annotated[float, Meta(gt=0, le=10_000, description="megabytes of an uploaded clip")] = 25
    max_audio_s: Annotated[float, Meta(gt=0, le=86_400, description="seconds of an uploaded clip")] = 600
    max_table_mb: Annotated[float, Meta(gt=0, le=10_000, description="megabytes of an uploaded table")] = 5
    max_json_mb: Annotated[float, Meta(gt=0, le=10_000, description="megabytes of a JSON body")] = 1
    max_json_depth: Annotated[int, Meta(ge=1, le=500, description="levels of nesting in a JSON body")] = 64
    max_text_kb: Annotated[float, Meta(gt=0, le=1_000_000, description="kilobytes (UTF-8) of one text")] = 100
    max_texts: Annotated[int, Meta(ge=1, le=10_000, description="texts in one request, then 413")] = 256
    max_old_body_mb: Annotated[
        float,
        Meta(
            gt=0, le=10_000, description="megabytes of a request to an old-style model, whatever it carries"
        ),
    ] = 64

    assets_dir: Annotated[
        str, Meta(description="folder where downloaded weights are kept; empty: the user's cache")
    ] = ""
    assets_mirror: Annotated[
        str, Meta(description="folder or base URL where weights are looked for before their own URL")
    ] = ""
    offline: Annotated[bool, Meta(description="never download; use only the cache and a mirror folder")] = (
        False
    )

    @property
    def scheme(self) -> str:
        """`https` or `http`: what clients write before the address."""
        return "https" if self.tls_cert else "http"


def environment_name(field: str) -> str:
    """`max_image_mb` → `MAXFW_MAX_IMAGE_MB`."""
    return PREFIX + field.upper()


def load_settings(
    environ: Mapping[str, str] | None = None, *, defaults: Mapping[str, Any] | None = None, **overrides: Any
) -> Settings:
    """The settings of the environment over `defaults`, with `overrides` (those that are not None) on top.

    A variable with our prefix that is no setting is warned of, once: it may be a slip of the pen.

    Raises:
        BadSetting: a value cannot be used; names the variable or flag, the value and what is allowed.
    """
    environ = os.environ if environ is None else environ
    known = {environment_name(name) for name in Settings.__struct_fields__}
    for variable in sorted(environ.keys() - known - _NO_SETTINGS):
        if variable.startswith(PREFIX):
            _warn_of(variable)
    values: dict[str, Any] = dict(defaults or {})
    if cors := environ.get(HISTORICAL_CORS, ""):
        values["cors"] = _historical_cors(cors)
    for name in Settings.__struct_fields__:
        variable = environment_name(name)
        if environ.get(variable, "").strip():
            values[name] = _convert(name, environ[variable].strip(), variable)
    for name, value in overrides.items():
        if value is not None:
            values[name] = _convert(name, value, "--" + name.replace("_", "-"))
    return Settings(**values)


def check_tls(settings: Settings) -> None:
    """See that the files of HTTPS are there, readable and fit together, before a model is loaded for minutes.

    Raises:
        BadSetting: one of them is missing or cannot be used.
    """
    if not settings.tls_cert:
        for name in ("tls_key", "tls_client_ca"):
            if getattr(settings, name):
                raise BadSetting(
                    f"{environment_name(name)} is set and MAXFW_TLS_CERT is not",
                    hint="HTTPS needs MAXFW_TLS_CERT and MAXFW_TLS_KEY; set both, or none for plain HTTP",
                )
        return
    if not settings.tls_key:
        raise BadSetting("MAXFW_TLS_CERT is set and MAXFW_TLS_KEY is not", hint="set both, or neither")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    for name in ("tls_cert", "tls_key", "tls_client_ca"):
        if path := getattr(settings, name):
            _check_file(name, path)
    try:
        # The password is for a key that has one, which nobody could be asked for: empty, it is refused.
        context.load_cert_chain(settings.tls_cert, settings.tls_key, password="")
    except (OSError, ValueError) as error:
        raise BadSetting(
            f"MAXFW_TLS_CERT={settings.tls_cert!r} and MAXFW_TLS_KEY={settings.tls_key!r} "
            f"are no certificate and its key: {error}",
            hint="both are PEM files; the key has no password",
        ) from None
    if settings.tls_client_ca:
        try:
            context.load_verify_locations(settings.tls_client_ca)
        except (OSError, ValueError) as error:
            raise BadSetting(
                f"MAXFW_TLS_CLIENT_CA={settings.tls_client_ca!r} has no certificates: {error}",
                hint=f"tls_client_ca: {describe('tls_client_ca')}",
            ) from None


@contextlib.contextmanager
def or_exit() -> Iterator[None]:
    """A wrong set-up inside ends the program with one line on stderr and exit code 2."""
    try:
        yield
    except SetupError as error:
        print(one_line(error), file=sys.stderr)
        sys.exit(2)


def inherited_descriptors() -> tuple[int, int] | None:
    """What a supervisor handed to this worker process: its socket, and a pipe that ends with the supervisor."""
    numbers = os.environ.get(WORKER_SOCKET, "").split(",")
    return (int(numbers[0]), int(numbers[1])) if len(numbers) == 2 else None


def worker_environment(socket: int, lifeline: int, metrics_folder: str) -> dict[str, str]:
    """The environment of a worker process that is to serve on an inherited socket, and share its metrics."""
    shared = {METRICS_FOLDER: metrics_folder} if metrics_folder else {}
    return {**os.environ, **shared, WORKER_SOCKET: f"{socket},{lifeline}"}


def shared_metrics_folder() -> str:
    """The folder in which this process shares its metrics with others; empty if it is alone."""
    return os.environ.get(METRICS_FOLDER, "")


def export(**values: Any) -> None:
    """Hand settings on to an old-style app, which reads the environment when it calls `run()`."""
    for name, value in values.items():
        if value is not None:
            os.environ[environment_name(name)] = str(value)


def set_unless_set(name: str, value: str) -> None:
    """A variable of a library that knows no other way; what the operator has set stays."""
    os.environ.setdefault(name, value)


def fields() -> list[msgspec.inspect.Field]:
    """Name, type and default of every setting, in the order of the table."""
    described = msgspec.inspect.type_info(Settings)
    assert isinstance(described, msgspec.inspect.StructType)
    return list(described.fields)


def describe(name: str) -> str:
    """The sentence that explains a setting."""
    return str(_annotation(name).__metadata__[0].description)


@functools.cache  # settings are read more than once; the warning is for the person, who needs it once
def _warn_of(variable: str) -> None:
    known = [environment_name(name) for name in Settings.__struct_fields__]
    near = difflib.get_close_matches(variable, known, n=1, cutoff=0.8)
    log.warning("%s is no setting%s", variable, f"; did you mean {near[0]}?" if near else "")


def _annotation(name: str) -> Any:
    return typing.get_type_hints(Settings, include_extras=True)[name]


def _check_file(name: str, path: str) -> None:
    try:
        with open(path, "rb") as file:
            content = file.read()
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise BadSetting(
            f"{environment_name(name)}={path!r} cannot be read: {reason}", hint=f"{name}: {describe(name)}"
        ) from None
    # OpenSSL reads certificates under other headings too, at which our HTTP server would abort.
    if name != "tls_key" and b"-----BEGIN CERTIFICATE-----" not in content:
        raise BadSetting(
            f"{environment_name(name)}={path!r} has no PEM certificate",
            hint="openssl x509 -in FILE -out FILE.pem writes one",
        )


def _convert(name: str, value: Any, source: str) -> Any:
    annotation = _annotation(name)
    if isinstance(value, str) and annotation.__origin__ is bool:
        value = {"yes": True, "on": True, "no": False, "off": False}.get(value.lower(), value)
    try:
        return msgspec.convert(value, annotation, strict=False)
    except msgspec.ValidationError as error:
        raise BadSetting(f"{source}={value!r}: {error}", hint=f"{name}: {describe(name)}") from None


def _historical_cors(value: str) -> str:
    """`true` → `*`; `false` → nothing; anything else is a list of origins."""
    return {"true": "*", "false": ""}.get(value.strip().lower(), value.strip())
