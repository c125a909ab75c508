"""SIGTERM under load, many times: who had sent a request before it gets an answer, and no process is left over."""

from __future__ import annotations

import asyncio
import random
import signal
import time

import msgspec
import psutil

from benchmarks.client import text_request, until_closed
from benchmarks.results import Bar, Scenario, place
from benchmarks.servers import OURS, SERVERS, Running, started

TIMES = 10
CONNECTIONS = 16
GRACE_S = 35.0

TOLD = f"""\
{CONNECTIONS} connections ask a model of 20 ms without a pause when SIGTERM comes, at a moment drawn by chance.
Lost is a request that was sent before the signal, on a connection that had worked before, and got no answer.
A request sent after the signal may find its connection closed and has to be sent again, to another replica; these \
are counted too.
"""


class Ended(msgspec.Struct, frozen=True):
    """One end of a server."""

    lost: int
    refused: int
    cut_after: int
    answered: int
    left_over: int
    code: int
    seconds: float


def sigterm(times: int) -> Scenario:
    """Lost requests and processes over many ends."""
    where = place()
    ends = []
    for _ in range(times or TIMES):
        with started(SERVERS[OURS], "sleeper", text_request("hello")) as running:
            running.settle()
            ends.append(asyncio.run(_end(running)))
    lost, left = sum(one.lost for one in ends), sum(one.left_over for one in ends)
    refused = sum(one.refused for one in ends)
    codes = sorted({one.code for one in ends})
    slowest = max(one.seconds for one in ends)
    answered, cut = sum(one.answered for one in ends), sum(one.cut_after for one in ends)
    return Scenario(
        "SIGTERM under load",
        where,
        TOLD,
        [
            Bar(f"requests lost in {len(ends)} ends", "0", f"{lost} ({answered} answered)", lost == 0),
            Bar(
                "requests sent before the signal and answered with an error", "0", f"{refused}", refused == 0
            ),
            Bar("sent after the signal, to be sent again", "(for information)", f"{cut}", True),
            Bar("processes left over", "0", f"{left}", left == 0),
            Bar("exit code", "0", ", ".join(map(str, codes)), codes == [0]),
            Bar("slowest end", f"≤ {GRACE_S:.0f} s", f"{slowest:.1f} s", slowest <= GRACE_S),
        ],
    )


async def _end(running: Running) -> Ended:
    processes = running.processes()
    stop = asyncio.Event()
    asking = asyncio.create_task(
        until_closed(running.port, text_request("hello"), connections=CONNECTIONS, stop=stop)
    )
    await asyncio.sleep(0.5 + random.random() / 2)
    signalled = time.monotonic()
    running.process.send_signal(signal.SIGTERM)
    while running.process.poll() is None and time.monotonic() < signalled + GRACE_S:
        await asyncio.sleep(0.02)
    ended = time.monotonic()
    await asyncio.sleep(0.1)
    stop.set()
    answers = await asyncio.wait_for(asking, 10)
    left = [one for one in processes if one.is_running() and one.status() != psutil.STATUS_ZOMBIE]
    before = [(earlier, one) for earlier, one in answers if one.sent < signalled]
    return Ended(
        lost=sum(one.status == 0 and earlier > 0 for earlier, one in before),
        refused=sum(one.status not in (0, 200) for _, one in before),
        cut_after=sum(one.status != 200 and one.sent >= signalled for _, one in answers),
        answered=sum(one.status == 200 for _, one in answers),
        left_over=len(left),
        code=running.process.returncode if running.process.returncode is not None else -1,
        seconds=ended - signalled,
    )
