"""A request for a prediction → the inputs of the task and the values of the parameters."""

from __future__ import annotations

import io
from collections.abc import Iterable, Sequence
from typing import IO, Any, NamedTuple
from urllib.parse import parse_qsl

from werkzeug.exceptions import HTTPException, RequestEntityTooLarge
from werkzeug.http import parse_options_header

from maxfw.errors import BadInput, TooLarge, UnsupportedMedia, quoted
from maxfw.settings import Settings
from maxfw.tasks.base import Inputs, Task, Upload
from maxfw.tasks.values import decode_json
from maxfw.web.forms import BoundedFormParser

MULTIPART = "multipart/form-data"
FORM = "application/x-www-form-urlencoded"

# More fields than any task and its parameters have, and the bytes of text that they may hold.
MAX_FORM_PARTS = 100
MAX_FORM_TEXT_BYTES = 500_000


class Received(NamedTuple):
    """What a complete request says of its content; `query` is what follows the ? in its address."""

    content_type: str
    body: bytes
    query: str = ""
    accept: str = ""
    encoding: str = ""


def read_request(
    received: Received, task: Task, settings: Settings, pictures: Sequence[str] = ()
) -> tuple[Inputs, dict[str, Any]]:
    """The inputs of the task and the values of parameters (the URL's win over the body's).

    `pictures` are the parameters that are files too.

    Raises:
        BadInput: a field is sent twice, unknown or malformed.
        TooLarge: a form has too many fields, or too long ones.
        UnsupportedMedia: the body is of another media type than the task takes.
    """
    if received.encoding and received.encoding.lower() != "identity":
        raise UnsupportedMedia("the body is compressed in an unknown way", hint="gzip and deflate are known")
    query = _query(received.query) if received.query else {}
    mimetype = received.content_type.partition(";")[0].strip().lower()
    if task.body is not None:
        if task.takes_forms and mimetype in (MULTIPART, FORM, ""):
            body, _ = _form(received, mimetype, task)
            body, query = body | query, {}
        else:
            body = _json_body(received.body, mimetype, settings)
        own = task.body.__struct_fields__
        inputs = Inputs(body={name: value for name, value in body.items() if name in own})
        return inputs, {name: value for name, value in body.items() if name not in own} | query
    fields, uploads = _form(received, mimetype, task)
    known = {field.name for field in task.files} | set(pictures)
    if unknown := [name for name in uploads if name not in known]:
        raise BadInput(
            f"unknown file field {quoted(unknown[0])}", hint=f"this model takes {', '.join(sorted(known))}"
        )
    # A browser sends a file field that was left empty as a file without name and content.
    for name in set(pictures) & uploads.keys():
        if not uploads[name].filename and not uploads[name].blob:
            del uploads[name]
    if misplaced := [name for name in fields if name in known]:
        raise BadInput(
            f"field {misplaced[0]!r} is text, not a file",
            hint=f"with curl, put @ before the file's name: -F {misplaced[0]}=@{task.files[0].example}",
        )
    return Inputs(files=uploads), fields | query


def _query(text: str) -> dict[str, Any]:
    try:
        pairs = parse_qsl(text, keep_blank_values=True, errors="replace", max_num_fields=MAX_FORM_PARTS)
    except ValueError:
        raise BadInput(f"the address has more than {MAX_FORM_PARTS} parameters") from None
    return _once(pairs, "URL parameter")


def _once(pairs: Iterable[tuple[str, Any]], what: str) -> dict[str, Any]:
    values: dict[str, Any] = {}
    for name, value in pairs:
        if name in values:
            raise BadInput(f"{what} {quoted(name)} is sent twice", hint="send it once")
        values[name] = value
    return values


def _json_body(body: bytes, mimetype: str, settings: Settings) -> dict[str, Any]:
    if mimetype != "application/json" and not mimetype.endswith("+json"):
        raise UnsupportedMedia(
            f"the body is {quoted(mimetype or 'of no stated type')}, not JSON",
            hint="send JSON with the header 'Content-Type: application/json'",
        )
    return decode_json(body, max_depth=settings.max_json_depth)


def _form(received: Received, mimetype: str, task: Task) -> tuple[dict[str, Any], dict[str, Upload]]:
    """The text fields and the files of a form."""
    if mimetype not in (MULTIPART, FORM, ""):
        field = task.files[0]
        raise UnsupportedMedia(
            f"the body is {quoted(mimetype)}, not a multipart form",
            hint=f"send {field.description} as a form field: curl -F {field.name}=@{field.example}",
        )
    parser = BoundedFormParser(
        stream_factory=_in_memory, max_form_memory_size=MAX_FORM_TEXT_BYTES, max_form_parts=MAX_FORM_PARTS
    )
    _, options = parse_options_header(received.content_type)
    try:
        _, form, files = parser.parse(io.BytesIO(received.body), mimetype, len(received.body), options)
    except RequestEntityTooLarge:
        raise TooLarge(
            f"the form has more than {MAX_FORM_PARTS} fields, or text of more than {MAX_FORM_TEXT_BYTES} bytes",
            hint="send large content as a file",
        ) from None
    except HTTPException as error:
        raise BadInput(f"the form cannot be read: {error.description}") from None
    uploads = _once(files.items(multi=True), "file field")
    fields = _once(form.items(multi=True), "form field")
    return fields, {
        name: Upload(upload.stream.read(), upload.filename or "", upload.mimetype)
        for name, upload in uploads.items()
    }


def _in_memory(*_: Any, **__: Any) -> IO[bytes]:
    return io.BytesIO()
