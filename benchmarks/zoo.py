"""What each model of the zoo costs: one picture, text or clip on one core, and how much of it is ours.

    python benchmarks/zoo.py [MODEL…] [--write]

Of a model's samples the one is taken of which it says most: a photo with faces for a model of faces. A photo is made a
JPEG of 640×480 pixels; other inputs are taken as they are. "Own" is the time inside the network, "ours" all the rest,
from the bytes of the upload to the bytes of the answer: decoding, resizing, boxes, JSON. Models whose framework is not
installed are left out.
Seconds are those of the processor, not of the clock, and the median of many rounds counts, because the machine is
shared; the ratio is what matters. With --write, the tables in the models' READMEs get the new numbers.
"""

from __future__ import annotations

import argparse
import io
import os
import re
import statistics
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, NamedTuple

from PIL import Image
from rich.console import Console
from rich.table import Table

from maxfw.catalog import ModelFolder, find, load_model, models
from maxfw.contract import Sample, samples_of
from maxfw.errors import MaxfwError, MissingExtra
from maxfw.model import MAXModelWrapper
from maxfw.model.parameters import bind, parameters_of
from maxfw.runtimes import Runtime
from maxfw.settings import Settings, load_settings
from maxfw.tasks.base import ImageTask, Inputs, Task, Upload

ROUNDS = 30
SECONDS = 10.0  # a model that is slow gets fewer rounds
PHOTO = (640, 480)
BAR = 0.25  # of the model's own time, for all that is ours

COLUMNS = ("model", "one, ms", "own, ms", "ours, ms", "ours / own", "batch", "items/s")


class Cost(NamedTuple):
    """Seconds for one input: all of it, and inside the network."""

    whole: float
    own: float


class Row(NamedTuple):
    """The cost of a model: median of single inputs, and inputs a second in batches of `batch`."""

    name: str
    one: Cost
    batch: int
    per_second: float

    @property
    def share(self) -> float:
        """Our time in parts of the model's own."""
        return (self.one.whole - self.one.own) / self.one.own

    def cells(self) -> list[str]:
        """The row as it is printed."""
        whole, own = self.one.whole * 1000, self.one.own * 1000
        numbers = [f"{whole:.1f}", f"{own:.1f}", f"{whole - own:.1f}", f"{self.share:.0%}"]
        return [self.name, *numbers, str(self.batch), f"{self.per_second:.1f}"]


class Stopwatch:
    """Adds up the time spent in networks, which is in `Runtime.run`, whichever framework it is."""

    def __init__(self) -> None:
        self.seconds = 0.0
        self._running = False

    def timed(self, function: Callable[..., Any]) -> Callable[..., Any]:
        """The function, its time added; a call inside another counts once."""

        def call(*arguments: Any, **named: Any) -> Any:
            if self._running:
                return function(*arguments, **named)
            self._running, started = True, time.process_time()
            try:
                return function(*arguments, **named)
            finally:
                self.seconds += time.process_time() - started
                self._running = False

        return call

    @contextmanager
    def on_networks(self) -> Iterator[None]:
        """Within it, networks are timed, whichever hook runs them."""
        plain = Runtime.run
        Runtime.run = self.timed(plain)  # type: ignore[method-assign]
        try:
            yield
        finally:
            Runtime.run = plain  # type: ignore[method-assign]


class Line:
    """The straight line of a request through a model, without threads: bytes in, bytes out."""

    def __init__(
        self, model: MAXModelWrapper, inputs: Inputs, parameters: Mapping[str, Any], settings: Settings
    ) -> None:
        assert model.task is not None
        self.model, self.task, self.settings = model, model.task, settings
        self.inputs = inputs
        self.arguments = bind(parameters_of(type(model)), parameters)
        self.watch = Stopwatch()

    def cost(self, requests: int = 1) -> Cost:
        """Seconds for this many requests that are answered together."""
        self.watch.seconds = 0.0
        started = time.process_time()
        items = [self.task.read(self.inputs, self.settings) for _ in range(requests)]
        pre, post = self.arguments["_pre_process"], self.arguments["_post_process"]
        prepared = [self.model._pre_process(item, **pre) for request in items for item in request]
        before = time.process_time()
        results = self.model._predict_batch(prepared, **self.arguments["_predict_batch"])
        in_model = time.process_time() - before
        outcomes = [self.model._post_process(result, **post) for result in results]
        size = len(items[0])
        for index, request in enumerate(items):
            answer = self.task.write(request, outcomes[index * size : (index + 1) * size], self.model.labels)
            self.task.encode(answer)
        whole = time.process_time() - started
        # A model that runs its network in a way of its own: then `_predict_batch` stands for it.
        return Cost(whole, self.watch.seconds or in_model)


def measure(folder: ModelFolder, settings: Settings) -> Row:
    """A model's costs on the core that this process has.

    Raises:
        MissingExtra: its framework is not installed.
    """
    model = load_model(folder)
    assert model.task is not None
    samples = samples_of(folder, model.task, settings)
    samples = samples or [Sample("", model.task.sample(), {}, {}, {})]
    sample = max(samples, key=lambda sample: len(str(sample.answer)))
    line = Line(model, prepared(sample.inputs, model.task), sample.parameters, settings)
    batch = model.max_batch_size
    with line.watch.on_networks():
        singles = list(repeated(line.cost))
        batches = list(repeated(lambda: line.cost(batch))) if batch > 1 else singles
    one = Cost(*(statistics.median(part) for part in zip(*singles, strict=True)))
    return Row(folder.name, one, batch, batch / statistics.median(cost.whole for cost in batches))


def repeated(run: Callable[[], Cost]) -> Iterator[Cost]:
    """What the runs after the first cost."""
    run()
    started = time.process_time()
    for done in range(ROUNDS):
        if done >= 3 and time.process_time() - started > SECONDS:
            return
        yield run()


def prepared(inputs: Inputs, task: Task) -> Inputs:
    """A photo as a JPEG of 640×480 pixels; everything else as it is."""
    if not isinstance(task, ImageTask):
        return inputs
    file = io.BytesIO()
    photo = Image.open(io.BytesIO(inputs.files["image"].blob)).convert("RGB")
    photo.resize(PHOTO, Image.Resampling.LANCZOS).save(file, "JPEG", quality=90)
    return Inputs(files={**inputs.files, "image": Upload(file.getvalue(), "photo.jpg", "image/jpeg")})


README_TABLE = re.compile(r"(\| a 640×480 JPEG, one core \|.*\n\|[-:|]+\|\n).*\n")


def write(folder: ModelFolder, row: Row) -> bool:
    """Put a row into the table of the model's README → whether there is one."""
    readme = folder.path / "README.md"
    text = readme.read_text(encoding="utf-8")
    whole, own, ours, share = row.cells()[1:5]
    cells = f"| {whole} ms | {own} ms | {ours} ms | {share} | {row.per_second:.1f} |\n"
    new, found = README_TABLE.subn(lambda table: table[1] + cells, text)
    readme.write_text(new, encoding="utf-8")
    return bool(found)


def markdown(rows: list[Row]) -> str:
    """The rows as a Markdown table."""
    lines = [list(COLUMNS), ["---", *["---:"] * (len(COLUMNS) - 1)], *(row.cells() for row in rows)]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def main() -> None:
    """Measure the models named, or all, and print what they cost."""
    parser = argparse.ArgumentParser(description=str(__doc__).partition("\n")[0])
    parser.add_argument("models", nargs="*", help="names of models; by default all of the zoo")
    parser.add_argument("--write", action="store_true", help="write the numbers into the READMEs, too")
    options = parser.parse_args()
    console, settings, rows = Console(width=110), load_settings(), []
    if hasattr(os, "sched_setaffinity"):  # not on macOS and Windows
        os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})
    folders = [find(name) for name in options.models] or models()
    for folder in folders:
        print(f"measuring {folder.name}", file=sys.stderr)  # a progress bar would take time of the same core
        try:
            rows.append(measure(folder, settings))
            if options.write and not write(folder, rows[-1]):
                print(f"{folder.name}: its README has no table of this", file=sys.stderr)
        except MissingExtra as error:
            console.print(f"left out {folder.name}: {error.message}")
        except MaxfwError as error:
            console.print(f"cannot measure {folder.name}: {error.message}")
    table = Table()
    for column in COLUMNS:
        table.add_column(column, no_wrap=True, justify="left" if column == "model" else "right")
    for row in rows:
        table.add_row(*row.cells(), style="" if row.share <= BAR else "yellow")
    console.print(table)
    console.print(f"yellow: ours is more than {BAR:.0%} of the model's own time")
    print(markdown(rows))


if __name__ == "__main__":
    main()
