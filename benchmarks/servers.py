"""The servers that are compared: how each is started, asked, weighed and stopped."""

from __future__ import annotations

import contextlib
import http.client
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from pathlib import Path

import msgspec
import psutil

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent
WORKERS = 2
THREADS = 16  # request threads of a worker, where a server has such
OURS = "maxfw"
PREDICT = "/model/predict"

START_TIMEOUT = 120.0  # seconds
STOP_TIMEOUT = 3.0


class Server(msgspec.Struct, frozen=True):
    """One way to serve a task; `{port}`, `{task}`, … are filled in when it is started."""

    name: str
    title: str
    command: tuple[str, ...]
    folder: str = ""
    """Of `peers/`, where it is started."""
    environment: Mapping[str, str] = {}
    same_decoder: bool = False
    """Whether it decodes big JPEGs at a part of their size, as maxfw does."""


PYTHON = sys.executable
UVICORN = (PYTHON, "-m", "uvicorn", "server:app", "--port", "{port}", "--workers", "{workers}")

SERVERS = {
    server.name: server
    for server in (
        Server(
            OURS,
            "maxfw",
            (PYTHON, "-m", "maxfw", "serve", "{model}", "--workers", "{workers}", "--port", "{port}"),
            same_decoder=True,
        ),
        Server("fastapi_bare", "FastAPI, bare", (*UVICORN, "--no-access-log"), "fastapi_bare"),
        Server("fastapi_full", "FastAPI, equal features", UVICORN, "fastapi_full"),
        Server(
            "fastapi_draft",
            "FastAPI, equal features, draft by hand",
            UVICORN,
            "fastapi_full",
            {"BENCH_DECODE": "draft"},
            same_decoder=True,
        ),
        Server(
            "flask_gunicorn",
            "Flask, gunicorn",
            (
                *(PYTHON, "-m", "gunicorn", "server:app", "--bind", "127.0.0.1:{port}"),
                *("--workers", "{workers}", "--worker-class", "gthread", "--threads", "{threads}"),
            ),
            "flask_gunicorn",
        ),
        Server(
            "flask_granian",
            "Flask, granian",
            (
                *(PYTHON, "-m", "granian", "server:app", "--interface", "wsgi", "--port", "{port}"),
                *("--workers", "{workers}", "--blocking-threads", "{threads}"),
            ),
            "flask_gunicorn",
        ),
        Server("original", "the original's way", (PYTHON, "server.py"), "original"),
        Server("litserve", "LitServe", (PYTHON, "server.py"), "litserve"),
        Server(
            "bentoml",
            "BentoML",
            (PYTHON, "-m", "bentoml", "serve", "server:Served", "--host", "127.0.0.1", "--port", "{port}"),
            "bentoml",
            {"BENTOML_DO_NOT_TRACK": "True"},
        ),
    )
}


class Running:
    """A server that runs: its port, its processes and what they weigh."""

    def __init__(self, process: subprocess.Popen[bytes], port: int, log: Path) -> None:
        self.process, self.port, self.log = process, port, log
        self.cold_start_s = 0.0
        self.first_answer = b""

    def processes(self) -> list[psutil.Process]:
        """The process that was started and all below it."""
        with contextlib.suppress(psutil.NoSuchProcess):
            main = psutil.Process(self.process.pid)
            return [main, *main.children(recursive=True)]
        return []

    def cpu_s(self) -> float:
        """Seconds of processor that all its processes have taken so far."""
        total = 0.0
        for process in self.processes():
            with contextlib.suppress(psutil.NoSuchProcess):
                times = process.cpu_times()
                total += times.user + times.system
        return total

    def memory_mb(self) -> float:
        """Proportional set size of all its processes: pages shared by several count once."""
        total = 0
        for process in self.processes():
            with contextlib.suppress(psutil.NoSuchProcess, psutil.AccessDenied):
                total += process.memory_full_info().pss
        return total / 1e6

    def idle_share(self, seconds: float) -> float:
        """The share of one core that it takes while nobody asks."""
        before = self.cpu_s()
        time.sleep(seconds)
        return (self.cpu_s() - before) / seconds

    def settle(self, longest: float = 5.0) -> None:
        """Wait until its start is over in all processes: little processor taken for a while."""
        end = time.monotonic() + longest
        while time.monotonic() < end and self.idle_share(0.3) > 0.1:
            pass

    def told(self) -> str:
        """The end of what it printed."""
        return self.log.read_text(encoding="utf-8", errors="replace")[-2000:]


def free_port() -> int:
    """A TCP port that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextlib.contextmanager
def started(
    server: Server,
    task: str,
    request: bytes,
    *,
    workers: int = WORKERS,
    weights: Mapping[str, str] | None = None,
) -> Iterator[Running]:
    """The server with a task; when entered, it has answered `request` once.

    Raises:
        RuntimeError: it ended, or did not answer in time.
    """
    port = free_port()
    model = HERE / "models" / ("image" if task == "image12" else task)
    words = {"port": port, "workers": workers, "threads": THREADS, "model": model}
    command = [part.format_map(words) for part in server.command]
    with tempfile.TemporaryDirectory(prefix="maxfw-bench-") as folder:
        environment = {
            **os.environ,
            "PYTHONPATH": f"{ROOT}{os.pathsep}{HERE / 'in_process'}",
            "BENCH_TASK": task,
            "BENCH_PORT": str(port),
            **(weights or {}),
            **server.environment,
        }
        metrics = Path(folder, "metrics")
        metrics.mkdir()
        if server.folder == "fastapi_full":
            environment["PROMETHEUS_MULTIPROC_DIR"] = str(metrics)
        log = Path(folder, "log")
        where = HERE / "peers" / server.folder if server.folder else ROOT
        with log.open("wb") as out:
            began = time.perf_counter()
            process = subprocess.Popen(
                command,
                cwd=where,
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=out,
                start_new_session=True,
            )
        running = Running(process, port, log)
        try:
            running.first_answer = _first_answer(running, request)
            running.cold_start_s = time.perf_counter() - began
            yield running
        finally:
            stop(running)


def ask(port: int, request: bytes, timeout: float = 10.0) -> tuple[int, bytes]:
    """One request on a connection of its own → status and body.

    Raises:
        OSError: no connection, or it was cut.
    """
    with socket.create_connection(("127.0.0.1", port), timeout) as connection:
        connection.sendall(request)
        response = http.client.HTTPResponse(connection)
        try:
            response.begin()
            return response.status, response.read()
        except http.client.HTTPException as error:
            raise ConnectionError(str(error)) from error


def _first_answer(running: Running, request: bytes) -> bytes:
    end = time.monotonic() + START_TIMEOUT
    while time.monotonic() < end:
        if running.process.poll() is not None:
            raise RuntimeError(f"it ended with {running.process.returncode}: {running.told()}")
        with contextlib.suppress(OSError):
            status, body = ask(running.port, request)
            if status == 200:
                return body
            if status not in (502, 503):
                raise RuntimeError(f"its first answer was {status}: {body[:500]!r}; {running.told()}")
        time.sleep(0.01)
    raise RuntimeError(f"no answer within {START_TIMEOUT:.0f} s: {running.told()}")


def stop(running: Running) -> None:
    """End all its processes: asked first, then made to."""
    processes = running.processes()
    with contextlib.suppress(ProcessLookupError):
        running.process.send_signal(signal.SIGTERM)
    with contextlib.suppress(subprocess.TimeoutExpired):
        running.process.wait(STOP_TIMEOUT)
    for process in processes:
        with contextlib.suppress(psutil.NoSuchProcess):
            process.kill()
    running.process.wait()


def machine_cpu_s() -> float:
    """Seconds of processor that this machine has been busy so far, whoever it was busy for."""
    times = psutil.cpu_times()
    return float(times.user + times.nice + times.system + times.irq + times.softirq + times.steal)
