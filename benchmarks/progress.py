"""What is measured now and how long the rest takes, drawn only between measurements, since drawing takes processor."""

from __future__ import annotations

import time

from rich.console import Console
from rich.progress import BarColumn, TextColumn
from rich.progress import Progress as Bars


class Progress:
    """One line on a terminal; one line for each step elsewhere."""

    def __init__(self, console: Console) -> None:
        self.console = console
        columns = (TextColumn("{task.fields[left]:>8} left"), BarColumn(30), TextColumn("{task.description}"))
        self._bars = Bars(*columns, console=console, auto_refresh=False, transient=True)
        self._bar = self._bars.add_task("", total=None, left="")
        self._total = self._planned = self._current = 0.0
        self._began = time.monotonic()

    def begin(self, seconds: float) -> None:
        """All steps together are planned to take so long."""
        self._total, self._planned, self._current, self._began = seconds, 0.0, 0.0, time.monotonic()
        if self.console.is_terminal:
            self._bars.start()

    def step(self, title: str, seconds: float) -> None:
        """The last step is over, and the next begins, which is planned to take so long."""
        self._planned += self._current
        self._current = seconds
        spent = time.monotonic() - self._began
        pace = spent / self._planned if self._planned > 20 else 1.0
        left = _clock((self._total - self._planned) * pace)
        if self.console.is_terminal:
            self._bars.update(
                self._bar, total=self._total, completed=self._planned, description=title, left=left
            )
            self._bars.refresh()
        else:
            self.console.print(f"{left:>8} left  {title}", highlight=False)

    def say(self, text: str) -> None:
        """A line that stays."""
        self._bars.console.print(text, style="yellow", highlight=False, markup=False)

    def end(self) -> None:
        """Nothing is measured any more."""
        self._bars.stop()


def _clock(seconds: float) -> str:
    whole = max(0, round(seconds))
    return f"{whole // 60}:{whole % 60:02}"
