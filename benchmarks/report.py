"""What was found as tables in the terminal, as Markdown between the markers of `docs/benchmarks.md`, and as a plot."""

from __future__ import annotations

import re
import statistics
from collections.abc import Iterable, Sequence

from rich.console import Console
from rich.table import Table

from benchmarks import bars as barred
from benchmarks.compare import BARE, COMPARED
from benchmarks.ratios import ratios
from benchmarks.results import Bar, Comparison, Place, Scenario
from benchmarks.servers import OURS, ROOT, SERVERS, WORKERS

PAGE = ROOT / "docs/benchmarks.md"
PLOT = ROOT / "docs/pictures/benchmarks.png"
TITLES = {
    "noop": "No-op JSON",
    "image": "JPEG of 640×480 pixels → MobileNet",
    "image12": "JPEG of 12 megapixels → MobileNet",
    "batch": "A network that gains from batches",
}
BUSY = 0.05  # of the machine taken by others, above which a slice is no good measurement

Rows = list[list[str]]


def tables(found: Comparison) -> list[tuple[str, Rows]]:
    """Title and rows, the first one the heads, of every table of a comparison."""
    made = []
    for task, title in TITLES.items():
        made.append((f"{title}: right answers a second", _rates(found, task)))
        made.append((f"{title}: latency in ms, median / 99 %", _latencies(found, task)))
    made += [("The loop in process", _loops(found)), ("Idle, with the no-op", _idle(found))]
    return [(title, rows) for title, rows in made if len(rows) > 1]


def _counts(found: Comparison, task: str) -> list[int]:
    return sorted({one.connections for one in found.slices if one.task == task})


def _names(found: Comparison, task: str) -> list[str]:
    measured = {one.server for one in found.slices if one.task == task}
    return [name for name in COMPARED[task] if name in measured]


def _rates(found: Comparison, task: str) -> Rows:
    counts = _counts(found, task)
    heads = ["server"]
    for count in counts:
        heads += [f"c={count}", "maxfw by it (min–max)"]
    rows = [[*heads, "server's CPU, ms a request"]]
    for name in _names(found, task):
        row = [SERVERS[name].title]
        for count in counts:
            row += [_median(barred.rate(found, task, name, count), 0), _ours_by(found, task, name, count)]
        cpu = barred.server_cpu_us(found, task, name, counts[min(1, len(counts) - 1)])
        rows.append([*row, _median({turn: us / 1000 for turn, us in cpu.items()}, 2)])
    return rows


def _latencies(found: Comparison, task: str) -> Rows:
    counts = _counts(found, task)
    rows = [["server", *(f"c={count}" for count in counts)]]
    for name in _names(found, task):
        row = [SERVERS[name].title]
        for count in counts:
            late = barred.late(found, task, name, count)
            row.append(f"{_median(barred.latency(found, task, name, count), 2)} / {_median(late, 1)}")
        rows.append(row)
    return rows


def _median(values: dict[int, float], digits: int) -> str:
    return f"{statistics.median(values.values()):,.{digits}f}" if values else "–"


def _ours_by(found: Comparison, task: str, name: str, count: int) -> str:
    mine, theirs = (barred.rate(found, task, server, count) for server in (OURS, name))
    if name == OURS or not mine.keys() & theirs.keys():
        return ""
    return ratios(mine, theirs).text()


def _loops(found: Comparison) -> Rows:
    rows = [["task", "processes", "batch", "inputs a second", "ms a batch"]]
    kinds = sorted({(one.task, one.processes, one.batch) for one in found.limits})
    for task, processes, batch in kinds:
        same = [
            one for one in found.limits if (one.task, one.processes, one.batch) == (task, processes, batch)
        ]
        rate = statistics.median(one.inputs_s for one in same)
        time = statistics.median(one.batch_ms for one in same)
        rows.append([TITLES[task], str(processes), str(batch), f"{rate:,.0f}", f"{time:.2f}"])
    return rows


def _idle(found: Comparison) -> Rows:
    rows = [["server", "first answer after, s", "memory (PSS), MB", "processor idle, % of a core"]]
    for name in (*COMPARED["noop"], BARE):
        kind = "start-up" if name == BARE else "noop"
        same = [one for one in found.starts if one.server == name and one.task == kind]
        if not same:
            continue
        idle = [one.idle_share * 100 for one in same if one.idle_share is not None]
        rows.append(
            [
                SERVERS[name].title if name in SERVERS else f"{name}: MobileNet alone, one process",
                f"{statistics.median(one.cold_start_s for one in same):.2f}",
                f"{statistics.median(one.memory_mb for one in same):.0f}",
                f"{statistics.median(idle):.2f}" if idle else "",
            ]
        )
    return rows


def bar_rows(bars: Iterable[Bar]) -> Rows:
    """Bars as rows."""
    return [
        ["what", "required", "found: median (min–max)", "met"],
        *([bar.what, bar.required, bar.found, "yes" if bar.met else "**no**"] for bar in bars),
    ]


def show(console: Console, found: Comparison) -> None:
    """A comparison in the terminal."""
    for title, rows in tables(found):
        _print(console, title, rows)
    show_bars(console, "bars", barred.bars(found))
    for text in warnings(found):
        console.print(text, style="yellow", markup=False)


def show_bars(console: Console, title: str, bars: Sequence[Bar]) -> None:
    """Bars in the terminal."""
    _print(console, title, [[cell.strip("*") for cell in row] for row in bar_rows(bars)])


def warnings(found: Comparison) -> list[str]:
    """What makes the numbers less good, in plain words."""
    said = list(found.failures)
    busy = [one for one in found.slices if one.others_share > BUSY]
    if busy:
        said.append(
            f"In {len(busy)} of {len(found.slices)} slices others took more than {BUSY:.0%} of the processors, "
            f"{max(one.others_share for one in busy):.0%} at most."
        )
    return said


def _print(console: Console, title: str, rows: Rows) -> None:
    table = Table(title=title, title_justify="left")
    for number, head in enumerate(rows[0]):
        table.add_column(head, justify="left" if number == 0 else "right")
    for row in rows[1:]:
        table.add_row(*row, style="red" if row[-1] == "no" else "")
    console.print(table)


def markdown(rows: Rows) -> str:
    """Rows as a Markdown table."""
    lines = [rows[0], ["---", *["---:"] * (len(rows[0]) - 1)], *rows[1:]]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def _where(place: Place) -> str:
    versions = ", ".join(f"{name} {number}" for name, number in place.versions.items())
    return (
        f"{place.when}, maxfw at `{place.commit}`.\n"
        f"{place.processor}, {place.cpus} cores, {place.memory_gb:.0f} GB, {place.system}, Python {place.python}; "
        f"load average before the run {place.load_average:.2f}.\n"
        f"{versions}.\n"
    )


def write_page(found: Comparison | None, scenarios: Sequence[Scenario]) -> None:
    """Put the numbers between the markers of the page, and draw the plot."""
    page = PAGE.read_text(encoding="utf-8")
    if found is not None:
        picture = f"![Latency over throughput](pictures/{PLOT.name})\n"
        parts = [_where(found.place), picture, "### The bars\n", markdown(bar_rows(barred.bars(found)))]
        for title, rows in tables(found):
            parts += [f"\n### {title}\n", markdown(rows)]
        parts += [f"\n{text}" for text in warnings(found)]
        page = _between("comparison", page, "\n".join(parts))
        draw(found)
    if scenarios:
        parts = [
            f"### {one.name}\n\n{one.told}\n{one.place.when}, maxfw at `{one.place.commit}`, "
            f"load average {one.place.load_average:.2f}.\n\n{markdown(bar_rows(one.bars))}\n"
            for one in scenarios
        ]
        page = _between("scenarios", page, "\n".join(parts))
    PAGE.write_text(page, encoding="utf-8")


def _between(name: str, page: str, text: str) -> str:
    marks = re.compile(rf"(<!-- {name} -->\n).*?(\n<!-- /{name} -->)", re.DOTALL)
    if not marks.search(page):
        raise ValueError(f"{PAGE} has no markers <!-- {name} --> and <!-- /{name} -->")
    return marks.sub(lambda match: match[1] + text.strip() + match[2], page)


def draw(found: Comparison) -> None:
    """Latency over throughput, one line for each server, one picture for each task."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    shown = [task for task in ("noop", "image", "batch") if any(one.task == task for one in found.slices)]
    figure, panels = pyplot.subplots(1, len(shown), figsize=(5 * len(shown), 5), squeeze=False)
    colours = {name: pyplot.get_cmap("tab10")(number) for number, name in enumerate(SERVERS)}
    for panel, task in zip(panels[0], shown, strict=True):
        for name in COMPARED[task]:
            points = _points(found, task, name)
            panel.plot(
                *zip(*points, strict=True) if points else ([], []),
                marker="o",
                linewidth=3 if name == OURS else 1.2,
                color="black" if name == OURS else colours[name],
                label=SERVERS[name].title,
            )
        limit = barred.loop_rate(found, task)
        if limit:
            panel.axvline(
                statistics.median(limit.values()), color="grey", linestyle=":", label="loop in process"
            )
        panel.set(title=TITLES[task], xlabel="right answers a second", yscale="log", xlim=(0, None))
    panels[0][0].set_ylabel("median latency, ms")
    handles = {
        label: handle
        for panel in panels[0]
        for handle, label in zip(*panel.get_legend_handles_labels(), strict=True)
    }
    figure.legend(handles.values(), handles.keys(), loc="lower center", ncols=5, frameon=False, fontsize=9)
    figure.suptitle(f"{WORKERS} workers; each line goes through growing numbers of connections", fontsize=10)
    figure.tight_layout(rect=(0, 0.1, 1, 1))
    PLOT.parent.mkdir(exist_ok=True)
    figure.savefig(PLOT, dpi=110)
    pyplot.close(figure)


def _points(found: Comparison, task: str, name: str) -> list[tuple[float, float]]:
    """Throughput and latency by number of connections, each the median of the rounds."""
    counts = sorted({one.connections for one in found.slices if one.task == task and one.server == name})
    return [
        (
            statistics.median(barred.rate(found, task, name, count).values()),
            statistics.median(barred.latency(found, task, name, count).values()),
        )
        for count in counts
    ]
