"""What a stranger writes comes back as data only: in headers, logs, error texts and labels."""

from __future__ import annotations

import json

import pytest
from PIL import Image
from raw_http import exchange, request
from target import Target, get, multipart, survives

from models import encoded

pytestmark = pytest.mark.slow

IDS = [
    "a b",
    "a\tb",
    "a;b",
    "<script>",
    "\x1b[31mred",
    "é",
    "a" * 65,
    "a" * 7000,
    "../../etc/passwd",
    "%0d%0aSet-Cookie: a=b",
    "${jndi:ldap://x/a}",
    "{{7*7}}",
    "\x7f",
    "",
]


@pytest.mark.parametrize("offered", IDS)
def test_an_id_that_is_no_harmless_word_is_replaced(text_server: Target, offered: str) -> None:
    with survives(text_server):
        for path in ("/model/metadata", "/nowhere"):
            answer = exchange(text_server.port, request("GET", path, X_Request_ID=offered))
            assert answer.status in (200, 404, 400), answer
            if answer.status != 400:  # else the server itself refused such bytes in a header
                assert answer.headers["x-request-id"] != offered
                assert len(answer.headers["x-request-id"]) <= 64


def test_two_ids_are_none_or_the_first(text_server: Target) -> None:
    sent = b"GET /model/metadata HTTP/1.1\r\nHost: x\r\nX-Request-ID: one\r\nX-Request-ID: two\r\n\r\n"
    with survives(text_server):
        answer = exchange(text_server.port, sent)

    assert answer.status in (200, 400)
    assert "," not in answer.headers.get("x-request-id", "")


@pytest.mark.parametrize("line_end", ["\r\n", "\n", "\r", "\x0b", "\x00", "\x85", "\u2028"])
def test_no_line_end_makes_a_header_or_a_line_of_the_log(picture_server: Target, line_end: str) -> None:
    png = encoded(Image.new("RGB", (8, 8), "red"))
    evil = f"x{line_end}Injected: yes"
    form = multipart([("image", evil, png), (f"field{line_end}Injected", None, b"1")])
    with survives(picture_server):
        answers = [
            exchange(picture_server.port, request(body=form, media_type="multipart/form-data; boundary=b")),
            exchange(picture_server.port, request("GET", "/%0d%0aInjected:%20yes")),
            exchange(picture_server.port, request("GET", "/nowhere?a=%0d%0aInjected:%20yes")),
            exchange(picture_server.port, request("GET", "/\u2028".encode().decode("latin-1"))),
            exchange(picture_server.port, request("GET", "/swaggerui/%0d%0aInjected:%20yes")),
            exchange(picture_server.port, request("GET", "//evil.example/%2e%2e")),
        ]

    for answer in answers:
        assert "injected" not in answer.headers
        assert 400 <= answer.status < 500 or answer.status in (301, 308), answer
    assert not any(line.startswith("Injected") for line in picture_server.said().splitlines())


def test_what_controls_a_terminal_is_not_written_to_the_log(
    text_server: Target, picture_server: Target
) -> None:
    bodies = [
        request("GET", "/%1b%5b31mred%07"),
        request("GET", "/nowhere", User_Agent="\x1b]0;title\x07"),
        request(body=b'{"text": ["a"], "\\u001b[31m": 1}'),
        request(path="/model/predict?%1b%5b31m=1", body=b'{"text": ["a"]}'),
    ]
    for server in (text_server, picture_server):
        with survives(server):
            for sent in bodies:
                assert exchange(server.port, sent).status < 500
        assert "\x1b" not in server.said()
        assert "\x07" not in server.said()


def test_html_comes_back_as_json_that_no_browser_takes_for_a_page(text_server: Target) -> None:
    script = "<script>alert(1)</script>"
    answers = [
        exchange(text_server.port, request(body=b'{"text": ["a"]}')),  # the label is a script
        exchange(text_server.port, request(body=json.dumps({"text": ["a"], script: 1}).encode())),
        exchange(text_server.port, request(body=json.dumps({"text": ["a"], "factor": script}).encode())),
        exchange(text_server.port, request(body=b"{}", media_type=script)),
        exchange(text_server.port, request("GET", "/%3Cscript%3Ealert(1)%3C/script%3E")),
        exchange(text_server.port, request("GET", "/model/labels", Accept="text/html")),
        exchange(text_server.port, request("<A>", "/model/predict")),
        exchange(text_server.port, request(body=b"a" * 2_000_000)),
    ]
    for answer in answers:
        if answer.body:  # what the HTTP library itself refuses has none
            assert answer.media_type == "application/json", answer
            assert answer.headers["x-content-type-options"] == "nosniff"


def test_nobody_else_may_read_answers_from_a_browser(text_server: Target) -> None:
    for origin in ("https://evil.example", "null", "http://127.0.0.1:1"):
        answer = exchange(text_server.port, request(body=b'{"text": ["a"]}', Origin=origin))
        assert not any(name.startswith("access-control") for name in answer.headers)
        preflight = exchange(
            text_server.port,
            request("OPTIONS", "/model/predict", Origin=origin, Access_Control_Request_Method="POST"),
        )
        assert not any(name.startswith("access-control") for name in preflight.headers)


@pytest.mark.parametrize("host", ["evil.example", "a b", "x:y:z", "[::1", "", "\xe9", "x@y", "x/../y"])
def test_a_strange_host_is_never_a_500(text_server: Target, old_server: Target, host: str) -> None:
    for server in (text_server, old_server):
        for path in ("/", "/swagger.json", "/app", "/swaggerui", "/model/metadata"):
            with survives(server):
                answer = exchange(
                    server.port,
                    request("GET", path).replace(b"Host: target", b"Host: " + host.encode("latin-1")),
                )
            assert answer.status < 500, (path, answer)


def test_nothing_of_the_machine_is_shown(text_server: Target) -> None:
    for path in ("/", "/swagger.json", "/model/metadata", "/nowhere", "/metrics", "/health", "/health/ready"):
        _, body = get(text_server.port, path)
        assert str(text_server.temporary.parent).encode() not in body
        assert b"site-packages" not in body
