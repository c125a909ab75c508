"""Load by wrk, which checks every answer; its own processor time is told apart from the servers'."""

from __future__ import annotations

import contextlib
import http.server
import json
import os
import subprocess
import tempfile
import threading
from collections.abc import Iterator, Sequence
from pathlib import Path

import msgspec

SCRIPT = Path(__file__).with_name("load.lua")


class Load(msgspec.Struct, frozen=True):
    """What wrk saw in one slice, and the seconds of processor that wrk itself took."""

    requests: int
    seconds: float
    p50_ms: float
    p90_ms: float
    p99_ms: float
    max_ms: float
    bad_status: int
    bad_body: int
    socket_errors: int
    timeouts: int
    example: str
    wrk_cpu_s: float = 0.0

    @property
    def per_second(self) -> float:
        """Right answers a second."""
        return (self.requests - self.bad_status - self.bad_body) / self.seconds

    @property
    def wrong(self) -> str:
        """What was wrong with the answers, or an empty text."""
        if self.bad_status + self.bad_body + self.socket_errors + self.timeouts == 0:
            return ""
        return (
            f"{self.bad_status} answers with a wrong status, {self.bad_body} with a wrong body, "
            f"{self.socket_errors} socket errors, {self.timeouts} timeouts of {self.requests}; {self.example}"
        )


class Exchange(msgspec.Struct, frozen=True):
    """Requests as they go over the wire, and the bodies of their right answers."""

    requests: Sequence[bytes]
    answers: Sequence[bytes]

    @contextlib.contextmanager
    def folder(self) -> Iterator[Path]:
        """A folder with a file for each, as `load.lua` reads it."""
        with tempfile.TemporaryDirectory(prefix="maxfw-bench-") as folder:
            for name, bodies in (("request", self.requests), ("answer", self.answers)):
                for number, body in enumerate(bodies, start=1):
                    Path(folder, f"{name}{number}").write_bytes(body)
            yield Path(folder)


def wrk(port: int, exchange: Exchange, *, connections: int, seconds: float) -> Load:
    """Keep this many connections busy for a while.

    Raises:
        RuntimeError: wrk failed.
    """
    with exchange.folder() as folder:
        command = [
            "wrk",
            "-t",
            "1",
            "-c",
            str(connections),
            "-d",
            f"{max(seconds, 1):.0f}s",
            "--timeout",
            "30s",
        ]
        command += ["-s", str(SCRIPT), f"http://127.0.0.1:{port}", "--", str(folder)]
        process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        assert process.stdout is not None
        printed = process.stdout.read()
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    last = printed.strip().rpartition("\n")[2]
    if process.returncode or not last.startswith("{"):
        raise RuntimeError(f"wrk ended with {process.returncode}: {printed}")
    return msgspec.convert({**json.loads(last), "wrk_cpu_s": usage.ru_utime + usage.ru_stime}, Load)


RIGHT, WRONG = b'{"a": 0.25}', b'{"a": 0.75}'
EVERY = 10  # of the answers one is wrong


class _SometimesWrong(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    served = 0

    def do_GET(self) -> None:
        type(self).served += 1
        body = WRONG if self.served % EVERY == 0 else RIGHT
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *arguments: object) -> None:
        """Say nothing."""


def check_the_check() -> None:
    """Let wrk meet a server of which every tenth answer is wrong.

    Raises:
        RuntimeError: the script did not count them; then nothing that it says can be believed.
    """
    server = http.server.HTTPServer(("127.0.0.1", 0), _SometimesWrong)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    request = b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"
    load = wrk(server.server_port, Exchange([request], [RIGHT]), connections=1, seconds=1)
    server.shutdown()
    server.server_close()
    if abs(load.bad_body - load.requests // EVERY) > 1 or load.bad_status:
        raise RuntimeError(f"the check of the answers does not work: {load}")
