"""Signals at every moment: who was let in is answered, nothing is left behind."""

from __future__ import annotations

import json
import signal
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from raw_http import Answer, exchange, request
from target import Target, get, until

import models

pytestmark = pytest.mark.slow

Serve = Callable[..., Target]


def tell(target: Target, text: str) -> Answer:
    return exchange(target.port, request(body=json.dumps({"text": [text]}).encode()))


def runs(tmp_path: Path) -> list[str]:
    file = tmp_path / "runs"
    return file.read_text(encoding="utf-8").splitlines() if file.exists() else []


def assert_nothing_is_left(target: Target, pids: list[int]) -> None:
    until(lambda: not any(Path(f"/proc/{pid}").exists() for pid in pids), "every process to end")
    assert list(target.temporary.rglob("*")) == []
    assert "Traceback" not in target.said()


@pytest.mark.parametrize(
    ("number", "workers"), [(signal.SIGTERM, "1"), (signal.SIGINT, "1"), (signal.SIGINT, "2")]
)
def test_a_signal_at_rest_ends_the_server_with_0(serve: Serve, number: signal.Signals, workers: str) -> None:
    target = serve(models.TEXT, models.text(), "--workers", workers)
    pids = target.pids()

    assert target.end(number) == 0
    assert_nothing_is_left(target, pids)


@pytest.mark.parametrize("workers", ["1", "2"])
def test_a_signal_in_predict_and_in_the_queue_lets_everybody_finish(
    serve: Serve, tmp_path: Path, workers: str
) -> None:
    target = serve(models.FAULTY, models.text(), "--workers", workers)
    pids = target.pids()
    with ThreadPoolExecutor(8) as pool:
        asked = [pool.submit(tell, target, f"hang for 0.{number + 3}") for number in range(6)]
        until(lambda: any("hang" in text for text in runs(tmp_path)), "the model to be busy")
        _wait_until_all_are_let_in(target, 6)
        target.process.send_signal(signal.SIGTERM)
        statuses = [answer.result(30).status for answer in asked]

    assert statuses == [200] * 6
    assert target.process.wait(20) == 0
    assert_nothing_is_left(target, pids)


def _wait_until_all_are_let_in(target: Target, count: int) -> None:
    """Nothing tells from outside how many wait: the connections are there, and their heads are read soon after."""
    until(lambda: _connections(target.port) >= count, "the connections")
    for _ in range(3):
        get(target.port, "/health/live")  # what was sent before this has been read when it is answered
    time.sleep(0.2)


def _connections(port: int) -> int:
    wanted = f":{port:04X} "
    lines = Path("/proc/net/tcp").read_text(encoding="ascii").splitlines()[1:]
    return sum(wanted in line[:20] + " " and line.split()[3] == "01" for line in lines)


def test_a_second_signal_does_not_cut_off_who_is_being_answered(serve: Serve, tmp_path: Path) -> None:
    target = serve(models.FAULTY, models.text())
    with ThreadPoolExecutor(1) as pool:
        asked = pool.submit(tell, target, "hang for 1")
        until(lambda: "hang for 1" in runs(tmp_path), "the model to be busy")
        target.process.send_signal(signal.SIGTERM)
        time.sleep(0.1)
        target.process.send_signal(signal.SIGTERM)
        assert asked.result(20).status == 200

    assert target.process.wait(20) == 0


def test_a_model_that_never_ends_does_not_hold_up_the_end_for_longer_than_the_grace(
    serve: Serve, tmp_path: Path
) -> None:
    target = serve(models.FAULTY, models.text(), "--grace-s", "0.5")
    with ThreadPoolExecutor(1) as pool:
        asked = pool.submit(tell, target, "hang for 60")
        until(lambda: "hang for 60" in runs(tmp_path), "the model to be busy")
        target.process.send_signal(signal.SIGTERM)
        assert target.process.wait(20) is not None
        assert asked.result(10).status in (0, 503, 504)


def test_half_a_request_does_not_hold_up_the_end(serve: Serve) -> None:
    target = serve(models.TEXT, models.text(), "--grace-s", "2")
    with ThreadPoolExecutor(1) as pool:
        half = pool.submit(exchange, target.port, request(body=b"{", length=100))
        until(lambda: _connections(target.port) >= 1, "the connection")
        assert target.end() == 0
        assert half.result(20).status in (0, 400, 408, 503)


@pytest.mark.parametrize("starts", [3, pytest.param(50, marks=pytest.mark.long)])
def test_a_signal_while_it_starts_ends_it(serve: Serve, tmp_path: Path, starts: int) -> None:
    import os
    import subprocess
    import sys

    from target import ROOT

    folder = models.write(tmp_path / "starting", models.TEXT)
    for number in range(starts):
        process = subprocess.Popen(
            [sys.executable, "-m", "maxfw", "serve", str(folder), "--port", "0"],
            env={**os.environ, "PYTHONPATH": str(ROOT)},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        time.sleep(0.15 * (number % 5) + 0.05)
        process.terminate()
        assert process.wait(20) in (0, -signal.SIGTERM, 143)
