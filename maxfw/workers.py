"""Several workers: fresh processes that run this process's own command line on one socket.

Every worker loads its own model; none is forked after loading.
Nothing here knows which HTTP server they use.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import logging
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from dataclasses import dataclass
from pathlib import Path

from prometheus_client import multiprocess

from maxfw.errors import BadSetting
from maxfw.settings import Settings, inherited_descriptors, load_settings, or_exit, worker_environment

log = logging.getLogger("maxfw")

BACKLOG = 1024

# Longer than a model takes to load on a slow machine: who dies sooner may never have answered anyone.
LONG_LIFE_S = 120.0
MOST_QUICK_DEATHS = 8  # in a row, in every place
FIRST_PAUSE_S, LONGEST_PAUSE_S = 0.2, 30.0
METRICS_PREFIX = "maxfw-metrics-"


def open_socket(settings: Settings) -> socket.socket:
    """A socket bound to the address of the settings, or the one that a supervisor handed down.

    Connections are refused until something serves on it.

    Raises:
        BadSetting: the address cannot be had.
    """
    if inherited := inherited_descriptors():
        return socket.socket(fileno=inherited[0])
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((settings.host, settings.port))
    except OSError as error:
        listener.close()
        raise BadSetting(
            f"cannot listen on {settings.host}:{settings.port}: {error.strerror}",
            hint="choose another with --port or MAXFW_PORT",
        ) from None
    return listener


def supervise(settings: Settings, listener: socket.socket, command: list[str] | None = None) -> None:
    """Run `settings.workers` processes of `command` (this process's own) until SIGTERM or SIGINT.

    Each gets the socket; one that dies is replaced, and all end with this process, however it ends.
    """
    command = command or [sys.executable, *sys.orig_argv[1:]]
    with listener:
        Supervisor(command, listener, settings).run()


@dataclass
class Place:
    """One of the places that a supervisor keeps filled: its worker, and how those before it ended."""

    first_pause_s: float = FIRST_PAUSE_S
    worker: subprocess.Popen[bytes] | None = None
    started: float = 0.0
    next_start: float = 0.0
    quick_deaths: int = 0  # in a row
    had_long_life: bool = False

    def died(self, now: float) -> None:
        """The worker has ended: another takes its place after a pause, which grows while they die quickly."""
        self.had_long_life = self.has_served(now)
        self.quick_deaths = 0 if self._lives_long(now) else self.quick_deaths + 1
        self.worker = None
        # 2¹⁰ is more than the longest pause, and 2¹⁰²⁴ more than a float holds.
        pause_s = self.first_pause_s * 2 ** min(self.quick_deaths, 10)
        self.next_start = now + min(LONGEST_PAUSE_S, pause_s)

    def has_served(self, now: float) -> bool:
        """Whether a worker was of use here, ever."""
        return self.had_long_life or self._lives_long(now)

    def is_hopeless(self, now: float) -> bool:
        """Whether none of the last workers was of use."""
        return self.quick_deaths >= MOST_QUICK_DEATHS and not self._lives_long(now)

    def _lives_long(self, now: float) -> bool:
        return self.worker is not None and now - self.started >= LONG_LIFE_S


class Supervisor:
    """Keeps a number of worker processes alive and ends them together."""

    def __init__(
        self,
        command: list[str],
        listener: socket.socket,
        settings: Settings,
        *,
        first_pause_s: float = FIRST_PAUSE_S,
    ) -> None:
        self._command = command
        self._socket = listener
        self._settings = settings
        self._stop = threading.Event()
        self._places = [Place(first_pause_s) for _ in range(settings.workers)]
        # Nobody writes to it: when this process ends, the workers see the end of the pipe.
        self._lifeline, self._own_end = os.pipe()
        self._metrics = MetricsFolder(settings)

    def run(self) -> None:
        """Start the workers, replace those that die, and end all of them on SIGTERM or SIGINT.

        Raises:
            BadSetting: the workers keep dying.
        """
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: self._stop.set())
        self._socket.listen(BACKLOG)
        say_where(self._socket, self._settings)
        try:
            while not self._stop.is_set():
                for place in self._places:
                    self._look_after(place, time.monotonic())
                self._stop.wait(0.2)
        finally:
            self._end_workers()
            self._metrics.remove()

    def _look_after(self, place: Place, now: float) -> None:
        worker = place.worker
        if worker is None:
            if now >= place.next_start:
                place.worker, place.started = self._start(), now
            return
        if worker.poll() is None:
            return
        if worker.returncode == 2 and not any(other.has_served(now) for other in self._places):
            sys.exit(2)  # it has said why, and another would say the same
        place.died(now)
        # One that fails where others serve is tried for ever; the service is up without it.
        if all(other.is_hopeless(now) for other in self._places):
            raise BadSetting(f"the workers keep dying (exit code {worker.returncode})")
        log.warning("worker %d ended with exit code %s; starting another", worker.pid, worker.returncode)
        self._metrics.forget(worker.pid)

    def _start(self) -> subprocess.Popen[bytes]:
        handed = self._socket.fileno(), self._lifeline
        environment = worker_environment(*handed, self._metrics.path)
        # With the lock, which holds until the last worker has ended too.
        locks = (self._metrics.lock,) if self._metrics.path else ()
        return subprocess.Popen(self._command, env=environment, pass_fds=(*handed, *locks))

    def _end_workers(self) -> None:
        self._socket.close()  # who comes now is refused, and does not wait for workers that take nobody new
        workers = [place.worker for place in self._places if place.worker is not None]
        for worker in workers:
            if worker.poll() is None:
                worker.terminate()
        deadline = time.monotonic() + self._settings.grace_s + 5
        for worker in workers:
            try:
                worker.wait(max(0.0, deadline - time.monotonic()))
            except subprocess.TimeoutExpired:
                worker.kill()
                worker.wait()


class MetricsFolder:
    """A folder in which the workers of one supervisor share their metrics; `path` is empty if there is none.

    It is locked by the supervisor and its workers: what nobody locks was left by processes that were killed.
    """

    def __init__(self, settings: Settings) -> None:
        """A new folder in memory, or where the settings say; those that dead supervisors left there are removed."""
        self.path, self.lock = "", -1
        # None: wherever files may go.
        for place in [settings.metrics_dir] if settings.metrics_dir else ["/dev/shm", None]:
            try:
                self.path = tempfile.mkdtemp(prefix=f"{METRICS_PREFIX}{os.getpid()}-", dir=place)
                self.lock = os.open(self.path, os.O_RDONLY)
                break
            except OSError:
                continue
        if not self.path:
            log.warning(
                "no folder can be written to: /metrics will show one worker at a time; set MAXFW_METRICS_DIR"
            )
            return
        with contextlib.suppress(OSError):  # a file system without locks
            fcntl.flock(self.lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        for folder in Path(self.path).parent.glob(METRICS_PREFIX + "*"):
            if _is_left_behind(folder):
                shutil.rmtree(folder, ignore_errors=True)

    def forget(self, pid: int) -> None:
        """A worker is dead: what it counted stays, what was true of it just then does not."""
        if self.path:
            multiprocess.mark_process_dead(pid, self.path)  # type: ignore[no-untyped-call]

    def remove(self) -> None:
        """Leave nothing behind."""
        if self.path:
            shutil.rmtree(self.path, ignore_errors=True)
            os.close(self.lock)


def _is_left_behind(folder: Path) -> bool:
    """Whether a metrics folder is our user's, and neither its supervisor nor one of its workers is alive."""
    named = re.fullmatch(METRICS_PREFIX + r"(\d+)-\w+", folder.name)
    try:
        if (
            named is None
            or folder.is_symlink()
            or folder.stat().st_uid != os.getuid()
            or _is_alive(int(named[1]))
        ):
            return False
        lock = os.open(folder, os.O_RDONLY)
    except OSError:
        return False
    try:  # a container with another count of processes may share the place; its lock is seen here too
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    finally:
        os.close(lock)
    return True


def _is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except (ProcessLookupError, OverflowError):
        return False
    except PermissionError:
        return True
    return True


def say_where(listener: socket.socket, settings: Settings) -> None:
    """Tell people where to go."""
    host, port = listener.getsockname()[:2]
    print(f"listening on {settings.scheme}://{f'[{host}]' if ':' in host else host}:{port}", flush=True)


def become_supervisor(settings: Settings, listener: socket.socket) -> None:
    """Replace this process, which has loaded a model by now, by a supervisor that has none."""
    listener.set_inheritable(True)
    command = json.dumps([sys.executable, *sys.orig_argv[1:]])
    words = ["-m", "maxfw.workers", str(settings.workers), str(listener.fileno()), command]
    os.execv(sys.executable, [sys.executable, *words])


if __name__ == "__main__":
    inherited = socket.socket(fileno=int(sys.argv[2]))
    inherited.set_inheritable(False)
    with or_exit():
        supervise(load_settings(workers=int(sys.argv[1])), inherited, json.loads(sys.argv[3]))
