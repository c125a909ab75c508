"""What a container engine says while it works, as a live view on stderr."""

from __future__ import annotations

import re
import time
from collections import deque
from collections.abc import Iterable, Mapping
from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn

from maxfw.errors import BuildFailed

SHOWN_OF_A_FAILURE = 15
"""Lines of the failing step that are shown."""

_STEP = re.compile(r"Step (\d+)/(\d+) : (.+)", re.DOTALL)
_LONGEST = 100

Event = Mapping[str, Any]


def follow_build(events: Iterable[Event], tag: str) -> None:
    """Show each step of a build as it is done, with its seconds, and below it what is said at present.

    Raises:
        BuildFailed: a step failed; its last lines have been shown.
    """
    console = Console(stderr=True, highlight=False, soft_wrap=True)
    with console.status(f"{tag}: sending") as status:
        steps = _Steps(console)
        for event in events:
            if "error" in event:
                status.stop()
                raise steps.failed(tag, str(event["error"]))
            for line in str(event.get("stream") or event.get("status") or "").splitlines():
                steps.said(line.rstrip())
                status.update(escape(_short(f"{tag} {steps.name}: {line.strip()}")))
        steps.finish()


class _Steps:
    """The step that is being done, and what it has said."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self.name = ""
        self._lines: deque[str] = deque(maxlen=SHOWN_OF_A_FAILURE)
        self._began = 0.0
        self._cached = False

    def said(self, line: str) -> None:
        """Take note of a line: a new step, or one of the present step's."""
        if match := _STEP.fullmatch(line):
            self.finish()
            self.name = _short(f"{match[1]}/{match[2]} {match[3]}")
            self._lines.clear()
            self._began, self._cached = time.monotonic(), False
        elif line.strip() == "---> Using cache":
            self._cached = True
        elif line.strip() and not re.match(r" ---> |Removing intermediate container ", line):
            self._lines.append(line)

    def finish(self) -> None:
        """Say that the present step is done."""
        if self.name:
            took = "cached" if self._cached else f"{time.monotonic() - self._began:.1f} s"
            self._console.print(f"✓ {escape(self.name)} [dim]({took})[/dim]")
            self.name = ""

    def failed(self, tag: str, error: str) -> BuildFailed:
        """The error to raise; shows what the step said last."""
        for line in self._lines:
            self._console.print(escape(f"  {line}"))
        step = f" in step {self.name}" if self.name else ""
        return BuildFailed(f"{tag}: the build failed{step}: {error}")


def follow_push(events: Iterable[Event], remote: str) -> str:
    """Show the bytes of each layer that is pushed → the digest of the image in the registry.

    Raises:
        BuildFailed: the registry refused.
    """
    columns = (TextColumn("{task.description}"), BarColumn(), DownloadColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as bars:
        layers: dict[str, Any] = {}
        sha256 = ""
        for event in events:
            if "error" in event:
                raise BuildFailed(
                    f"{remote} was not pushed: {event['error']}",
                    hint="is it the right registry? docker login",
                )
            sha256 = (event.get("aux") or {}).get("Digest", sha256)
            detail = event.get("progressDetail") or {}
            if "current" in detail:
                layer = event.get("id", "")
                if layer not in layers:
                    layers[layer] = bars.add_task(layer, total=None)
                bars.update(layers[layer], completed=detail["current"], total=detail.get("total"))
    return sha256


def _short(text: str) -> str:
    plain = " ".join(text.split())
    return plain if len(plain) <= _LONGEST else plain[: _LONGEST - 1] + "…"
