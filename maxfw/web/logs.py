"""One line of JSON on stderr for each request.

Requests never wait for whoever reads the log: lines are gathered and written by a thread of their own, several times
a second; if it cannot keep up, lines are dropped and their number is told.
"""

from __future__ import annotations

import os
import threading
import time
from collections import deque
from collections.abc import Mapping
from typing import Any

import msgspec

MOST_LINES = 10_000
MOST_PATH = 200
LATE_S = 2.0
_STDERR = 2
_encode = msgspec.json.Encoder().encode


class AccessLog:
    """The lines of requests that were answered."""

    def __init__(self, wanted: bool) -> None:
        self._wanted = wanted
        self._entries: deque[dict[str, Any]] = deque()
        self._dropped = 0
        self._writing = threading.Lock()
        self._flushed_at = time.monotonic()

    def add(
        self,
        request_id: str,
        method: str,
        path: str,
        status: int,
        seconds: float,
        *,
        client: str = "",
        received: Any = None,
        size: Any = None,
        code: str = "",
        stages: Mapping[str, float] | None = None,
    ) -> None:
        """Note a request that is answered: how long it took, in seconds, and how many bytes came and went."""
        if not self._wanted:
            return
        if len(self._entries) >= MOST_LINES:
            self._dropped += 1
            return
        self._entries.append(
            {
                "time": time.time(),
                "request_id": request_id,
                "client": client,
                "method": method[:20],
                "path": path[:MOST_PATH],
                "status": status,
                "code": code,
                "ms": seconds,
                "bytes_in": received,
                "bytes_out": size,
                "stages": stages,
            }
        )
        # Then nobody flushes: what hosts the app is not our own server.
        if time.monotonic() - self._flushed_at > LATE_S:
            self.flush()

    def flush(self, *, wait_s: float = 0) -> None:
        """Have what was noted written by a thread; it is waited for this long."""
        if not self._entries:
            self._flushed_at = time.monotonic()
            return
        if not self._writing.acquire(timeout=wait_s):
            return  # somebody does not read what was written last time
        self._flushed_at = time.monotonic()
        writer = threading.Thread(target=self._write, name="maxfw-log", daemon=True)
        try:
            writer.start()
        except RuntimeError:  # there is no thread to be had now
            self._writing.release()
            return
        writer.join(wait_s)

    def _write(self) -> None:
        try:
            lines = [self._entries.popleft() for _ in range(len(self._entries))]
            dropped, self._dropped = self._dropped, 0
            text = b"".join(_encode(_readable(line)) + b"\n" for line in lines)
            if dropped:
                text += b'{"dropped_lines":%d}\n' % dropped
            # Past Python's own buffer, whose lock the end of the process would wait for while nobody reads.
            while text:
                text = text[os.write(_STDERR, text) :]
        except OSError:
            pass  # nobody reads it any more, which is no reason to stop serving
        finally:
            self._writing.release()


def _readable(entry: dict[str, Any]) -> dict[str, Any]:
    """An entry as it is written: UTC time, milliseconds, and nothing that is empty."""
    moment = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(entry["time"]))
    line = {
        **entry,
        "time": f"{moment}.{int(entry['time'] % 1 * 1000):03d}Z",
        "ms": round(entry["ms"] * 1000, 3),
    }
    # Terminals obey some characters that JSON leaves as they are, and some readers end a line at others.
    if not line["path"].isprintable():
        line["path"] = line["path"].encode("unicode_escape").decode("ascii")
    stages = line.pop("stages") or {}
    line.update({f"{name}_ms": round(seconds * 1000, 3) for name, seconds in stages.items()})
    for name in ("bytes_in", "bytes_out"):
        line[name] = int(line[name] or 0)
    return {name: value for name, value in line.items() if value != ""}
