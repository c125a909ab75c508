"""The same job over many nodes: Ray Data lists, answers and gathers; the lines are written here, in their order.

Inputs go out in groups, a block each. When a node dies, the job goes on behind the last line that is written, with
those that are left.
Paths of inputs must mean the same on every node.
"""

from __future__ import annotations

import itertools
import json
import logging
import time
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import msgspec
import pyarrow
import ray
import ray.data
from ray.data import ActorPoolStrategy, Datasource
from ray.data.block import BlockMetadata
from ray.data.datasource import ReadTask
from ray.exceptions import ObjectLostError, RayActorError, WorkerCrashedError
from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

from maxfw.catalog import find, load_model
from maxfw.errors import BadInput, BadModel
from maxfw.offline.answering import Answering, Line
from maxfw.offline.inputs import Job, Listing
from maxfw.offline.job import OnLine, Summary, run
from maxfw.offline.results import Results
from maxfw.predictor import Predictor
from maxfw.settings import Settings

GROUP = 128
"""Inputs in a block; enough that a model fills its batches, few enough to be done again without pity."""

MOST_ACTORS = 64

LOST = (RayActorError, ObjectLostError, WorkerCrashedError)
"""How the death of a replica or of its node shows."""

TRIES = 3
"""How often a replica may be lost with no line written in between, before the job gives up."""

log = logging.getLogger("maxfw")


class Where(msgspec.Struct, frozen=True, kw_only=True):
    """What an actor needs to answer: the model, by name or path, and what a copy of it takes of a node."""

    model: str
    settings: Settings
    values: dict[str, Any] = {}
    save_images: str = ""
    cpus: float = 1
    gpus: float = 0
    actors: int = 0


def run_on_ray(
    where: Where, listing: Listing, results: Results, *, before: int = 0, on_line: OnLine = lambda line: None
) -> Summary:
    """Answer all inputs behind the first `before` on the cluster that this process is connected to.

    Raises:
        BadInput: the results or a picture cannot be written.
        BadModel: replicas die again and again of the same inputs.
    """
    context = ray.data.DataContext.get_current()
    context.execution_options.preserve_order = True
    context.target_max_block_size = 1  # each group is a block of its own, and so are its lines
    context.enable_progress_bars = False
    summary, started = Summary(before=before), time.monotonic()
    tries = TRIES
    while tries:
        written = before + summary.answered + summary.failed
        try:
            for lines in _answered(where, listing, written):
                results.append(b"".join(line.content for line in lines))
                tries = TRIES
                for line in lines:
                    summary.add(line)
                    on_line(line)
            break
        except LOST as error:
            tries -= 1
            if not tries:
                raise BadModel(
                    f"replicas are lost again and again, behind line {written}: {type(error).__name__}",
                    hint="Ray's logs say why; the same command goes on from here",
                ) from None
            log.warning("a replica or its node is lost (%s); going on without it", type(error).__name__)
    summary.seconds = time.monotonic() - started
    summary.slowest.sort(reverse=True)
    return summary


def _answered(where: Where, listing: Listing, before: int) -> Iterator[list[Line]]:
    """The lines of each group behind the first `before` inputs.

    Raises:
        BadInput: a picture cannot be saved.
        RayError: what a replica was about is lost.
    """
    # With another need than the actors, or Ray would have one of them do both, and all of it. Here, since the inputs
    # must not be lost with another node; if this one dies, so does the job.
    here = NodeAffinitySchedulingStrategy(ray.get_runtime_context().get_node_id(), soft=False)
    groups = ray.data.read_datasource(
        _Groups(listing, before),
        override_num_blocks=1,
        num_cpus=0,
        ray_remote_args={"scheduling_strategy": here},
    )
    # So many at once where a number is given, however few there is room for.
    pool = ActorPoolStrategy(min_size=1, initial_size=where.actors or 1, max_size=where.actors or MOST_ACTORS)
    answered = groups.map_batches(
        _Actor,
        fn_constructor_kwargs={"where": where},
        batch_size=None,
        compute=pool,
        num_cpus=where.cpus,
        num_gpus=where.gpus,
        # Else its groups would wait for room elsewhere, which the others may never leave.
        max_restarts=0,
        max_task_retries=0,
    )
    for row in answered.iter_rows():
        lines, failure = msgspec.msgpack.decode(row["lines"])
        yield [Line(*line) for line in lines]
        if failure:
            message, hint = failure
            raise BadInput(message, hint=hint)


class _Groups(Datasource):  # type: ignore[misc]
    """The inputs, listed on the node of the command, a group at a time."""

    def __init__(self, listing: Listing, before: int) -> None:
        super().__init__()
        self._listing = listing
        self._before = before

    def estimate_inmemory_data_size(self) -> int | None:
        """Nobody knows."""
        return None

    def get_read_tasks(self, parallelism: int, *_: Any, **__: Any) -> list[Any]:
        """One, which goes on while its blocks are answered."""
        unknown = BlockMetadata(num_rows=None, size_bytes=None, exec_stats=None, input_files=None)
        listing, before = self._listing, self._before
        return [ReadTask(lambda: _blocks(listing, before), unknown)]


def _blocks(listing: Iterable[Job], before: int) -> Iterator[Any]:
    left = itertools.islice(listing, before, None)
    while group := list(itertools.islice(left, GROUP)):
        # json, not msgspec: a path may hold bytes that are no text.
        content = json.dumps([msgspec.to_builtins(job) for job in group]).encode()
        yield pyarrow.table({"first": [before], "jobs": pyarrow.array([content], pyarrow.large_binary())})
        before += len(group)


class _Actor:
    """One copy of the model, on some node."""

    def __init__(self, where: Where) -> None:
        predictor = Predictor(load_model(find(where.model)), where.settings)
        self._answering = Answering(
            predictor, where.values, save_images=Path(where.save_images) if where.save_images else None
        )

    def __call__(self, batch: Mapping[str, Any]) -> dict[str, list[Any]]:
        """Groups of inputs → the lines of each."""
        groups = zip(batch["first"].tolist(), batch["jobs"].tolist(), strict=True)
        return {"lines": [self._lines(first, json.loads(jobs)) for first, jobs in groups]}

    def _lines(self, first: int, jobs: list[Any]) -> bytes:
        """The lines of a group, and why there are no more of them: an exception would arrive as one of Ray's."""
        lines: list[Line] = []
        asked = iter(msgspec.convert(jobs, list[Job]))
        try:
            run(self._answering, None, asked, before=first, on_line=lines.append)
        except BadInput as error:
            return msgspec.msgpack.encode((lines, (error.message, error.hint)))
        return msgspec.msgpack.encode((lines, None))
