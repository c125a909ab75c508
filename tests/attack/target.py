"""A served model under attack: a real process, its address, and how to see that it is unharmed."""

from __future__ import annotations

import contextlib
import ctypes
import http.client
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

ROOT = Path(__file__).resolve().parents[2]
MB = 1_000_000
T = TypeVar("T")

# How long the machine may take to come to rest; generous, since nothing is decided by time.
REST_S = 20.0
# A normal request after an attack is answered within this time, sooner or later within REST_S.
NEXT_ANSWER_S = 1.0
# What may be left behind: a connection that is being closed, a thread that the runtime has just started.
MORE_THREADS = 2
# Threads of a pool are started when they are first needed, so these are no leak; one more for each case would be seen.
POOLED_THREADS = 30
MORE_DESCRIPTORS = 3
# Memory that malloc keeps for the next request of this size.
MORE_MEMORY_MB = 48


@dataclass(frozen=True)
class Ask:
    """A normal request, which a healthy server answers with 200."""

    path: str
    body: bytes
    media_type: str

    def send(self, port: int, timeout_s: float = REST_S) -> tuple[int, bytes]:
        """→ status and body."""
        with contextlib.closing(
            http.client.HTTPConnection("127.0.0.1", port, timeout=timeout_s)
        ) as connection:
            connection.request("POST", self.path, self.body, {"Content-Type": self.media_type})
            answer = connection.getresponse()
            return answer.status, answer.read()


@dataclass(frozen=True)
class Snapshot:
    """What a server and its workers hold."""

    processes: int
    threads: int
    descriptors: int
    memory_mb: float
    files: frozenset[str]

    def excess_over(self, before: Snapshot, more_memory_mb: float) -> list[str]:
        """What is held beyond an earlier snapshot and the tolerances above."""
        found = []
        if self.processes != before.processes:
            found.append(f"{self.processes} processes, not {before.processes}")
        if self.threads > max(before.threads + MORE_THREADS, POOLED_THREADS):
            found.append(f"{self.threads} threads, before {before.threads}")
        if self.descriptors > before.descriptors + MORE_DESCRIPTORS:
            found.append(f"{self.descriptors} descriptors, before {before.descriptors}")
        if self.memory_mb > before.memory_mb + more_memory_mb:
            found.append(f"{self.memory_mb:.0f} MB, before {before.memory_mb:.0f} MB")
        if left := self.files - before.files:
            found.append(f"temporary files: {sorted(left)[:5]}")
        return found


@dataclass
class Target:
    """A server that was started with `start`."""

    process: subprocess.Popen[bytes]
    port: int
    ask: Ask
    log: Path
    temporary: Path

    def pids(self) -> list[int]:
        """The process that was started, and its workers."""
        found, waiting = [], [self.process.pid]
        while waiting:
            pid = waiting.pop()
            found.append(pid)
            for children in Path(f"/proc/{pid}/task").glob("*/children"):
                with contextlib.suppress(OSError):
                    waiting += [int(child) for child in children.read_text().split()]
        return found

    def workers(self) -> list[int]:
        """The processes below the one that was started."""
        return self.pids()[1:]

    def snapshot(self) -> Snapshot:
        """What the processes hold now."""
        threads = descriptors = 0
        memory = 0.0
        pids = self.pids()
        for pid in pids:
            with contextlib.suppress(OSError):
                threads += len(os.listdir(f"/proc/{pid}/task"))
                descriptors += len(os.listdir(f"/proc/{pid}/fd"))
                memory += _megabytes(pid, "VmRSS")
        files = frozenset(str(path) for path in self.temporary.rglob("*"))
        return Snapshot(len(pids), threads, descriptors, memory, files)

    def forget_peak(self) -> None:
        """Let `peak_mb` count from here."""
        for pid in self.pids():
            Path(f"/proc/{pid}/clear_refs").write_text("5")

    def peak_mb(self) -> float:
        """The most memory that was held at once since `forget_peak`, in MB, of all processes."""
        return sum(_megabytes(pid, "VmHWM") for pid in self.pids())

    def answers(self) -> None:
        """The next normal request is answered with 200, and one within NEXT_ANSWER_S."""
        deadline = time.monotonic() + REST_S
        while True:
            started = time.monotonic()
            status, body = self.ask.send(self.port)
            assert status == 200, (status, body[:500])
            if time.monotonic() - started < NEXT_ANSWER_S:
                return
            assert time.monotonic() < deadline, f"no answer within {NEXT_ANSWER_S} s"

    def end(self, number: int = signal.SIGTERM) -> int:
        """Send a signal → the exit code; whoever does not end in time is killed."""
        if self.process.poll() is None:
            self.process.send_signal(number)
        try:
            return self.process.wait(REST_S)
        except subprocess.TimeoutExpired:
            for pid in self.pids():
                with contextlib.suppress(OSError):
                    os.kill(pid, signal.SIGKILL)
            self.process.wait()
            raise

    def said(self) -> str:
        """All that the server has written so far."""
        return self.log.read_text(encoding="utf-8", errors="replace")


def _megabytes(pid: int, what: str) -> float:
    found = re.search(rf"{what}:\s+(\d+) kB", Path(f"/proc/{pid}/status").read_text())
    return int(found[1]) * 1024 / MB if found else 0.0


def start(
    folder: Path | str,
    ask: Ask,
    place: Path,
    *options: str,
    cwd: Path | None = None,
    environment: dict[str, str] | None = None,
    warm: bool = True,
    until_ready: bool = True,
) -> Target:
    """Serve a model folder with `maxfw serve` on a free port; `place` is for its log and temporary files."""
    temporary = place / "tmp"
    temporary.mkdir(parents=True, exist_ok=True)
    log = place / "log"
    inherited = {name: value for name, value in os.environ.items() if name != "PYTHONUTF8"}
    with log.open("wb") as output:
        process = subprocess.Popen(
            [
                sys.executable,
                "-m",
                "maxfw",
                "serve",
                str(folder),
                "--port",
                "0",
                "--host",
                "127.0.0.1",
                *options,
            ],
            cwd=cwd or place,
            env={
                **inherited,
                "PYTHONPATH": str(ROOT),
                "PYTHONUNBUFFERED": "1",
                "PYTHONDONTWRITEBYTECODE": "1",
                "TMPDIR": str(temporary),
                **(environment or {}),
            },
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            preexec_fn=_end_with_parent,
        )
    target = Target(process, 0, ask, log, temporary)
    try:
        target.port = _port_of(target)
        if until_ready:
            _wait_until_ready(target)
        if warm:
            warm_up(target)
    except BaseException:
        process.kill()
        process.wait()
        raise
    return target


def _end_with_parent() -> None:
    """Tests that are killed leave no server behind."""
    ctypes.CDLL(None).prctl(1, signal.SIGKILL)  # PR_SET_PDEATHSIG


def _port_of(target: Target) -> int:
    def found() -> re.Match[str] | None:
        assert target.process.poll() is None, f"ended with {target.process.returncode}: {target.said()}"
        return re.search(r"listening on http://127\.0\.0\.1:(\d+)", target.said())

    return int(until(found, "a line that says where it listens", timeout_s=90)[1])


def _wait_until_ready(target: Target) -> None:
    """A model whose own sample is not answered rightly never becomes ready; its log says why."""

    def ready() -> bool:
        try:
            return get(target.port, "/health/ready", timeout_s=30)[0] == 200
        except OSError:
            return False

    until(ready, "readiness", timeout_s=30)


def warm_up(target: Target, requests: int = 40) -> None:
    """Let every thread start and every cache fill, so that what comes later is what a case leaves behind."""
    with ThreadPoolExecutor(requests) as pool:
        list(pool.map(lambda _: target.ask.send(target.port), range(2 * requests)))
        list(pool.map(lambda _: get(target.port, "/model/metadata"), range(2 * requests)))


def get(port: int, path: str, *, timeout_s: float = REST_S, **headers: str) -> tuple[int, bytes]:
    """GET → status and body."""
    with contextlib.closing(http.client.HTTPConnection("127.0.0.1", port, timeout=timeout_s)) as connection:
        connection.request(
            "GET", path, headers={name.replace("_", "-"): value for name, value in headers.items()}
        )
        answer = connection.getresponse()
        return answer.status, answer.read()


def until(found: Callable[[], T | None], what: str, *, timeout_s: float = REST_S) -> T:
    """What `found` finds, as soon as it finds something."""
    deadline = time.monotonic() + timeout_s
    while True:
        if thing := found():
            return thing
        assert time.monotonic() < deadline, f"{what}: not after {timeout_s} s"
        time.sleep(0.02)


@contextlib.contextmanager
def survives(
    target: Target, *, more_memory_mb: float = MORE_MEMORY_MB, peak_mb: float | None = None
) -> Iterator[None]:
    """What is done inside leaves the server as it was: it answers, and gives back what it took.

    `peak_mb` bounds how much more memory it may hold for a moment.
    """
    before = target.snapshot()
    target.forget_peak()
    yield
    target.answers()
    if peak_mb is not None:
        peak = target.peak_mb() - before.memory_mb
        assert peak <= peak_mb, f"{peak:.0f} MB more at its worst, {peak_mb:.0f} MB are allowed"
    excess: list[str] = []
    deadline = time.monotonic() + REST_S
    while excess := target.snapshot().excess_over(before, more_memory_mb):
        assert time.monotonic() < deadline, f"not given back: {excess}"
        time.sleep(0.05)


def multipart(parts: Sequence[tuple[str, str | None, bytes]], boundary: str = "b") -> bytes:
    """A form: (field, file name or None, content)."""
    pieces = []
    for name, filename, content in parts:
        file = f'; filename="{filename}"' if filename is not None else ""
        pieces += [
            f'--{boundary}\r\nContent-Disposition: form-data; name="{name}"{file}\r\n\r\n'.encode(),
            content,
            b"\r\n",
        ]
    return b"".join([*pieces, f"--{boundary}--\r\n".encode()])
