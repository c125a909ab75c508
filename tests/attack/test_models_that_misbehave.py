"""What authors do by mistake, with the request that meets it: bounded time, a clear error, and service goes on."""

from __future__ import annotations

import json
import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import pytest
from raw_http import Answer, exchange, request
from target import Target, get, start, survives, until

import models

pytestmark = pytest.mark.slow

Serve = Callable[..., Target]


@dataclass
class Faulty:
    """A server of the model that does what a text tells it, and what its model has run."""

    target: Target
    runs: Path

    def tell(self, *texts: str, timeout_s: float = 30) -> Answer:
        body = json.dumps({"text": list(texts)}).encode()
        return exchange(self.target.port, request(body=body), timeout_s=timeout_s)

    def has_run(self, text: str) -> int:
        lines = self.runs.read_text(encoding="utf-8").splitlines() if self.runs.exists() else []
        return lines.count(text)


@pytest.fixture(scope="module")
def faulty(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Faulty]:
    """One worker, which gives the model a second."""
    place = tmp_path_factory.mktemp("faulty")
    folder = models.write(place / "faulty", models.FAULTY)
    environment = {"RUNS_FILE": str(place / "runs")}
    target = start(folder, models.text(), place, "--predict-timeout-s", "1", environment=environment)
    yield Faulty(target, place / "runs")
    target.end()


@pytest.mark.parametrize(
    "text", ["raise", "raise strangely", "interrupt", "run out of memory", "exit", "exit early"]
)
def test_whatever_a_model_raises_is_a_500_that_tells_nothing(faulty: Faulty, text: str) -> None:
    with survives(faulty.target):
        answer = faulty.tell(text)

    assert answer.status in ((500, 503) if text == "run out of memory" else (500,)), answer
    assert json.loads(answer.body)["code"] in ("model_failed", "overloaded", "out_of_memory")
    for inside in (b"12345", b"Traceback", b"ValueError", b"Strange", b".py"):
        assert inside not in answer.body
    assert "x-request-id" in answer.headers


@pytest.mark.parametrize(
    "text", ["NaN", "none", "unserialisable", "text", "surrogate", "huge", "too few", "too many"]
)
def test_an_answer_that_is_none_is_a_500_that_names_the_method(faulty: Faulty, text: str) -> None:
    with survives(faulty.target):
        answer = faulty.tell(text)

    assert answer.status == 500, answer
    refused = json.loads(answer.body)
    assert refused["code"] == "bad_model_output"
    assert "_post_process" in refused["message"] or "_predict_batch" in refused["message"]


@pytest.mark.parametrize("text", ["hang for 2.5", "spin for 2.5"])
def test_a_model_that_takes_too_long_is_504_and_answers_again_when_it_is_done(
    faulty: Faulty, text: str
) -> None:
    until(lambda: faulty.tell("right").status == 200, "rest")
    with survives(faulty.target):
        answer = faulty.tell(text)
        assert answer.status == 504, answer
        assert get(faulty.target.port, "/health/live")[0] == 200
        until(lambda: faulty.tell("right").status == 200, "an answer after the long one")


def test_many_timeouts_leave_the_threads_as_they_were(faulty: Faulty) -> None:
    _time_out_often(faulty, rounds=1)


@pytest.mark.long
def test_a_thousand_timeouts_leave_the_threads_as_they_were(faulty: Faulty) -> None:
    _time_out_often(faulty, rounds=50)


def _time_out_often(faulty: Faulty, rounds: int) -> None:
    with survives(faulty.target), ThreadPoolExecutor(20) as pool:
        for _ in range(rounds):
            statuses = list(pool.map(lambda _: faulty.tell("hang for 3.2").status, range(20)))
            assert set(statuses) <= {503, 504}, statuses
            until(lambda: faulty.tell("right").status == 200, "an answer after the long ones")


def test_a_client_that_leaves_while_it_waits_is_not_worked_for(faulty: Faulty) -> None:
    with survives(faulty.target), ThreadPoolExecutor(1) as pool:
        busy = pool.submit(faulty.tell, "hang for 0.7")
        until(lambda: faulty.has_run("hang for 0.7"), "the model to be busy")
        with pytest.raises(TimeoutError):
            faulty.tell("nobody waits for this", timeout_s=0.2)
        assert busy.result().status == 200
        assert faulty.tell("right").status == 200

    assert not faulty.has_run("nobody waits for this")


def test_a_flood_of_ten_times_what_can_wait_is_refused_at_once_and_the_rest_is_answered(serve: Serve) -> None:
    target = serve(
        models.FAULTY,
        models.text(),
        "--max-queue",
        "8",
        "--threads",
        "4",
        "--predict-timeout-s",
        "30",
        warm=True,
    )
    body = json.dumps({"text": ["hang for 0.2"]}).encode()
    done = threading.Event()
    live: list[int] = []

    def watch() -> None:
        while not done.is_set():
            live.append(get(target.port, "/health/live")[0])
            time.sleep(0.05)

    with survives(target), ThreadPoolExecutor(121) as pool:
        watcher = pool.submit(watch)
        answers = list(pool.map(lambda _: exchange(target.port, request(body=body)), range(120)))
        done.set()
        watcher.result()

    statuses = [answer.status for answer in answers]
    assert set(statuses) == {200, 503}
    # Whoever was let in is answered: the one that runs, those that wait, those that threads hold.
    assert 8 <= statuses.count(200) <= 8 + 4 + 4 + 20
    for answer in answers:
        if answer.status == 503:
            assert 1 <= int(answer.headers["retry-after"]) <= 60
    assert set(live) == {200}


@pytest.fixture
def two_workers(serve: Serve, tmp_path: Path) -> Faulty:
    target = serve(models.FAULTY, models.text(), "--workers", "2", RUNS_FILE=str(tmp_path / "runs"))
    until(lambda: len(target.workers()) == 2, "two workers")
    return Faulty(target, tmp_path / "runs")


def test_a_worker_that_exits_in_predict_is_replaced_and_its_request_ends_at_once(two_workers: Faulty) -> None:
    before = set(two_workers.target.workers())

    assert two_workers.tell("exit hard").status in (0, 500, 502, 503)

    until(lambda: before - set(two_workers.target.workers()), "the dead worker to be gone")
    until(lambda: len(two_workers.target.workers()) == 2, "another worker")
    until(lambda: _is_answered(two_workers), "an answer")
    assert two_workers.target.process.poll() is None


def test_a_worker_that_is_killed_mid_request_is_replaced(two_workers: Faulty) -> None:
    before = set(two_workers.target.workers())
    with ThreadPoolExecutor(1) as pool:
        cut = pool.submit(two_workers.tell, "hang for 20")
        until(lambda: two_workers.has_run("hang for 20"), "the model to be busy")
        for pid in before:
            os.kill(pid, signal.SIGKILL)
        assert cut.result(10).status == 0

    until(lambda: len(set(two_workers.target.workers()) - before) == 2, "two other workers")
    until(lambda: _is_answered(two_workers), "an answer")
    assert two_workers.target.end() == 0


def _is_answered(faulty: Faulty) -> bool:
    try:
        return faulty.tell("right").status == 200
    except OSError:
        return False
