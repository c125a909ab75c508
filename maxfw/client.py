"""`Client(url).predict(image="dog.jpg", threshold=0.5)`: a model service from Python.

Which keyword is a file, a part of the JSON body or a plain parameter is learnt once from the service's own
`/swagger.json`, so the same line works for every task, and for services of the original framework.
"""

from __future__ import annotations

import email.utils
import html
import json
import mimetypes
import re
from datetime import UTC, datetime
from pathlib import Path
from time import sleep
from typing import TYPE_CHECKING, Any

from msgspec import Struct

from maxfw.errors import AnswerError, BadParameter, MissingExtra

if TYPE_CHECKING:
    import httpx

CONNECT_S = 10.0  # seconds to wait for a connection
LONGEST_PAUSE_S = 60.0  # seconds to wait before a request is repeated, whatever the service asks for

_PREDICT = "/model/predict"
_CODES = {
    400: "bad_input",
    401: "unauthorized",
    404: "not_found",
    405: "method_not_allowed",
    408: "request_timeout",
    413: "too_large",
    415: "unsupported_media_type",
    503: "overloaded",
    504: "deadline_exceeded",
}


class Answer(dict[str, Any]):
    """A JSON object whose fields are attributes too, at every depth.

    >>> answer = Answer(status="ok", predictions=[Answer(label="dog")])
    >>> answer.predictions[0].label == answer["predictions"][0]["label"] == "dog"
    True
    """

    def __getattr__(self, name: str) -> Any:
        try:
            return self[name]
        except KeyError:
            raise AttributeError(f"the answer has no {name!r}, only {', '.join(map(str, self))}") from None


class Media(Struct, frozen=True):
    """An answer that is a file: a picture, a sound."""

    content: bytes
    media_type: str

    def save(self, path: str | Path) -> Path:
        """Write the file; answers its path."""
        path = Path(path)
        path.write_bytes(self.content)
        return path


class Client:
    """A model service at `url`; a context manager that keeps its connections open.

    A request is repeated, up to `retries` times, only where it was surely not worked on: no connection, or refused
    with 503 (then after the seconds that the service asks for). `transport` is any transport of httpx:
    `httpx.WSGITransport(app)` calls a Flask app without a socket.
    """

    def __init__(
        self,
        url: str = "http://localhost:5000",
        *,
        api_key: str | None = None,
        timeout_s: float = 60,
        retries: int = 3,
        transport: httpx.BaseTransport | None = None,
    ) -> None:
        try:
            import httpx
        except ImportError as error:
            raise MissingExtra("client", needs="httpx") from error
        self.url = url.rstrip("/") if "://" in url else f"http://{url.rstrip('/')}"
        self.retries = retries
        self._asked = False
        self._form: _Form | None = None
        self._http = httpx.Client(
            base_url=self.url,
            headers={"Authorization": f"Bearer {api_key}"} if api_key else {},
            timeout=httpx.Timeout(timeout_s, connect=min(CONNECT_S, timeout_s)),
            transport=transport,
        )

    def __enter__(self) -> Client:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the connections."""
        self._http.close()

    def predict(self, /, **fields: Any) -> Any:
        """The model's answer: an `Answer`, or `Media` where the service answers with a picture or a sound.

        A file is a path, bytes, or an open binary file.

        Raises:
            BadParameter: the service knows no such field, or a file cannot be read; nothing was sent.
            AnswerError: the service cannot be reached or refuses; carries its `status`, `code` and `hint`.
        """
        form = self._learnt() or _guessed(fields)
        return _answer_of(self._send(form.method, form.path, **form.filled(fields)))

    def labels(self) -> Any:
        """What the model can name, as the service lists it."""
        return _answer_of(self._send("GET", "/model/labels"))

    def metadata(self) -> Any:
        """What the model is: `id`, `name`, `description`, `type`, `source`, `license` and more."""
        return _answer_of(self._send("GET", "/model/metadata"))

    def health(self) -> Any:
        """Whether the service can answer now; not being ready is an answer too, and is not waited for."""
        return _answer_of(self._once("GET", "/health"), also=503)

    def _learnt(self) -> _Form | None:
        """What `/swagger.json` says about predict, asked once; None where it says nothing of use."""
        if not self._asked:
            response = self._send("GET", "/swagger.json")
            if response.status_code in (401, 403):
                raise _error(response)
            self._form = _form_of(response)
            self._asked = response.status_code < 500
        return self._form

    def _send(self, method: str, path: str, **content: Any) -> httpx.Response:
        """A request, repeated where that is safe."""
        import httpx

        for attempt in range(self.retries):
            try:
                response = self._once(method, path, **content)
            except AnswerError as error:
                if not isinstance(error.__cause__, httpx.ConnectError | httpx.ConnectTimeout):
                    raise
                sleep(0.2 * 2**attempt)
                continue
            if response.status_code != 503:
                return response
            sleep(_pause_s(response))
        return self._once(method, path, **content)

    def _once(self, method: str, path: str, **content: Any) -> httpx.Response:
        import httpx

        try:
            return self._http.send(self._prepared(method, path, **content))
        except (httpx.ConnectError, httpx.ConnectTimeout) as error:
            hint = "is the service running there? `maxfw serve MODEL` starts one"
            raise AnswerError(
                f"no connection to {self.url}: {error}", code="no_connection", hint=hint
            ) from error
        except httpx.TimeoutException as error:
            hint = "Client(timeout_s=…) waits longer"
            raise AnswerError(f"{self.url} did not answer in time", code="no_answer", hint=hint) from error
        except (httpx.TransportError, httpx.InvalidURL) as error:
            raise AnswerError(f"{self.url} did not answer: {error}", code="no_answer") from error

    def _prepared(self, method: str, path: str, **content: Any) -> httpx.Request:
        try:
            return self._http.build_request(method, path, **content)
        except (ValueError, TypeError) as error:
            hint = "NaN, infinity, lone surrogates and objects have no form in a request"
            raise BadParameter(f"this cannot be sent: {error}", hint=hint) from error


# ------------------------------------------------------------------------------------------- what predict asks for


class _Form(Struct, frozen=True):
    """Where each keyword of `predict` goes."""

    method: str
    path: str
    files: frozenset[str] = frozenset()
    lists: dict[str, str] = {}  # parameters that are lists: how they are written, csv or multi
    query: frozenset[str] = frozenset()
    fields: frozenset[str] = frozenset()  # parameters in the form, beside the files
    body: frozenset[str] = frozenset()  # properties of the JSON body
    whole_body: str = ""  # the name of a body that is no object with known properties

    def filled(self, given: dict[str, Any]) -> dict[str, Any]:
        """The keywords → arguments for httpx; those that are None are left out."""
        known = self.files | self.query | self.fields | self.body | ({self.whole_body} - {""})
        unknown = [name for name in given if name not in known]
        if unknown:
            takes = ", ".join(sorted(known)) or "nothing"
            raise BadParameter(
                f"predict got {', '.join(map(repr, unknown))}", hint=f"this model takes {takes}"
            )
        given = {name: value for name, value in given.items() if value is not None}
        content: dict[str, Any] = {
            "params": {name: self._written(name, given[name]) for name in given if name in self.query},
            "files": [(name, _read_file(name, given[name])) for name in given if name in self.files],
            "data": {name: self._written(name, given[name]) for name in given if name in self.fields},
        }
        if self.body:
            content["json"] = {name: given[name] for name in given if name in self.body}
        elif self.whole_body in given:
            content["json"] = given[self.whole_body]
        return {kind: value for kind, value in content.items() if value or kind == "json"}

    def _written(self, name: str, value: Any) -> Any:
        if not isinstance(value, list | tuple | set):
            return value
        return list(value) if self.lists.get(name) == "multi" else ",".join(map(str, value))


def _form_of(response: httpx.Response) -> _Form | None:
    """Swagger 2.0 → where predict's keywords go; None where the answer is no Swagger or describes no predict."""
    try:
        swagger = response.json()
        paths = {p: item for p, item in swagger["paths"].items() if p.rstrip("/").endswith("/predict")}
        path = _PREDICT if _PREDICT in paths else next(iter(paths))
        method = "post" if "post" in paths[path] else "get"
        operation = paths[path][method]
        parameters = [*paths[path].get("parameters", []), *operation.get("parameters", [])]
        return _form_from(method, path, [_resolved(parameter, swagger) for parameter in parameters], swagger)
    except (ValueError, LookupError, TypeError, AttributeError, StopIteration):
        return None


def _form_from(
    method: str, path: str, parameters: list[dict[str, Any]], swagger: dict[str, Any]
) -> _Form | None:
    body = next((parameter for parameter in parameters if parameter["in"] == "body"), None)
    properties = frozenset(_properties(body["schema"], swagger)) if body else frozenset()

    def names(place: str, *, file: bool = False) -> frozenset[str]:
        return frozenset(
            parameter["name"]
            for parameter in parameters
            if parameter["in"] == place and (parameter.get("type") == "file") == file
        )

    form = _Form(
        method=method.upper(),
        path=path,
        files=names("formData", file=True),
        lists={p["name"]: p.get("collectionFormat", "csv") for p in parameters if p.get("type") == "array"},
        query=names("query") - properties,
        fields=names("formData"),
        body=properties,
        whole_body=body["name"] if body and not properties else "",
    )
    # An old handler that reads the request itself describes nothing: then a guess serves better than a refusal.
    undescribed = method == "post" and not (form.files or form.query or form.fields or body)
    return None if undescribed else form


def _resolved(node: dict[str, Any], swagger: dict[str, Any]) -> dict[str, Any]:
    for _ in range(20):  # a chain of references; one that bites its own tail ends as what it is
        if "$ref" not in node:
            break
        target: Any = swagger
        for step in node["$ref"].removeprefix("#/").split("/"):
            target = target[step.replace("~1", "/").replace("~0", "~")]
        node = target
    return node


def _properties(schema: dict[str, Any], swagger: dict[str, Any]) -> set[str]:
    """The names of a JSON object's fields, inherited ones included."""
    names: set[str] = set()
    left, seen = [schema], set[int]()
    while left:
        schema = _resolved(left.pop(), swagger)
        if id(schema) not in seen:
            seen.add(id(schema))
            names.update(schema.get("properties", {}))
            left += schema.get("allOf", [])
    return names


def _guessed(given: dict[str, Any]) -> _Form:
    """Without a description: what looks like a file is one; with files the rest is a form, else it is JSON."""
    names = frozenset(given)
    files = frozenset(name for name, value in given.items() if _looks_like_a_file(value))
    if files:
        return _Form("POST", _PREDICT, files=files, fields=names - files)
    return _Form("POST", _PREDICT, body=names)


def _looks_like_a_file(value: Any) -> bool:
    if isinstance(value, str):
        try:
            return Path(value).is_file()
        except (OSError, ValueError):  # too long for a name, or with a null character: a text
            return False
    return isinstance(value, Path | bytes | bytearray | memoryview) or hasattr(value, "read")


def _read_file(field: str, value: Any) -> tuple[str, bytes, str]:
    """A path, bytes or an open file → name, content and media type; original services look at all three."""
    name, content = "", None
    if isinstance(value, str | Path):
        name = Path(value).name
        try:
            content = Path(value).read_bytes()
        except (OSError, ValueError) as error:
            reason = getattr(error, "strerror", None) or error
            raise BadParameter(f"{field}={str(value)[:200]!r} cannot be read: {reason}") from error
    elif isinstance(value, bytes | bytearray | memoryview):
        content = bytes(value)
    elif hasattr(value, "read"):
        name = Path(str(getattr(value, "name", ""))).name
        content = value.read()
    if not isinstance(content, bytes):
        hint = "give a path, bytes, or a file opened with open(path, 'rb')"
        raise BadParameter(f"{field} is a file, not {type(value).__name__}", hint=hint)
    if not mimetypes.guess_type(name)[0]:
        from maxfw.media import recognise

        extension = (recognise(content) or "bin").lower()
        name = f"{name or field}.{extension}"
    return name, content, mimetypes.guess_type(name)[0] or "application/octet-stream"


# ------------------------------------------------------------------------------------------------- what comes back


def _answer_of(response: httpx.Response, *, also: int = 200) -> Any:
    status = response.status_code
    if not response.is_success and status != also:
        raise _error(response)
    media_type = response.headers.get("Content-Type", "").partition(";")[0].strip().lower()
    if media_type.endswith("json"):
        try:
            return json.loads(response.content, object_hook=Answer)
        except ValueError as error:
            raise AnswerError("the answer is no JSON", status=status, code="no_answer") from error
    if media_type == "text/html":
        message = f"{response.url} answered with a web page, not as a model"
        raise AnswerError(message, status=status, code="no_answer", hint="check the address")
    return Media(response.content, media_type or "application/octet-stream")


def _error(response: httpx.Response) -> AnswerError:
    """Every shape in which services say no → one error."""
    status = response.status_code
    try:
        said = response.json()
    except ValueError:
        said = None
    said = said if isinstance(said, dict) else {}
    message = str(said.get("message") or said.get("error") or _words_of_a_page(response))
    if isinstance(wrong := said.get("errors"), dict) and wrong:
        message += ": " + "; ".join(f"{name}: {text}" for name, text in wrong.items())
    hint = said.get("hint") or ("Client(api_key=…)" if status == 401 else "")
    if not hint and response.is_redirect:
        hint = f"use the address {response.headers['Location']}"
    code = said.get("code") or _CODES.get(status, "internal_error" if status >= 500 else "bad_request")
    request_id = said.get("request_id") or response.headers.get("X-Request-ID", "")
    return AnswerError(
        f"{status}: {message}", status=status, code=str(code), hint=str(hint), request_id=str(request_id)
    )


def _words_of_a_page(response: httpx.Response) -> str:
    """The sentence of an HTML or plain error page."""
    page = response.text[:10_000]
    found = re.search(r"<p>(.*?)</p>", page, re.DOTALL) or re.search(r"<title>(.*?)</title>", page, re.DOTALL)
    words = " ".join(html.unescape(re.sub(r"<[^>]*>", " ", found[1] if found else page)).split())
    return words[:300] or response.reason_phrase


def _pause_s(response: httpx.Response) -> float:
    """The seconds of a Retry-After header, which may be a date; 1 where there is none."""
    asked = response.headers.get("Retry-After", "1").strip()
    if asked.isdecimal():
        seconds = float(asked)
    else:
        try:
            moment = email.utils.parsedate_to_datetime(asked)
            moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
            seconds = (moment - datetime.now(UTC)).total_seconds()
        except (ValueError, OverflowError):
            seconds = 1.0
    return min(max(seconds, 0.0), LONGEST_PAUSE_S)
