"""Five hundred clients that never finish their request: the others do not notice."""

from __future__ import annotations

import contextlib
import random
import resource
import socket
from collections.abc import Iterator

from benchmarks import load
from benchmarks.client import text_request
from benchmarks.ratios import Spread, ratios
from benchmarks.results import Bar, Scenario, place
from benchmarks.servers import OURS, PREDICT, SERVERS, ask, started

SOCKETS = 500
ROUNDS = 4
SECONDS = 3.0
CONNECTIONS = 8

HALF_A_HEAD = f"POST {PREDICT} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Ty".encode()
HALF_A_BODY = (
    f"POST {PREDICT} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n"
    'Content-Length: 1000\r\n\r\n{"text"'
).encode()

TOLD = f"""\
{SOCKETS} sockets are held open, half of them with half a head and half with half a body, while {CONNECTIONS} \
connections ask the no-op; {ROUNDS} rounds of {SECONDS:.0f} s with them and without, in random order.
"""


def slow_sockets(times: int) -> Scenario:
    """The 99th percentile of normal requests beside slow ones, by that without them."""
    where = place()
    _allow_files(SOCKETS + 200)
    request = text_request("hello")
    with_them: dict[int, load.Load] = {}
    without: dict[int, load.Load] = {}
    with started(SERVERS[OURS], "noop", request) as running:
        running.settle()
        exchange = load.Exchange([request], [ask(running.port, request)[1]])
        load.wrk(running.port, exchange, connections=CONNECTIONS, seconds=2)
        for turn in range(times or ROUNDS):
            for slow in random.sample((True, False), 2):
                with _held(running.port) if slow else contextlib.nullcontext():
                    found = load.wrk(running.port, exchange, connections=CONNECTIONS, seconds=SECONDS)
                (with_them if slow else without)[turn] = found
    wrong = [one.wrong for one in (*with_them.values(), *without.values()) if one.wrong]
    late = _ratio(with_them, without, "p99_ms")
    rate = _ratio(with_them, without, "per_second")
    bars = [
        Bar("99th percentile with them by without", "≤ 2", late.text(), late.median <= 2),
        Bar("rate with them by without", "(for information)", rate.text(), True),
        Bar("wrong answers", "0", wrong[0] if wrong else "0", not wrong),
    ]
    return Scenario("Slow sockets", where, TOLD, bars)


def _ratio(one: dict[int, load.Load], other: dict[int, load.Load], field: str) -> Spread:
    return ratios(*({turn: float(getattr(x, field)) for turn, x in loads.items()} for loads in (one, other)))


@contextlib.contextmanager
def _held(port: int) -> Iterator[None]:
    """Within it the half-sent requests are held open."""
    with contextlib.ExitStack() as held:
        for number in range(SOCKETS):
            connection = held.enter_context(socket.create_connection(("127.0.0.1", port), 10))
            connection.sendall(HALF_A_BODY if number % 2 else HALF_A_HEAD)
        yield


def _allow_files(count: int) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft < count:
        resource.setrlimit(resource.RLIMIT_NOFILE, (min(count, hard), hard))
