"""What an operator looks at holds under attack: metrics, log lines, keys, the canary."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable

import pytest
from raw_http import exchange, request
from target import Target, get, survives, until

import models

pytestmark = pytest.mark.slow

Serve = Callable[..., Target]
KEY = "a-key-that-is-long-enough-0123456789"


def series(target: Target) -> set[str]:
    """Every series of /metrics: names with their labels."""
    status, body = get(target.port, "/metrics")
    assert status == 200
    assert len(body) < 100_000
    return {
        line.rpartition(" ")[0] for line in body.decode().splitlines() if line and not line.startswith("#")
    }


def flood(target: Target, count: int) -> None:
    """Requests of which no two have the same path or method, on a few connections."""
    import http.client

    connection = http.client.HTTPConnection("127.0.0.1", target.port, timeout=30)
    for number in range(count):
        method = ("GET", "POST", f"M{number}", "DELETE")[number % 4]
        path = ("/a%d", "/model/%d", "/health/%d", "/swaggerui/%d.css", "/metrics/%d")[number % 5] % number
        try:
            connection.request(
                method, path, headers={"X-Request-ID": f"id{number}", "User-Agent": f"agent {number}"}
            )
            connection.getresponse().read()
        except (http.client.HTTPException, ConnectionError):
            connection.close()
    connection.close()


def test_no_path_and_no_method_makes_a_series_of_its_own(text_server: Target) -> None:
    with survives(text_server):
        flood(text_server, 300)
        series(text_server)  # to be asked for makes a series as well, for the one route
        before = series(text_server)
        flood(text_server, 3_000)
        after = series(text_server)

    assert after == before
    assert not any(re.search(r"/a\d|M\d|agent", name) for name in after)


@pytest.mark.long
def test_100_000_paths_make_no_series_of_their_own(text_server: Target) -> None:
    flood(text_server, 300)
    series(text_server)
    with survives(text_server):
        before = series(text_server)
        flood(text_server, 100_000)
        assert series(text_server) == before


def test_every_request_is_one_line_of_json_whatever_it_says(text_server: Target) -> None:
    start = len(text_server.said())
    evil = "/x%0a%7b%22level%22:%22fake%22%7d%0d%0a%1b%5b2J%e2%80%a8%c2%9b31m"
    with survives(text_server):
        for number in range(20):
            exchange(
                text_server.port,
                request("GET", f"{evil}{number}", User_Agent='"}\t{', X_Request_ID="a\tb"),
            )

    lines = until(lambda: _enough(text_server.said()[start:], 20), "twenty lines")
    for line in lines:
        assert isinstance(json.loads(line), dict), line
        assert line.isprintable()
    assert not any(json.loads(line).get("level") == "fake" for line in lines)


def _enough(said: str, count: int) -> list[str] | None:
    lines = [line for line in said.split("\n") if line.startswith("{")]
    return lines if len(lines) >= count else None


def test_a_request_without_the_key_reaches_nothing_and_the_key_is_never_shown(serve: Serve) -> None:
    target = serve(
        models.TEXT,
        KeyedAsk(),
        "--log-level",
        "debug",
        MAXFW_API_KEYS=hashlib.sha256(KEY.encode()).hexdigest(),
    )
    wrong = ["", "x", KEY[:-1], KEY + "x", KEY.upper(), "\xff" * 10, "a" * 5000, f"{KEY},{KEY}", "../" * 20]
    with survives(target):
        for key in wrong:
            for headers in (
                {"X_API_Key": key},
                {"Authorization": f"Bearer {key}"},
                {"Authorization": f"Basic {key}"},
            ):
                answer = exchange(target.port, request(body=b'{"text": ["a"]}', **headers))
                assert answer.status in (401, 431), (key, answer)
        # Who has no key does not get to send a body.
        assert exchange(target.port, request(length=900_000)).status == 401
        assert exchange(target.port, request("GET", f"/model/metadata?api_key={KEY}")).status == 401

    assert KEY not in target.said()
    for path in ("/swagger.json", "/health", "/nowhere"):
        assert KEY.encode() not in get(target.port, path)[1]


class KeyedAsk:
    """A normal request, with the key."""

    def send(self, port: int, timeout_s: float = 20) -> tuple[int, bytes]:
        answer = exchange(port, request(body=b'{"text": ["a"]}', X_API_Key=KEY), timeout_s=timeout_s)
        return answer.status, answer.body


def test_a_model_whose_sample_fails_is_alive_and_never_ready(serve: Serve) -> None:
    broken = models.TEXT.replace(
        "return np.stack([long, 1 - long], axis=1)", "raise ValueError('secret 12345')"
    )
    target = serve(broken, models.text(), until_ready=False)
    until(lambda: get(target.port, "/health/live")[0] == 200, "life")

    status, body = get(target.port, "/health/ready")

    assert status == 503
    assert b"12345" not in body
    assert exchange(target.port, request(body=b'{"text": ["a"]}')).status == 500
    assert get(target.port, "/health/ready")[0] == 503


def test_server_timing_shows_times_and_nothing_else(text_server: Target) -> None:
    answer = exchange(text_server.port, request(body=b'{"text": ["a"]}', X_Request_ID="me"))

    entries = answer.headers["server-timing"].split(",")
    assert {entry.split(";")[0].strip() for entry in entries} >= {"decode", "queue", "predict", "encode"}
    assert all(re.fullmatch(r"\s*[a-z_]+;dur=[0-9.e-]+", entry) for entry in entries), entries
