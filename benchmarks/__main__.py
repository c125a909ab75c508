"""The command line of the benchmarks: `python -m benchmarks`, or `make bench ARGS=…`."""

from __future__ import annotations

import argparse
import sys
import time

from rich.console import Console

from benchmarks import report, results, scenarios
from benchmarks.compare import compare
from benchmarks.progress import Progress
from benchmarks.results import Comparison, Scenario
from benchmarks.servers import SERVERS

ALL, COMPARE, PAGE = "all", "compare", "page"


def main() -> None:
    """Run what was asked for; exit code 1 if something could not be measured or was answered wrongly."""
    options = _options()
    console = Console(width=None if sys.stdout.isatty() else 200)
    failed = False
    if options.what in (ALL, COMPARE):
        found = compare(
            rounds=1 if options.quick else options.rounds,
            seconds=1 if options.quick else options.seconds,
            quick=options.quick,
            seed=options.seed,
            names=options.servers,
            progress=Progress(console),
        )
        whole = not options.quick and not options.servers
        console.print(f"kept in {results.save('compare' if whole else 'compare-partly', found)}")
        report.show(console, found)
        failed = bool(found.failures)
    chosen = list(scenarios.ALL) if options.what == ALL and not options.quick else [options.what]
    for name in chosen:
        if name in scenarios.ALL:
            console.print(f"scenario: {name}")
            met = scenarios.ALL[name](options.times)
            results.save(name, met)
            report.show_bars(console, met.name, met.bars)
            failed |= not all(bar.met for bar in met.bars)
    if options.what in (ALL, PAGE) and not options.quick and not options.servers:
        kept = (results.load(name, Scenario) for name in scenarios.ALL)
        report.write_page(results.load("compare", Comparison), [one for one in kept if one is not None])
        console.print(f"written: {report.PAGE}, {report.PLOT}")
    sys.exit(1 if failed else 0)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description="maxfw beside its peers.")
    parser.add_argument(
        "what",
        nargs="?",
        default=ALL,
        choices=[ALL, COMPARE, *scenarios.ALL, PAGE],
        help="all (default); compare: the servers; page: write docs/benchmarks.md from what was kept; or a scenario",
    )
    parser.add_argument("--quick", action="store_true", help="one round of one-second slices; writes no page")
    parser.add_argument("--rounds", type=int, default=3, help="default 3")
    parser.add_argument("--seconds", type=int, default=2, help="of a slice, default 2")
    parser.add_argument("--seed", type=int, default=int(time.time()), help="of the order, default the time")
    parser.add_argument("--times", type=int, default=0, help="of a scenario: restarts, requests; 0: its own")
    parser.add_argument(
        "--servers", nargs="*", default=[], choices=list(SERVERS), metavar="SERVER", help="only these"
    )
    return parser.parse_args()


if __name__ == "__main__":
    main()
