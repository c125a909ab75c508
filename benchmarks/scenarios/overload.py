"""Ten times as many requests as a model can answer: it goes on at its capacity, and refuses the others at once."""

from __future__ import annotations

import asyncio
import statistics
import time

from benchmarks.client import Answer, Connection, at_rate, get_request, one_by_one, text_request
from benchmarks.ratios import percentile
from benchmarks.results import Bar, Scenario, place
from benchmarks.servers import OURS, SERVERS, WORKERS, started

MODEL_S = 0.020  # as benchmarks/models/sleeper
CAPACITY = WORKERS / MODEL_S  # answers a second
TIMES = 10
SECONDS = 8.0
ALONE = 500  # requests
LIVE_EVERY = 0.05  # seconds

TOLD = f"""\
A model that sleeps {MODEL_S * 1000:.0f} ms for each input gets {TIMES} × the requests it can answer, \
for {SECONDS:.0f} s, whether earlier ones were answered or not.
The goodput is counted from the second second on; the capacity is {CAPACITY:.0f} a second, {WORKERS} workers by 20 ms.
"""


def overload(times: int) -> Scenario:
    """Goodput, refusals and health of a server that gets ten times too much."""
    where = place()
    request = text_request("hello")
    with started(SERVERS[OURS], "noop", request) as running:
        running.settle()
        alone = asyncio.run(one_by_one(running.port, request, ALONE))[ALONE // 5 :]
    with started(SERVERS[OURS], "sleeper", request) as running:
        running.settle()
        began = time.monotonic()
        answers, live = asyncio.run(_flood(running.port, request))
    good = [one for one in answers if one.status == 200 and began + 1 <= one.done <= began + SECONDS]
    refused = [one for one in answers if one.status == 503]
    others = [one for one in answers if one.status not in (200, 503)]
    return Scenario("Overload", where, TOLD, _bars(alone, good, refused, others, live))


def _bars(
    alone: list[Answer], good: list[Answer], refused: list[Answer], others: list[Answer], live: list[Answer]
) -> list[Bar]:
    goodput = len(good) / (SECONDS - 1)
    unloaded = statistics.median(one.seconds for one in alone) * 1000
    made = [
        Bar(
            "goodput by capacity",
            "≥ 95 %",
            f"{goodput / CAPACITY:.1%} ({goodput:.0f} a second)",
            goodput >= 0.95 * CAPACITY,
        ),
        Bar("answers that are neither 200 nor 503", "0", _statuses(others), not others),
    ]
    if not refused:
        return [*made, Bar("refusals", "most", "none", False)]
    times = [one.seconds * 1000 for one in refused]
    middle, late = statistics.median(times), percentile(times, 0.99)
    stated = sum("retry-after" in one.headers for one in refused)
    health = max(one.seconds for one in live) * 1000
    return [
        *made,
        Bar(
            "median time to a refusal by that of an unloaded no-op",
            "≤ 5",
            f"{middle / unloaded:.1f} ({middle:.2f} ms by {unloaded:.2f} ms; 99 % within {late:.1f} ms)",
            middle <= 5 * unloaded,
        ),
        Bar(
            "refusals with Retry-After",
            "all",
            f"{stated} of {len(refused)}, "
            f"{min(int(one.headers.get('retry-after', 0)) for one in refused)} to "
            f"{max(int(one.headers.get('retry-after', 0)) for one in refused)} s",
            stated == len(refused),
        ),
        Bar(
            "/health/live during it",
            "always 200",
            f"{sum(one.status == 200 for one in live)} of {len(live)}, {health:.0f} ms at most",
            all(one.status == 200 for one in live),
        ),
    ]


async def _flood(port: int, request: bytes) -> tuple[list[Answer], list[Answer]]:
    """The answers of the flood, and those of `/health/live` meanwhile."""
    flood = asyncio.create_task(at_rate(port, request, per_second=TIMES * CAPACITY, seconds=SECONDS))
    live: list[Answer] = []
    end = time.monotonic() + SECONDS
    while time.monotonic() < end:
        connection = await Connection.open(port)
        live.append(await connection.ask(get_request("/health/live")))
        connection.close()
        await asyncio.sleep(LIVE_EVERY)
    return await flood, live


def _statuses(answers: list[Answer]) -> str:
    found = sorted({one.status for one in answers})
    return f"{len(answers)}" + (f" ({', '.join(map(str, found))})" if found else "")
