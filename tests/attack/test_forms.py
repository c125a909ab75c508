"""Multipart and urlencoded forms that are too much: parts, boundaries, headers, names."""

from __future__ import annotations

import pytest
from PIL import Image
from raw_http import exchange, request
from target import Target, multipart, survives

from models import encoded

pytestmark = pytest.mark.slow

FORM = "multipart/form-data; boundary=b"
URLENCODED = "application/x-www-form-urlencoded"
RED = encoded(Image.new("RGB", (8, 8), "red"))
PART = b'--b\r\nContent-Disposition: form-data; name="image"; filename="a"'
MOST = 19_900_000  # of the 20 MB that a form with a picture may have

REFUSED = {
    "100,000 fields": (413, FORM, multipart([("x", None, b"")] * 100_000)),
    "100,000 files": (413, FORM, multipart([("image", "x", b"")] * 100_000)),
    "a field of 10 MB": (413, FORM, multipart([("x", None, b"a" * 10_000_000)])),
    "a file name of 10 MB": (413, FORM, PART + b"a" * 10_000_000 + b'"\r\n\r\nabc\r\n--b--\r\n'),
    "a field name of 400 kB": (400, FORM, multipart([("x" * 400_000, None, b"1")])),
    "a million headers of a part": (
        413,
        FORM,
        b"--b\r\n" + b"X: y\r\n" * 1_000_000 + b"\r\nabc\r\n--b--\r\n",
    ),
    "100,000 words beside a name": (413, FORM, PART + b"; a=b" * 100_000 + b"\r\n\r\nabc\r\n--b--\r\n"),
    "20 MB before the form": (413, FORM, b"x" * MOST + multipart([("image", "x", RED)])),
    "20 MB after the form": (413, FORM, multipart([("image", "x", RED)]) + b"x" * MOST),
    "no end": (400, FORM, multipart([("image", "x", RED)])[:-9]),
    "nothing at all": (400, FORM, b""),
    "only the end": (400, FORM, b"--b--\r\n"),
    "another boundary": (400, FORM, multipart([("image", "x", RED)], "c")),
    "no boundary": (400, "multipart/form-data", multipart([("image", "x", RED)])),
    "a boundary that is none": (400, "multipart/form-data; boundary=\xe9", multipart([("image", "x", RED)])),
    "a form in a form": (400, FORM, multipart([("image", "x", multipart([("image", "x", RED)], "c"))])),
    "mixed in a form": (
        400,
        FORM,
        PART + b"\r\nContent-Type: multipart/mixed; boundary=c\r\n\r\n--c--\r\n--b--\r\n",
    ),
    "one file twice": (400, FORM, multipart([("image", "x", RED)] * 2)),
    "a parameter twice": (400, FORM, multipart([("image", "x", RED), *[("threshold", None, b"1")] * 2])),
    "a file as text": (400, FORM, multipart([("image", None, RED)])),
    "no name": (400, FORM, multipart([("image", "x", RED)]).replace(b'name="image"; ', b"")),
    "another encoding": (
        400,
        FORM,
        PART + b"\r\nContent-Transfer-Encoding: base64\r\n\r\naGVsbG8=\r\n--b--\r\n",
    ),
    "a number of 400 kB": (400, FORM, multipart([("image", "x", RED), ("threshold", None, b"1" * 400_000)])),
    "not a number": (400, FORM, multipart([("image", "x", RED), ("threshold", None, b"NaN")])),
    "20 MB of fields, urlencoded": (413, URLENCODED, b"a=b&" * (MOST // 4)),
    "20 MB of percent signs": (413, URLENCODED, b"%" * MOST),
    "100 kB of percent signs": (400, URLENCODED, b"%" * 99_000),
    "a picture, urlencoded": (400, URLENCODED, b"image=" + RED),
}


@pytest.mark.parametrize(("status", "media_type", "body"), REFUSED.values(), ids=REFUSED.keys())
def test_a_form_that_is_none_or_too_much_is_refused_cheaply(
    picture_server: Target, status: int, media_type: str, body: bytes
) -> None:
    # Twice what came, and 25 MB for whatever is small.
    with survives(picture_server, peak_mb=25 + 2.2 * len(body) / 1_000_000):
        answer = exchange(picture_server.port, request(body=body, media_type=media_type))

    assert answer.status == status, answer
    assert answer.media_type == "application/json"
    assert len(answer.body) < 2_000, "what came is not sent back"


@pytest.mark.parametrize("fill", [b"\r", b"\n", b"\r\n", b"\r\n--", b"\n--bb", b"\r\n--b-", b"\r\n--ba"])
def test_20_mb_of_what_nearly_is_a_boundary_is_a_file_like_any_other(
    picture_server: Target, fill: bytes
) -> None:
    body = multipart([("image", "x.png", fill * (MOST // len(fill)))])

    with survives(picture_server, peak_mb=150):  # received, copied into the form, copied out of it
        answer = exchange(picture_server.port, request(body=body, media_type=FORM))

    assert answer.status == 400, answer


def test_a_boundary_of_3000_letters_and_one_that_looks_like_a_pattern_are_only_boundaries(
    picture_server: Target,
) -> None:
    for boundary in ("b" * 3000, "(a+)+$", "[", "\\"):
        quoted = boundary.replace("\\", "\\\\")
        with survives(picture_server):
            answer = exchange(
                picture_server.port,
                request(
                    body=multipart([("image", "x", RED)], boundary),
                    media_type=f'multipart/form-data; boundary="{quoted}"',
                ),
            )
        assert answer.status in (200, 400), (boundary, answer)


def test_forms_that_are_too_much_do_no_harm_to_an_old_model(old_server: Target) -> None:
    for body, media_type in (
        (multipart([("x", None, b"")] * 100_000), FORM),
        (b"%" * MOST, URLENCODED),
        (b"a=b&" * (MOST // 4), URLENCODED),
        (multipart([("image", "x", RED)])[:-9], FORM),
        (multipart([("image", "x", RED)] * 2), FORM),
    ):
        with survives(old_server, peak_mb=25 + 2.2 * len(body) / 1_000_000):
            answer = exchange(old_server.port, request(body=body, media_type=media_type))
        assert answer.status in (200, 400, 413), answer
