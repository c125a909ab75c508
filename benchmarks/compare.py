"""maxfw and its peers on the same tasks, interleaved: within a round each server gets its slice, in random order."""

from __future__ import annotations

import functools
import os
import random
import subprocess
import sys
import time
from collections.abc import Callable

import msgspec
import psutil

from benchmarks import load, tasks
from benchmarks.answers import wrong_answer
from benchmarks.progress import Progress
from benchmarks.results import Comparison, Limit, Slice, Start, place
from benchmarks.servers import HERE, OURS, SERVERS, WORKERS, Running, ask, machine_cpu_s, started
from benchmarks.tasks import Task

PEERS = ("fastapi_bare", "fastapi_full", "flask_gunicorn", "original", "litserve", "bentoml")
COMPARED = {
    "noop": (OURS, *PEERS, "flask_granian"),
    "image": (OURS, *PEERS),
    "image12": (OURS, "fastapi_full", "fastapi_draft", "flask_gunicorn"),
    "batch": (OURS, *PEERS),
}
BATCHES = (16, 32, 64)  # in the loop, to find the best
STRETCH = {"image": 1.5, "image12": 2.5}  # slices of slower tasks are longer, but for those of one client
BARE = "bare runtime"
IDLE_S = 5.0
WARM_UP_S = 1.0
AROUND_S = 2.5  # what a server's start, settling and end take besides


class Step(msgspec.Struct, frozen=True):
    """Something to do, about how long it takes, and how."""

    title: str
    seconds: float
    run: Callable[[], None]


class Plan:
    """What there is to measure, and what has been found so far."""

    def __init__(self, *, rounds: int, seconds: float, quick: bool, seed: int, names: list[str]) -> None:
        self.found = Comparison(place(), rounds)
        self.rounds, self.seconds, self.quick = rounds, seconds, quick
        self.random = random.Random(seed)
        self.tasks = tasks.prepare()
        self.weights = tasks.weights()
        self.names = names

    def steps(self) -> list[Step]:
        """Everything, round by round, each task's servers in random order."""
        found = []
        for turn in range(self.rounds):
            for task in self.tasks.values():
                found += self._of_task(turn, task)
        return found

    def _of_task(self, turn: int, task: Task) -> list[Step]:
        found = []
        chosen = [name for name in COMPARED[task.name] if not self.names or name in self.names]
        for name in chosen:
            idle = task.name == "noop" and (name == OURS or turn == 0) and not self.quick
            counts = self._connections(task)
            loaded = sum(self._seconds(task, count) for count in counts)
            seconds = AROUND_S + WARM_UP_S + loaded + (IDLE_S if idle else 0)
            run = functools.partial(self._serve, turn, task, name, idle)
            found.append(Step(f"{task.title}: {SERVERS[name].title}", seconds, run))
        for batch, processes in self._loops(task):
            run = functools.partial(self._loop, turn, task, batch, processes)
            found.append(Step(f"{task.title}: loop in process, batch of {batch}", self.seconds + 1.5, run))
        if task.name == "image" and (OURS in self.names or not self.names):
            found.append(Step("start-up: maxfw with one worker", 2, functools.partial(self._start_up, turn)))
            found.append(Step("start-up: bare runtime", 1, functools.partial(self._bare_start, turn)))
        self.random.shuffle(found)
        return found

    def _connections(self, task: Task) -> tuple[int, ...]:
        if not self.quick:
            return task.connections
        return {"noop": (1, 16), "batch": (32,), "image12": (4,)}.get(task.name, (16,))

    def _seconds(self, task: Task, connections: int) -> int:
        stretch = 1.0 if connections == 1 and task.name != "image12" else STRETCH.get(task.name, 1.0)
        return max(1, round(self.seconds * stretch))

    def _loops(self, task: Task) -> list[tuple[int, int]]:
        """Sizes of a batch and numbers of processes of the loops of a task."""
        if task.name == "noop":
            return []
        if task.name != "batch":
            return [(1, WORKERS)]
        sizes = (16, 32) if self.quick else BATCHES
        return [(1, 1), *((size, WORKERS) for size in sizes)]

    def _serve(self, turn: int, task: Task, name: str, idle: bool) -> None:
        server = SERVERS[name]
        with started(server, task.name, task.requests[0], weights=self.weights) as running:
            running.settle()
            answers = self._answers(task, running, same_decoder=server.same_decoder)
            exchange = load.Exchange(task.requests, answers)
            load.wrk(running.port, exchange, connections=16, seconds=WARM_UP_S)
            share = running.idle_share(IDLE_S) if idle else None
            memory, cold = running.memory_mb(), running.cold_start_s
            self.found.starts.append(Start(turn, task.name, name, WORKERS, cold, memory, share))
            for connections in self._connections(task):
                self._slice(turn, task, name, running, exchange, connections)

    @staticmethod
    def _answers(task: Task, running: Running, *, same_decoder: bool) -> list[bytes]:
        """A server's answer to each request, which must be right; under load it must repeat them."""
        answers = []
        for number, request in enumerate(task.requests):
            status, body = ask(running.port, request)
            problem = wrong_answer(task.name, task.expected[number], body, same_decoder=same_decoder)
            if status != 200 or problem:
                raise RuntimeError(f"wrong answer to request {number}: {status}, {problem}")
            answers.append(body)
        return answers

    def _slice(
        self, turn: int, task: Task, name: str, running: Running, exchange: load.Exchange, connections: int
    ) -> None:
        machine, own, began = machine_cpu_s(), running.cpu_s(), time.monotonic()
        seconds = self._seconds(task, connections)
        found = load.wrk(running.port, exchange, connections=connections, seconds=seconds)
        own, elapsed = running.cpu_s() - own, time.monotonic() - began
        others = max(0.0, machine_cpu_s() - machine - own - found.wrk_cpu_s)
        share = others / elapsed / (psutil.cpu_count() or 1)
        if found.wrong:
            self.found.failures.append(f"{task.name}, {name}, c={connections}: {found.wrong}")
        self.found.slices.append(Slice(turn, task.name, name, connections, found, own, share))

    def _loop(self, turn: int, task: Task, batch: int, processes: int) -> None:
        reached = tasks.loop(task, seconds=self.seconds, processes=processes, batch=batch)
        limit = Limit(turn, task.name, processes, batch, reached["inputs_s"], reached["batch_ms"])
        self.found.limits.append(limit)

    def _start_up(self, turn: int) -> None:
        task = self.tasks["image"]
        with started(SERVERS[OURS], task.name, task.requests[0], workers=1, weights=self.weights) as running:
            found = Start(turn, "start-up", OURS, 1, running.cold_start_s, running.memory_mb())
        self.found.starts.append(found)

    def _bare_start(self, turn: int) -> None:
        """The same model in a process that only loads it and answers once."""
        command = [
            sys.executable,
            str(HERE / "in_process/once.py"),
            "image",
            str(self.tasks["image"].uploads[0]),
        ]
        began = time.perf_counter()
        with subprocess.Popen(
            command,
            env={**os.environ, **self.weights},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
        ) as process:
            assert process.stdout is not None
            process.stdout.readline()
            seconds = time.perf_counter() - began
            memory = psutil.Process(process.pid).memory_full_info().pss / 1e6
            process.communicate()
        self.found.starts.append(Start(turn, "start-up", BARE, 1, seconds, memory))


def compare(
    *, rounds: int, seconds: float, quick: bool, seed: int, names: list[str], progress: Progress
) -> Comparison:
    """Measure everything; a server that fails is named among the failures, and the others go on."""
    load.check_the_check()
    plan = Plan(rounds=rounds, seconds=seconds, quick=quick, seed=seed, names=names)
    steps = plan.steps()
    progress.begin(sum(step.seconds for step in steps))
    for step in steps:
        progress.step(step.title, step.seconds)
        try:
            step.run()
        except (RuntimeError, OSError) as error:
            plan.found.failures.append(f"{step.title}: {error}")
            progress.say(f"failed: {step.title}: {str(error)[:300]}")
    progress.end()
    return plan.found
