"""`maxfw predict --out`: a job over many inputs, with its progress and its summary."""

from __future__ import annotations

import itertools
import threading
from collections.abc import Sequence
from pathlib import Path

import click
from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    ProgressColumn,
    Task,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)
from rich.text import Text

from maxfw.catalog import ModelFolder, card, load_model
from maxfw.errors import BadParameter
from maxfw.offline import Answering, Listing, Results, Summary, run
from maxfw.offline.answering import Line, settings_for_jobs
from maxfw.predictor import Predictor
from maxfw.settings import load_settings
from maxfw.tasks.base import Inputs


def run_job(
    folder: ModelFolder,
    words: Sequence[str],
    parameters: dict[str, str],
    *,
    out: Path,
    save_images: Path | None,
) -> None:
    """Answer all inputs that these words stand for, into a file.

    Raises:
        MaxfwError: it cannot begin, or not go on.
    """
    predictor = Predictor(load_model(folder), settings_for_jobs(load_settings()))
    try:
        _check(predictor, parameters)
        own = [path for path in (out, out.with_name(out.name + ".job"), save_images) if path is not None]
        listing = Listing.of(words, predictor, skipped=own)
        asked = {"model": card(type(predictor.model))["id"], "inputs": list(words), "parameters": parameters}
        results = Results(out, asked)
        try:
            before, jobs = results.continue_behind(listing)
            answering = Answering(predictor, parameters, save_images=save_images)
            with Bar(listing, before) as progress:
                summary = run(answering, results, jobs, before=before, on_line=progress.line)
        except KeyboardInterrupt:
            click.echo("stopped; the same command goes on from here", err=True)
            raise
        finally:
            results.close()
    finally:
        predictor.close()
    show_summary(summary, out)


def _check(predictor: Predictor, parameters: dict[str, str]) -> None:
    """Say now what would be wrong with every line; that one is missing may be each line's own affair."""
    files, values = predictor.with_files(Inputs(), parameters)
    try:
        predictor.arguments(files, values)
    except BadParameter as error:
        if any(name in error.message for name in parameters):
            raise


def show_summary(summary: Summary, out: Path) -> None:
    """What the job has done, on stderr."""
    done = summary.answered + summary.failed
    told = [f"{summary.answered} answered"]
    if summary.failed:
        kinds = ", ".join(f"{count} {code}" for code, count in sorted(summary.errors.items()))
        told.append(f"{summary.failed} errors ({kinds})")
    if summary.before:
        told.append(f"{summary.before} were there before")
    click.echo(f"{out}: {', '.join(told)}", err=True)
    if done:
        click.echo(f"{summary.seconds:.1f} s, {summary.rate:.1f} inputs/s", err=True)
        slowest = ", ".join(f"{name} {seconds * 1000:.0f} ms" for seconds, name in summary.slowest)
        click.echo(f"slowest: {slowest}", err=True)


class _Rate(ProgressColumn):
    """Inputs a second."""

    def render(self, task: Task) -> Text:
        speed = task.finished_speed or task.speed
        return Text(f"{speed:.1f}/s" if speed else "", style="progress.data.speed")


class Bar:
    """A progress bar on stderr; how many inputs there are is counted beside the work."""

    def __init__(self, listing: Listing, before: int) -> None:
        self._progress = Progress(
            TextColumn("{task.fields[errors]}"),
            BarColumn(),
            MofNCompleteColumn(),
            _Rate(),
            TimeElapsedColumn(),
            TimeRemainingColumn(),
            console=Console(stderr=True),
        )
        self._task = self._progress.add_task("", total=None, completed=before, errors="")
        self._errors = 0
        self._stopped = threading.Event()
        self._listing = listing

    def __enter__(self) -> Bar:
        self._progress.start()
        if self._progress.console.is_terminal:
            threading.Thread(target=self._count, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stopped.set()
        self._progress.stop()

    def line(self, line: Line) -> None:
        """One more."""
        self._errors += bool(line.code)
        self._progress.update(
            self._task, advance=1, errors=f"[red]{self._errors} errors[/]" if self._errors else ""
        )

    def _count(self) -> None:
        total = sum(1 for _ in itertools.takewhile(lambda job: not self._stopped.is_set(), self._listing))
        self._progress.update(self._task, total=total)
