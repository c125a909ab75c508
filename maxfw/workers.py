"""Several workers: fresh processes that run this process's own command line on one socket.

Every worker loads its own model; none is forked after loading.
Nothing here knows which HTTP server they use.
"""

from __future__ import annotations

import json
import logging
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time

from prometheus_client import multiprocess

from maxfw.errors import BadSetting
from maxfw.settings import Settings, inherited_descriptors, load_settings, worker_environment

log = logging.getLogger("maxfw")

BACKLOG = 1024


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


class Supervisor:
    """Keeps a number of worker processes alive and ends them together."""

    def __init__(self, command: list[str], listener: socket.socket, settings: Settings) -> None:
        self._command = command
        self._socket = listener
        self._settings = settings
        self._stop = threading.Event()
        self._workers: list[subprocess.Popen[bytes]] = []
        # Nobody writes to it: when this process ends, the workers see the end of the pipe.
        self._lifeline, self._own_end = os.pipe()
        self._metrics = _new_metrics_folder(settings)

    def run(self) -> None:
        """Start the workers, replace those that die, and end all of them on SIGTERM or SIGINT."""
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: self._stop.set())
        self._socket.listen(BACKLOG)
        say_where(self._socket)
        self._workers = [self._start() for _ in range(self._settings.workers)]
        try:
            self._watch()
        finally:
            self._end_workers()
            shutil.rmtree(self._metrics, ignore_errors=True)

    def _watch(self) -> None:
        quick_deaths = 0
        started = time.monotonic()
        while not self._stop.wait(0.2):
            for index, worker in enumerate(self._workers):
                if worker.poll() is None:
                    continue
                if worker.returncode == 2:
                    sys.exit(2)  # it has said why, and another would say the same
                quick_deaths = quick_deaths + 1 if time.monotonic() - started < 5 else 0
                if quick_deaths > 3 * len(self._workers):
                    raise BadSetting(f"the workers keep dying (exit code {worker.returncode})")
                log.warning(
                    "worker %d ended with exit code %s; starting another", worker.pid, worker.returncode
                )
                if self._metrics:  # what it counted stays; what was true of it just then does not
                    multiprocess.mark_process_dead(worker.pid, self._metrics)  # type: ignore[no-untyped-call]
                self._stop.wait(min(5.0, 0.2 * 2**quick_deaths))
                started = time.monotonic()
                self._workers[index] = self._start()

    def _start(self) -> subprocess.Popen[bytes]:
        handed = self._socket.fileno(), self._lifeline
        return subprocess.Popen(
            self._command, env=worker_environment(*handed, self._metrics), pass_fds=handed
        )

    def _end_workers(self) -> None:
        self._socket.close()  # who comes now is refused, and does not wait for workers that take nobody new
        for worker in self._workers:
            if worker.poll() is None:
                worker.terminate()
        deadline = time.monotonic() + self._settings.grace_s + 5
        for worker in self._workers:
            try:
                worker.wait(max(0.0, deadline - time.monotonic()))
            except subprocess.TimeoutExpired:
                worker.kill()
                worker.wait()


def _new_metrics_folder(settings: Settings) -> str:
    """A new folder in memory, or where the settings say; empty, with a warning, if there is no place for one."""
    places = (
        [settings.metrics_dir] if settings.metrics_dir else ["/dev/shm", None]
    )  # None: wherever files may go
    for place in places:
        try:
            return tempfile.mkdtemp(prefix="maxfw-metrics-", dir=place)
        except OSError:
            continue
    log.warning("no folder can be written to: /metrics will show one worker at a time; set MAXFW_METRICS_DIR")
    return ""


def say_where(listener: socket.socket) -> None:
    """Tell people where to go."""
    host, port = listener.getsockname()[:2]
    print(f"listening on http://{f'[{host}]' if ':' in host else host}:{port}", flush=True)


def become_supervisor(settings: Settings, listener: socket.socket) -> None:
    """Replace this process, which has loaded a model by now, by a supervisor that has none."""
    listener.set_inheritable(True)
    command = json.dumps([sys.executable, *sys.orig_argv[1:]])
    words = ["-m", "maxfw.workers", str(settings.workers), str(listener.fileno()), command]
    os.execv(sys.executable, [sys.executable, *words])


if __name__ == "__main__":
    inherited = socket.socket(fileno=int(sys.argv[2]))
    inherited.set_inheritable(False)
    supervise(load_settings(workers=int(sys.argv[1])), inherited, json.loads(sys.argv[3]))
