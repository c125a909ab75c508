"""A hundred thousand requests: memory does not grow."""

from __future__ import annotations

from benchmarks import load
from benchmarks.client import text_request
from benchmarks.results import Bar, Scenario, place
from benchmarks.servers import OURS, SERVERS, ask, started

REQUESTS = 100_000
CONNECTIONS = 16
SLICE_S = 2.0
WARM = 0.2  # of all requests, after which memory must not grow
MOST_MB = 3.0

TOLD = f"""\
The no-op is asked over {CONNECTIONS} connections, and the memory (PSS) of all processes is read every \
{SLICE_S:.0f} s; it may grow until {WARM:.0%} of the requests are answered.
"""


def soak(times: int) -> Scenario:
    """Memory over many requests."""
    where = place()
    count = times or REQUESTS
    request = text_request("hello")
    seen: list[tuple[int, float]] = []
    wrong = ""
    with started(SERVERS[OURS], "noop", request) as running:
        running.settle()
        exchange = load.Exchange([request], [ask(running.port, request)[1]])
        idle, done = running.memory_mb(), 0
        while done < count:
            found = load.wrk(running.port, exchange, connections=CONNECTIONS, seconds=SLICE_S)
            done += found.requests
            wrong = wrong or found.wrong
            seen.append((done, running.memory_mb()))
            if not found.requests:
                raise RuntimeError("no request was answered")
    warm = next(memory for requests, memory in seen if requests >= WARM * count)
    end = seen[-1][1]
    return Scenario(
        "Soak",
        where,
        TOLD,
        [
            Bar(
                f"growth over {done:,} requests",
                f"≤ {MOST_MB:g} MB",
                f"{end - warm:+.1f} MB (idle {idle:.0f}, warm {warm:.0f}, at the end {end:.0f} MB)",
                end - warm <= MOST_MB,
            ),
            Bar("wrong answers", "0", wrong or "0", not wrong),
        ],
    )
