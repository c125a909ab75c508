"""Workers that die, supervisors that are killed, and set-ups that cannot work: real processes."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from maxfw.workers import LONG_LIFE_S, LONGEST_PAUSE_S, MOST_QUICK_DEATHS, Place

ROOT = Path(__file__).resolve().parents[2]
HURRIED = """
import socket, sys
from maxfw.settings import load_settings, or_exit
from maxfw.workers import Supervisor, open_socket

settings = load_settings(port=0, workers=2)
with or_exit():
    Supervisor(sys.argv[1:], open_socket(settings), settings, first_pause_s=0.001).run()
"""


def worker_program(code: str) -> list[str]:
    return [sys.executable, "-S", "-c", code]


def environment(**values: str) -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": str(ROOT), **values}


@contextmanager
def supervisor(program: list[str], workers: int, folder: Path) -> Iterator[subprocess.Popen[str]]:
    """`python -m maxfw.workers`, as an old app.py becomes it."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        words = [
            sys.executable,
            "-m",
            "maxfw.workers",
            str(workers),
            str(listener.fileno()),
            json.dumps(program),
        ]
        process = subprocess.Popen(
            words,
            env=environment(MAXFW_METRICS_DIR=str(folder), MAXFW_GRACE_S="1"),
            pass_fds=[listener.fileno()],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
    with process:
        try:
            yield process
        finally:
            process.kill()


def until(condition: Callable[[], Any], what: str) -> None:
    deadline = time.monotonic() + 30
    while not condition():
        assert time.monotonic() < deadline, what
        time.sleep(0.02)


class _Worker:
    """Stands in for a process where only times count."""


def lived(place: Place, since: float, seconds: float) -> None:
    place.worker = _Worker()  # type: ignore[assignment]
    place.started = since
    place.died(since + seconds)


def test_a_worker_that_dies_after_days_is_replaced_at_once_however_others_died_before() -> None:
    place = Place()
    for _ in range(2000):
        lived(place, 0, 50)
    assert place.is_hopeless(50)
    assert place.next_start == 50 + LONGEST_PAUSE_S

    lived(place, 1000, 86_400)

    assert not place.is_hopeless(90_000)
    assert place.next_start < 1000 + 86_400 + 1


def test_lives_shorter_than_loading_end_in_giving_up_after_growing_pauses() -> None:
    place, pauses = Place(), []
    for number in range(MOST_QUICK_DEATHS):
        assert not place.is_hopeless(0)
        lived(place, 1000 * number, LONG_LIFE_S - 1)
        pauses.append(place.next_start - 1000 * number - (LONG_LIFE_S - 1))

    assert place.is_hopeless(10_000)
    assert pauses == sorted(pauses)
    assert pauses[0] < 1 < pauses[-1] <= LONGEST_PAUSE_S


def test_a_place_that_has_served_once_has_served_for_good() -> None:
    place = Place()
    lived(place, 0, 1)
    assert not place.has_served(1)
    lived(place, 2, LONG_LIFE_S)
    lived(place, 500, 1)

    assert place.has_served(501)


@pytest.mark.slow
def test_workers_that_keep_dying_end_in_one_line_and_exit_code_2(tmp_path: Path) -> None:
    words = [sys.executable, "-c", HURRIED, *worker_program("raise SystemExit(3)")]
    run = subprocess.run(
        words,
        env=environment(MAXFW_METRICS_DIR=str(tmp_path)),
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )

    assert run.returncode == 2
    assert run.stderr.splitlines()[-1] == "Error: the workers keep dying (exit code 3)"
    assert "Traceback" not in run.stderr
    assert [*tmp_path.iterdir()] == []


@pytest.mark.slow
def test_a_worker_that_cannot_start_ends_the_supervisor_without_another_word(tmp_path: Path) -> None:
    with supervisor(worker_program("raise SystemExit(2)"), 2, tmp_path) as process:
        output, errors = process.communicate(timeout=60)

    assert (process.returncode, errors) == (2, "")
    assert output.startswith("listening on http://127.0.0.1:")


@pytest.mark.slow
def test_what_a_killed_supervisor_left_is_removed_by_the_next_and_nothing_else(tmp_path: Path) -> None:
    waits_for_its_supervisor = worker_program(
        "import os; os.read(int(os.environ['MAXFW_WORKER_SOCKET'].split(',')[1]), 1)"
    )
    (tmp_path / "maxfw-metrics-mine").mkdir()
    with supervisor(waits_for_its_supervisor, 2, tmp_path) as killed:
        until(lambda: len([*tmp_path.iterdir()]) == 2, "no folder")
        with supervisor(waits_for_its_supervisor, 1, tmp_path) as beside:
            until(lambda: len([*tmp_path.iterdir()]) == 3, "the folder of one that lives is gone")
            beside.terminate()
            assert beside.wait(30) == 0
        left = [path for path in tmp_path.iterdir() if path.name != "maxfw-metrics-mine"]
        assert [path.name.split("-")[2] for path in left] == [str(killed.pid)]
        killed.send_signal(signal.SIGKILL)
        killed.wait(30)

    def is_swept() -> bool:  # once the workers have gone too
        with supervisor(worker_program("raise SystemExit(2)"), 1, tmp_path) as process:
            process.wait(30)
        return not left[0].exists()

    until(is_swept, "the folder of a dead supervisor stays")
    assert [path.name for path in tmp_path.iterdir()] == ["maxfw-metrics-mine"]


OLD = """
print("the model is loaded", flush=True)
from maxfw.core import MAXApp
MAXApp("old").run()
"""
NEW = "print('the model is loaded', flush=True)"


@pytest.mark.slow
@pytest.mark.parametrize(
    "settings",
    [
        {"MAXFW_PORT": "abc"},
        {"MAXFW_TLS_KEY": "key.pem"},
        {"MAXFW_TLS_CERT": "a.pem", "MAXFW_TLS_KEY": "b.pem"},
    ],
    ids=["port", "key alone", "no such files"],
)
def test_an_old_app_with_a_wrong_setting_says_so_in_one_line(
    tmp_path: Path, settings: dict[str, str]
) -> None:
    (tmp_path / "app.py").write_text(OLD, encoding="utf-8")
    run = subprocess.run(
        [sys.executable, "app.py"],
        cwd=tmp_path,
        env=environment(**{"MAXFW_PORT": "0", **settings}),
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )

    assert run.returncode == 2
    assert run.stderr.count("\n") == 1
    assert next(iter(settings)) in run.stderr


@pytest.mark.slow
@pytest.mark.parametrize("workers", ["1", "2"])
def test_files_of_https_that_cannot_be_used_are_said_before_anything_is_loaded(
    tmp_path: Path, workers: str
) -> None:
    (tmp_path / "model.py").write_text(NEW, encoding="utf-8")
    (tmp_path / "cert.pem").write_text("no certificate", encoding="utf-8")
    words = [sys.executable, "-m", "maxfw", "serve", str(tmp_path), "--port", "0", "--workers", workers]
    run = subprocess.run(
        [*words, "--tls-cert", str(tmp_path / "cert.pem"), "--tls-key", str(tmp_path / "cert.pem")],
        env=environment(),
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )

    assert (run.returncode, run.stdout) == (2, "")
    assert run.stderr.count("\n") == 1
    assert "MAXFW_TLS_CERT" in run.stderr
