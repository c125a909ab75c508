"""JSON that is too deep, too long, too odd, or no JSON at all."""

from __future__ import annotations

import json

import pytest
from raw_http import exchange, request
from target import Target, get, survives

pytestmark = pytest.mark.slow

DIGITS = b"9" * 900_000


def text(inner: bytes) -> bytes:
    return b'{"text": [' + inner + b"]}"


REFUSED = {
    "100,000 lists": b"[" * 100_000 + b"]" * 100_000,
    "100,000 lists without an end": b"[" * 100_000,
    "100,000 objects": b'{"a":' * 100_000 + b"1" + b"}" * 100_000,
    "65 lists in a field": b'{"text": ["a"], "b": ' + b"[" * 65 + b"]" * 65 + b"}",
    "90,000 keys": b'{"text": ["a"], ' + b",".join(b'"%d":0' % n for n in range(90_000)) + b"}",
    "an integer of 900 kB": b'{"text": ["a"], "factor": ' + DIGITS + b"}",
    "1e999999": b'{"text": ["a"], "factor": 1e999999}',
    "NaN": b'{"text": ["a"], "factor": NaN}',
    "Infinity": b'{"text": ["a"], "factor": -Infinity}',
    "NaN as text": b'{"text": ["a"], "factor": "NaN"}',
    "a number for a text": text(b"1"),
    "null": b"null",
    "a list": b"[1, 2]",
    "a text": b'"text"',
    "nothing": b"",
    "blanks": b" \n\t",
    "UTF-16": json.dumps({"text": ["a"]}).encode("utf-16"),
    "UTF-32": json.dumps({"text": ["a"]}).encode("utf-32"),
    "Latin-1": text(b'"\xe9"'),
    "half a letter": text(b'"\xe2\x82"'),
    "a letter too long": text(b'"\xc0\x80"'),
    "a surrogate as UTF-8": text(b'"\xed\xa0\x80"'),
    "a lone surrogate": text(b'"\\ud800"'),
    "surrogates the wrong way round": text(b'"\\udc00\\ud800"'),
    "NUL as it is": text(b'"a\0b"'),
    "a line end in a text": text(b'"a\nb"'),
    "something after the end": text(b'"a"') + b"{}",
    "NUL after the end": text(b'"a"') + b"\0",
    "a comma too many": text(b'"a",'),
    "single quotes": b"{'text': ['a']}",
    "a comment": b'{"text": ["a"] /* hello */}',
    "an unknown parameter with a name of 900 kB": b'{"text": ["a"], "' + b"x" * 900_000 + b'": 1}',
    "an unknown parameter": b'{"text": ["a"], "__proto__": {"isAdmin": true}}',
    "a parameter that is an object": b'{"text": ["a"], "factor": {"$gt": ""}}',
    "an empty list": text(b""),
    "a form": b"text=a",
    "XML": b'<?xml version="1.0"?><!DOCTYPE a [<!ENTITY b SYSTEM "file:///etc/passwd">]><a>&b;</a>',
}


@pytest.mark.parametrize("body", REFUSED.values(), ids=REFUSED.keys())
def test_json_that_is_none_or_odd_is_400_and_says_why(text_server: Target, body: bytes) -> None:
    with survives(text_server, peak_mb=60):
        answer = exchange(text_server.port, request(body=body))

    assert answer.status == 400, answer
    assert {"status", "code", "message", "hint", "request_id"} <= json.loads(answer.body).keys()
    assert len(answer.body) < 2_000, "what came is not sent back"


ANSWERED = {
    "NUL as an escape": text(b'"a\\u0000b"'),
    "a right-to-left mark": text('"\u202egnp.exe"'.encode()),
    "300 combining marks": text(('"e' + "\u0301" * 300 + '"').encode()),
    "99 kB in one line": text(b'"' + b"a" * 99_000 + b'"'),
    "a pair of surrogates": text(b'"\\ud83d\\ude00"'),
    "256 texts": text(b",".join([b'"a"'] * 256)),
    "a key twice, where the last one counts": b'{"text": ["a"], "text": ["b"]}',
    "a real of 900 kB": b'{"text": ["a"], "factor": 0.' + DIGITS + b"}",
    "a small number": b'{"text": ["a"], "factor": 1e-999999}',
}


@pytest.mark.parametrize("body", ANSWERED.values(), ids=ANSWERED.keys())
def test_json_that_is_only_unusual_is_answered(text_server: Target, body: bytes) -> None:
    with survives(text_server):
        answer = exchange(text_server.port, request(body=body))

    assert answer.status == 200, answer
    json.loads(answer.body, parse_constant=pytest.fail)


@pytest.mark.parametrize(
    "body",
    [
        text(b",".join([b'"a"'] * 257)),
        text(b'"' + b"a" * 100_001 + b'"'),
        text(('"' + "\u0301" * 60_000 + '"').encode()),
        text(b'"' + b"a" * 1_000_000 + b'"'),
        b"{" + b",".join(b'"%d":0' % n for n in range(1_000_000)) + b"}",
        b'{"text": ["a"], "factor": ' + b"9" * 10_000_000 + b"}",
    ],
    ids=[
        "257 texts",
        "a long text",
        "100 kB in UTF-8",
        "a long body",
        "a million keys",
        "an integer of 10 MB",
    ],
)
def test_more_text_than_is_allowed_is_413(text_server: Target, body: bytes) -> None:
    with survives(text_server, peak_mb=40):
        answer = exchange(text_server.port, request(body=body))

    assert answer.status in (0, 413), answer  # 0: closed before all was read, so the answer may be lost


def test_a_byte_order_mark_is_no_reason_to_fail(text_server: Target) -> None:
    with survives(text_server):
        assert exchange(text_server.port, request(body=b"\xef\xbb\xbf" + text(b'"a"'))).status in (200, 400)


@pytest.mark.parametrize(
    "media_type",
    [
        "text/plain",
        "text/html",
        "application/xml",
        "application/octet-stream",
        "application/pickle",
        "application/x-pickle",
        "application/python-pickle",
        "application/vnd.bentoml+pickle",
        "application/x-yaml",
        "application/x-msgpack",
        "image/svg+xml",
        "multipart/form-data; boundary=b",
        "nonsense",
        "application/json-seq",
    ],
)
def test_another_content_type_is_415_and_is_never_unpickled(
    text_server: Target, picture_server: Target, media_type: str
) -> None:
    import pickle

    class Bomb:
        def __reduce__(self) -> tuple[object, tuple[str]]:
            return eval, (f"open({str(text_server.temporary / 'exploded')!r}, 'w')",)

    for server in (text_server, picture_server):
        with survives(server):
            for body in (pickle.dumps(Bomb()), text(b'"a"')):
                answer = exchange(server.port, request(body=body, media_type=media_type))
                assert answer.status in ((400, 415) if media_type.startswith("multipart") else (415,)), answer
    assert not (text_server.temporary / "exploded").exists()


def test_an_answer_is_json_whatever_a_client_would_accept(text_server: Target) -> None:
    for accept in ("text/html", "application/x-python-pickle", "*/*", "a" * 3000, "image/png;q=nan"):
        with survives(text_server):
            answer = exchange(text_server.port, request(body=text(b'"a"'), Accept=accept))
        assert answer.status == 200
        assert answer.media_type == "application/json"
        assert get(text_server.port, "/model/metadata", Accept=accept)[0] == 200
