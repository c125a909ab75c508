"""What must be so for a comparison to count as won; each bar is a ratio or a difference within the rounds of one run."""

from __future__ import annotations

from collections.abc import Callable

from benchmarks.compare import BARE, COMPARED
from benchmarks.ratios import Spread, best_of, differences, ratios, spread
from benchmarks.results import Bar, Comparison, Slice
from benchmarks.servers import OURS, SERVERS, WORKERS

Rounds = dict[int, float]
MAX_BATCH = 32  # as in_process/work.py tells the peers, and models/batch tells maxfw


def rate(found: Comparison, task: str, server: str, connections: int) -> Rounds:
    """Right answers a second, by round."""
    return _slices(found, task, server, connections, lambda one: one.per_second)


def deducted_rate(found: Comparison, task: str, server: str, connections: int) -> Rounds:
    """The same, without the processor that wrk took."""
    return _slices(found, task, server, connections, lambda one: one.per_second_deducted)


def latency(found: Comparison, task: str, server: str, connections: int) -> Rounds:
    """The median latency in milliseconds, by round."""
    return _slices(found, task, server, connections, lambda one: one.load.p50_ms)


def late(found: Comparison, task: str, server: str, connections: int) -> Rounds:
    """The 99th percentile of the latency in milliseconds, by round."""
    return _slices(found, task, server, connections, lambda one: one.load.p99_ms)


def server_cpu_us(found: Comparison, task: str, server: str, connections: int) -> Rounds:
    """Microseconds of the server's processor for one request, by round."""
    return _slices(
        found, task, server, connections, lambda one: one.server_cpu_s / max(one.load.requests, 1) * 1e6
    )


def loop_rate(found: Comparison, task: str) -> Rounds:
    """Inputs a second of the loop in as many processes as there are workers, with the best batch that servers may have."""
    sizes = {
        limit.batch
        for limit in found.limits
        if limit.task == task and limit.processes == WORKERS and limit.batch <= MAX_BATCH
    }
    return best_of(
        {
            str(size): {
                limit.round: limit.inputs_s
                for limit in found.limits
                if (limit.task, limit.batch, limit.processes) == (task, size, WORKERS)
            }
            for size in sizes
        }
    )


def peers_best(found: Comparison, task: str, connections: int) -> Rounds:
    """The rate of the best peer of each round."""
    names = [name for name in COMPARED[task] if name != OURS]
    return best_of({name: rate(found, task, name, connections) for name in names})


def bars(found: Comparison) -> list[Bar]:
    """Every bar that what was measured can answer."""
    return [*_noop(found), *_image(found), *_batch(found), *_idle(found), *_start_up(found)]


def _noop(found: Comparison) -> list[Bar]:
    made = []
    for name, least in (
        ("fastapi_full", 1.2),
        ("fastapi_bare", 0.8),
        ("bentoml", 3.0),
        ("litserve", 3.0),
        ("original", 3.0),
    ):
        for connections in (16, 64):
            mine, theirs = (rate(found, "noop", server, connections) for server in (OURS, name))
            made += _at_least(
                f"no-op, c={connections}: rate by that of {SERVERS[name].title}", least, mine, theirs
            )
    mine, theirs = (latency(found, "noop", name, 1) for name in (OURS, "flask_granian"))
    return made + _at_most("no-op, c=1: median latency by that of bare Flask on granian", 1.5, mine, theirs)


def _image(found: Comparison) -> list[Bar]:
    mine = deducted_rate(found, "image", OURS, 16)
    made = _at_least("JPEG, c=16: rate by that of the loop in process", 0.9, mine, loop_rate(found, "image"))
    for connections in (16, 64):
        theirs = peers_best(found, "image", connections)
        mine = rate(found, "image", OURS, connections)
        made += _at_least(f"JPEG, c={connections}: rate by that of the best peer", 1.0, mine, theirs)
    mine, theirs = (rate(found, "image12", name, 4) for name in (OURS, "fastapi_full"))
    what = "12 megapixels, c=4: rate by that of FastAPI with equal features and plain Pillow"
    return made + _at_least(what, 2.0, mine, theirs)


def _batch(found: Comparison) -> list[Bar]:
    mine = deducted_rate(found, "batch", OURS, 128)
    what = "batches, c=128: rate by that of the best static batch in process"
    made = _at_least(what, 0.9, mine, loop_rate(found, "batch"))
    mine = rate(found, "batch", OURS, 32)
    made += _at_least(
        "batches, c=32: rate by that of the best peer", 2.0, mine, peers_best(found, "batch", 32)
    )
    alone = {one.round: one.batch_ms for one in found.limits if one.task == "batch" and one.processes == 1}
    mine = latency(found, "batch", OURS, 1)
    if mine.keys() & alone.keys():
        added = differences(mine, alone)
        what = "batches, c=1: median latency less the time in process"
        made.append(Bar(what, "≤ 0.3 ms", added.text(2, " ms"), added.median <= 0.3))
    return made


def _idle(found: Comparison) -> list[Bar]:
    shares = {
        one.round: one.idle_share * 100
        for one in found.starts
        if one.server == OURS and one.idle_share is not None
    }
    if not shares:
        return []
    idle = spread(shares)
    return [
        Bar(
            "idle: processor of all processes, of one core", "≤ 0.5 %", idle.text(2, " %"), idle.median <= 0.5
        )
    ]


def _start_up(found: Comparison) -> list[Bar]:
    starts = {
        name: {one.round: one for one in found.starts if one.task == "start-up" and one.server == name}
        for name in (OURS, BARE)
    }
    if not starts[OURS].keys() & starts[BARE].keys():
        return []
    seconds = differences(
        *({turn: one.cold_start_s for turn, one in found.items()} for found in starts.values())
    )
    memory = differences(*({turn: one.memory_mb for turn, one in found.items()} for found in starts.values()))
    return [
        Bar(
            "start-up: seconds over the bare runtime", "≤ 0.5 s", seconds.text(2, " s"), seconds.median <= 0.5
        ),
        Bar("start-up: memory over the bare runtime", "≤ 60 MB", memory.text(0, " MB"), memory.median <= 60),
    ]


def _slices(
    found: Comparison, task: str, server: str, connections: int, value: Callable[[Slice], float]
) -> Rounds:
    return {
        one.round: value(one)
        for one in found.slices
        if (one.task, one.server, one.connections) == (task, server, connections) and one.per_second > 0
    }


def _at_least(what: str, least: float, mine: Rounds, theirs: Rounds) -> list[Bar]:
    return _ratio(what, f"≥ {least:g}", lambda ratio: ratio.median >= least, mine, theirs)


def _at_most(what: str, most: float, mine: Rounds, theirs: Rounds) -> list[Bar]:
    return _ratio(what, f"≤ {most:g}", lambda ratio: ratio.median <= most, mine, theirs)


def _ratio(
    what: str, required: str, met: Callable[[Spread], bool], mine: Rounds, theirs: Rounds
) -> list[Bar]:
    if not mine.keys() & theirs.keys():
        return []
    found = ratios(mine, theirs)
    return [Bar(what, required, found.text(), met(found))]
