"""The HTTP server; with `front.py` and `receiving.py`, the only file that knows which one we use.

granian speaks HTTP in threads of its own and calls `Front` for each request. No event loop stands between it and the
threads that answer: its callbacks are taken where they happen, which is twice as fast as waiting for them in asyncio.
That uses granian's inner interface, which is why setup.py names one minor version of it.
"""

from __future__ import annotations

import contextlib
import ctypes
import importlib
import logging
import os
import resource
import signal
import socket
import sys
import threading
import time
from collections.abc import Callable
from typing import Any, NoReturn

from flask import Flask
from granian.http import HTTP1Settings

from maxfw.front import Front
from maxfw.settings import Settings, check_tls, inherited_descriptors, load_settings, or_exit
from maxfw.web import old
from maxfw.web.guards import HEADER_TIMEOUT_S
from maxfw.workers import BACKLOG, become_supervisor, open_socket, say_where

log = logging.getLogger("maxfw")

# By name, for the types that granian states for its inner interface are not those that it has.
granian: Any = importlib.import_module("granian._granian")

READ_BUFFER_BYTES = 65_536  # a body comes in pieces of at most this; heads are limited by `Admission`
MOST_CONNECTIONS = 10_000
TICK_S = 0.25  # how often time limits are looked at
DRAIN_TICK_S = 0.02
EXIT_STUCK = 70


# Of malloc.h, and the size from which a block is returned to the system when it is freed.
M_MMAP_THRESHOLD, BIG_BLOCK_BYTES = -3, 4 << 20


def serve(app: Flask, settings: Settings, listener: socket.socket, *, threads: int) -> None:
    """Serve an app in this process until SIGTERM or SIGINT; requests in flight are answered first.

    `threads` requests are predicted at a time, if the settings do not say otherwise.
    """
    _return_big_blocks()
    front = Front(app, settings, threads=settings.threads or threads)
    stop = threading.Event()
    inherited = inherited_descriptors()
    if threading.current_thread() is threading.main_thread():
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: stop.set())
    with listener:
        listener.listen(BACKLOG)
        listener.setblocking(False)
        if inherited:
            threading.Thread(target=_stop_with_supervisor, args=(inherited[1], stop), daemon=True).start()
        else:
            say_where(listener, settings)
        server = _Granian(front.on_request, listener, settings)
        health = app.extensions.get("maxfw.health")
        if health is not None:
            health.check()
        while not stop.wait(TICK_S):
            front.tick()
            if inherited and health is not None and (end := health.end_of_life()):
                log.error("%s; this worker ends, so that another takes its place", end)
                os._exit(EXIT_STUCK)
        front.drain()
        server.stop()
    # The socket is closed: a client that comes now is refused, and does not wait for one that never answers.
    deadline = time.monotonic() + settings.grace_s
    while not server.stopped.wait(DRAIN_TICK_S):  # until every connection is closed, its answer sent
        front.tick()
        if time.monotonic() > deadline:
            log.warning("the time for finishing is over: %s", front.unfinished())
            break
    front.close()


def _return_big_blocks() -> None:
    """Have the memory of pictures given back: glibc, left alone, learns to keep up to 64 MB for each thread.

    After ten pictures of 49 megapixels at once a process held 1.2 GB for good, and now 77 MB.
    """
    with contextlib.suppress(OSError, AttributeError):  # another C library has no such knob
        ctypes.CDLL(None).mallopt(M_MMAP_THRESHOLD, BIG_BLOCK_BYTES)


def _stop_with_supervisor(lifeline: int, stop: threading.Event) -> None:
    os.read(lifeline, 1)  # returns when the supervisor is gone
    stop.set()


def run_old_app(app: Flask, host: str, port: int) -> None:
    """Serve an old-style app, whose `run()` this is; the environment wins over `host` and `port`."""
    with or_exit():
        settings = load_settings(defaults={"host": host, "port": port})
        check_tls(settings)
        listener = open_socket(settings)
        if settings.workers > 1 and inherited_descriptors() is None:
            become_supervisor(settings, listener)
        logging.basicConfig(level=settings.log_level.upper(), format="%(levelname)s %(message)s")
        old.prepare(app, settings)
        serve(app, settings, listener, threads=1)
    end_process()


def end_process() -> NoReturn:
    """End this process after it has served.

    Not by way of Python's own shutdown: granian's threads may still look after connections that are kept alive,
    and abort the process when they find the interpreter gone.
    """
    logging.shutdown()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(0)


def most_connections(files: int) -> int:
    """How many connections a process that may open `files` files takes at a time."""
    if files == resource.RLIM_INFINITY:  # which is −1
        return MOST_CONNECTIONS
    return max(128, min(MOST_CONNECTIONS, files - 256))


class _Granian:
    """granian's worker, whose callbacks come straight to us."""

    def __init__(
        self, on_request: Callable[[Any], None], listener: socket.socket, settings: Settings
    ) -> None:
        logging.getLogger("_granian").setLevel(logging.WARNING)
        self.stopped = threading.Event()
        self._signal = granian.WorkerSignal()
        self._signal.add_cb(self.stopped.set)
        self._socket = granian.SocketHolder(os.dup(listener.fileno()), False, BACKLOG)
        tls = (bool(settings.tls_cert), settings.tls_cert or None, settings.tls_key or None, None)
        clients: tuple[Any, ...] = (settings.tls_client_ca or None, [], bool(settings.tls_client_ca))
        files, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
        worker = granian.RSGIWorker(
            1,  # its number
            (None, self._socket),
            None,  # no channel to a parent
            1,  # thread that speaks HTTP
            8,  # threads for files, which we do not serve this way
            1,  # thread that calls us
            30,
            most_connections(files),
            "1",  # HTTP/1.1
            HTTP1Settings(header_read_timeout=HEADER_TIMEOUT_S * 1000, max_buffer_size=READ_BUFFER_BYTES),
            None,
            False,  # no WebSockets
            None,
            *(*tls, "tls1.2", *clients),
            (None, None),
        )
        here = _HereAndNow()
        scheduler = _Scheduler(here, on_request, None, None, None)
        scheduler._schedule_fn = on_request
        worker.serve_async(scheduler, here, self._signal)

    def stop(self) -> None:
        """Take no more connections, close idle ones, let the others finish; `stopped` is set after that."""
        self._signal.set()


class _Scheduler(granian.CallbackScheduler):  # type: ignore[misc]
    def __init__(self, *_: Any) -> None:
        super().__init__()

    def cancel(self) -> bool:
        return False


class _HereAndNow:
    """What granian takes for an event loop: whatever is to be called soon is called at once."""

    def call_soon_threadsafe(
        self, callback: Callable[..., Any], *arguments: Any, context: Any = None
    ) -> None:
        try:
            callback(*arguments)
        except BaseException:
            log.exception("a callback of the HTTP server failed")

    call_soon = call_soon_threadsafe
