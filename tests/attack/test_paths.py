"""Paths that lead out of where they should: upload names, static files of an old model, the pages of ours."""

from __future__ import annotations

import itertools
import re

import pytest
from PIL import Image
from raw_http import Answer, exchange, request
from target import Target, multipart, survives

from models import encoded

pytestmark = pytest.mark.slow

DOTS = [
    "..",
    "%2e%2e",
    "%2E.",
    ".%2e",
    "%252e%252e",
    "%c0%ae%c0%ae",
    "%e0%80%ae%e0%80%ae",
    "..%00",
    "....",
    "..;",
    "%uff0e%uff0e",
    "%ef%bc%8e%ef%bc%8e",
    ".%0d.",
    "..%09",
]
SLASHES = ["/", "//", "%2f", "%5c", "\\", "%252f", "%c0%af", "%ef%bc%8f", "/./", "/%2e/"]
GOALS = ["etc/passwd", "etc/passwd%00.png", "app.py", "config.py", "model.py", "proc/self/environ"]
ABSOLUTE = [
    "/etc/passwd",
    "//etc/passwd",
    "%2fetc%2fpasswd",
    "file:///etc/passwd",
    "C:\\Windows\\win.ini",
    "\\\\host\\share\\x",
    "/proc/self/environ",
    "~/.ssh/id_rsa",
    "%00",
    ".",
    "..",
    "",
    "CON",
    "a" * 3000,
]

TRAVERSALS = (
    [
        (dots + slash) * depth + goal
        for (dots, slash), depth, goal in itertools.product(
            itertools.product(DOTS, SLASHES), (1, 6), GOALS[:1]
        )
    ]
    + [("../" * 6) + goal for goal in GOALS]
    + ABSOLUTE
)

# What stands in the files that must not be shown.
INSIDE = (
    b"root:x:0",
    b"root:*:0",
    b"MAXApp(",
    b"API_TITLE",
    b"MODEL_META_DATA",
    b"class ModelWrapper",
    b"PYTHONPATH=",
)


def shows_nothing(answer: Answer) -> bool:
    return not any(inside in answer.body for inside in INSIDE)


def test_there_are_at_least_200_ways_out() -> None:
    assert len(set(TRAVERSALS)) >= 200


@pytest.mark.parametrize(
    "prefix", ["/", "/app/", "/swaggerui/", "/static/", "/model/", "/swaggerui/droid-sans.css/", "/health/"]
)
@pytest.mark.parametrize("style", ["old", "new"])
def test_no_address_leads_to_a_file_outside(
    old_server: Target, text_server: Target, style: str, prefix: str
) -> None:
    server = old_server if style == "old" else text_server
    with survives(server):
        for path in TRAVERSALS:
            sent = prefix + path.replace(" ", "%20")
            answer = exchange(server.port, request("GET", sent))
            assert answer.status in (200, 301, 302, 304, 307, 308, 400, 404, 405, 414), (sent, answer)
            assert shows_nothing(answer), sent
            if answer.status in (301, 302, 307, 308):
                where = answer.headers["location"].removeprefix("http://target")
                assert re.match(r"/(?![/\\])", where), f"an open redirect: {sent} → {where}"


def test_a_static_file_of_an_old_model_is_still_served(old_server: Target) -> None:
    assert exchange(old_server.port, request("GET", "/js/herd.js")).status == 200


def test_no_name_of_an_upload_leads_to_a_file(picture_server: Target, old_server: Target) -> None:
    png = encoded(Image.new("RGB", (8, 8), "red"))
    names = [path.replace('"', "%22").replace("\\", "\\\\") for path in TRAVERSALS]
    for server in (picture_server, old_server):
        with survives(server):
            for name in names:
                sent = request(
                    body=multipart([("image", name, png)]), media_type="multipart/form-data; boundary=b"
                )
                answer = exchange(server.port, sent)
                # Without a name a part is a field of text.
                assert answer.status == 200 if name else answer.status in (200, 400), (name, answer)
                assert shows_nothing(answer)


def test_no_name_of_a_field_leads_to_a_file(picture_server: Target) -> None:
    with survives(picture_server):
        for name in TRAVERSALS[:60]:
            form = multipart([(name.replace('"', ""), "x", b"y")])
            answer = exchange(
                picture_server.port, request(body=form, media_type="multipart/form-data; boundary=b")
            )
            assert answer.status == 400, (name, answer)


def test_the_folder_of_the_model_is_nowhere_to_be_had(text_server: Target, old_server: Target) -> None:
    for server in (text_server, old_server):
        for path in (
            "/model.py",
            "/app.py",
            "/config.py",
            "/core/model.py",
            "/.git/config",
            "/samples/",
            "/requirements.txt",
        ):
            answer = exchange(server.port, request("GET", path))
            assert answer.status == 404, (path, answer)
