"""`maxfw predict --out`: a job over many inputs, with its progress and its summary."""

from __future__ import annotations

import hashlib
import itertools
import os
import threading
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

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

from maxfw.catalog import ModelFolder, card, load_class, load_model
from maxfw.deploy.ray import connected, require_ray
from maxfw.deploy.ray.options import Replicas, replicas_of
from maxfw.drawing import require_drawing
from maxfw.errors import BadParameter, MaxfwError
from maxfw.model import MAXModelWrapper
from maxfw.model.parameters import bind, convert, parameters_of
from maxfw.offline import Answering, Job, Listing, Order, Results, Summary, run
from maxfw.offline.answering import Line, make_folder, settings_for_jobs
from maxfw.offline.job import EndNow
from maxfw.predictor import Predictor
from maxfw.settings import Settings, load_settings, set_unless_set
from maxfw.tasks.base import read_file

SHARE_KEPT = ("RAY_DATA_AUTOSCALING_REQUEST_EXPIRE_TIME_S", "30")
"""Seconds for which Ray keeps the share of a job that was killed; by default it is three minutes, at half the speed."""


def run_job(
    folder: ModelFolder,
    words: Sequence[str],
    parameters: dict[str, str],
    *,
    out: Path,
    save_images: Path | None,
    engine: str,
    replicas: str,
    address: str,
) -> None:
    """Answer all inputs that these words stand for, into a file.

    Raises:
        MaxfwError: it cannot begin, or not go on.
    """
    settings = settings_for_jobs(load_settings())
    model_class = load_class(folder)
    if engine == "ray":
        require_ray()
    values = _checked(model_class, parameters)
    listing = Listing.of(words, model_class, settings, skipped=_own(out, save_images))
    asked = {"model": card(model_class)["id"], "inputs": listing.words, "parameters": values}
    order = Order.of(asked, listing.lists, save_images)
    if save_images is not None:
        assert model_class.task is not None
        require_drawing(model_class.task)
        make_folder(save_images)
    results = Results(out, order)
    try:
        before, jobs = results.continue_behind(listing)
        _tell_of_pictures(before, order, results)
        with Bar(listing, before) as bar:
            if engine == "ray":
                job = RayJob(folder, settings, parameters, save_images, replicas_of(replicas), address)
                summary = job.run(listing, results, before, bar.line)
            else:
                summary = _run_here(folder, settings, parameters, save_images, results, jobs, before, bar)
    except KeyboardInterrupt as interrupt:
        click.echo("stopped; the same command goes on from here", err=True)
        if isinstance(interrupt, EndNow):
            os._exit(1)  # a thread that is with the model cannot be ended in any other way
        raise
    finally:
        results.close()
    show_summary(summary, out)
    if not summary.answered + results.answered_before:
        raise click.exceptions.Exit(1)


def _own(out: Path, save_images: Path | None) -> list[Path]:
    """What the job writes."""
    written = [out, out.parent / f"{out.name}.job"]
    return written if save_images is None else [*written, save_images]


def _tell_of_pictures(before: int, order: Order, results: Results) -> None:
    """Lines that were written without this folder stay without pictures."""
    if not before or order.save_images in ("", results.order.save_images):
        return
    told = f"of the {before} lines that were there, those written without this --save-images are not drawn"
    click.echo(f"{told}; for pictures of all, name another file with --out", err=True)


def _run_here(
    folder: ModelFolder,
    settings: Settings,
    parameters: dict[str, str],
    save_images: Path | None,
    results: Results,
    jobs: Iterator[Job],
    before: int,
    bar: Bar,
) -> Summary:
    predictor = Predictor(load_model(folder), settings)
    try:
        answering = Answering(predictor, parameters, save_images=save_images)
        summary = run(answering, results, jobs, before=before, on_line=bar.line, on_interrupt=bar.stopping)
    except EndNow:
        raise
    except BaseException:
        predictor.close()
        raise
    predictor.close()
    return summary


class RayJob(NamedTuple):
    """What a job on a cluster is told."""

    folder: ModelFolder
    settings: Settings
    parameters: dict[str, str]
    save_images: Path | None
    replicas: Replicas
    address: str

    def run(
        self, listing: Listing, results: Results, before: int, on_line: Callable[[Line], None]
    ) -> Summary:
        """Answer what is left, on the cluster at the address or on one that is started here."""
        set_unless_set(*SHARE_KEPT)
        from maxfw.offline.on_ray import Where, run_on_ray  # brings Ray

        model_class = load_class(self.folder)
        where = Where(
            model=str(self.folder.path),
            settings=self.settings,
            values=self.parameters,
            save_images=str(self.save_images.absolute()) if self.save_images else "",
            cpus=model_class.cpus,
            gpus=model_class.gpus,
            actors=0 if self.replicas == "auto" else self.replicas,
        )
        with connected(self.address):
            return run_on_ray(where, listing.absolute(), results, before=before, on_line=on_line)


def _checked(model_class: type[MAXModelWrapper], parameters: dict[str, str]) -> dict[str, Any]:
    """What parameters mean, however they are written; of a picture its SHA-256.

    Says now what would be wrong with every line; that one is missing may be each line's own affair.
    """
    declared = {parameter.name: parameter for parameter in parameters_of(model_class)}
    pictures = {
        name: "sha256:" + hashlib.sha256(read_file(path).blob).hexdigest()
        for name, path in parameters.items()
        if name in declared and declared[name].is_picture
    }
    others = {name: value for name, value in parameters.items() if name not in pictures}
    try:
        bind([parameter for parameter in declared.values() if not parameter.is_picture], others)
    except BadParameter as error:
        if any(name in error.message for name in parameters):
            raise
    return {**{name: convert(declared[name], value) for name, value in others.items()}, **pictures}


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

    def stopping(self) -> None:
        """The first Ctrl-C."""
        told = "stopping when what was begun is answered; Ctrl-C again ends it at once"
        self._progress.console.print(told, style="yellow")

    def _count(self) -> None:
        """How many inputs there are; if nobody can say, the job itself will say why."""
        try:
            total = sum(1 for _ in itertools.takewhile(lambda job: not self._stopped.is_set(), self._listing))
        except MaxfwError:
            return
        self._progress.update(self._task, total=total)
