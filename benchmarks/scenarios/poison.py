"""One input in a hundred breaks the network: it fails alone, and every other answer belongs to its own request."""

from __future__ import annotations

import asyncio
import json
import random
from collections import Counter

from benchmarks.client import Answer, in_turn, text_request
from benchmarks.results import Bar, Scenario, place
from benchmarks.servers import OURS, SERVERS, started

REQUESTS = 10_000
SHARE = 0.01
CONNECTIONS = 32
SCALE = 2**20  # as benchmarks/models/poison

TOLD = f"""\
{SHARE:.0%} of the requests, at places drawn by chance, make `_predict_batch` raise; {CONNECTIONS} connections \
ask, so that good inputs share batches with bad ones.
Each answer tells which input it belongs to.
"""


def poison(times: int) -> Scenario:
    """How many of the good ones failed, and how many of the bad ones did not."""
    where = place()
    count = times or REQUESTS
    bad = set(random.sample(range(1, count), round(count * SHARE)))
    raws = [text_request(str(-number if number in bad else number)) for number in range(count)]
    found: dict[int, Answer] = {}
    with started(SERVERS[OURS], "poison", raws[0]) as running:
        running.settle()
        asyncio.run(in_turn(running.port, raws, connections=CONNECTIONS, keep=found.__setitem__))
    good = [number for number in range(count) if number not in bad]
    failed = [number for number in good if found[number].status != 200]
    swapped = [number for number in good if found[number].status == 200 and _told(found[number]) != number]
    escaped = [number for number in bad if found[number].status == 200]
    statuses = Counter(found[number].status for number in bad)
    return Scenario(
        "Poison",
        where,
        TOLD,
        [
            Bar("good requests that failed", "0", f"{len(failed)} of {len(good)}", not failed),
            Bar("bad requests that failed", "all", f"{len(bad) - len(escaped)} of {len(bad)}", not escaped),
            Bar("answers to somebody else", "0", f"{len(swapped)} of {len(good)}", not swapped),
            Bar(
                "status of the bad ones", "500", ", ".join(map(str, sorted(statuses))), set(statuses) == {500}
            ),
        ],
    )


def _told(answer: Answer) -> int:
    share: float = json.loads(answer.body)["predictions"][0][0]["number"]
    return round(share * SCALE)
