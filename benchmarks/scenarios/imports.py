"""What maxfw adds to the start of a process: seconds and memory over the libraries that it stands on."""

from __future__ import annotations

import os
import subprocess
import sys

from benchmarks.ratios import differences, ratios
from benchmarks.results import Bar, Scenario, place
from benchmarks.servers import ROOT

ROUNDS = 10

# The core dependencies that each door stands on.
LIBRARIES = "import flask, flask_restx, flask_cors, werkzeug, msgspec, numpy, PIL.Image"
OURS = {
    "import maxfw.web.app": LIBRARIES,
    "import maxfw.core": LIBRARIES,
    "import maxfw.server": LIBRARIES + ", granian.server.embed",
    "import maxfw.model": "import msgspec, numpy, PIL.Image",
    "import maxfw.client": "import msgspec",
}
MOST_S, MOST_MB = 0.5, 60.0

PROGRAM = """
import resource, sys, time
started = time.process_time()
{statement}
spent = time.process_time() - started
print(spent, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
"""

TOLD = """\
Each statement runs in fresh processes, ours and the bare libraries' in turn; seconds are those of the processor.
"""


def imports(times: int) -> Scenario:
    """Seconds and megabytes that each door of the package adds to its libraries."""
    where, bars = place(), []
    for ours, libraries in OURS.items():
        pairs = [(measure(ours), measure(libraries)) for _ in range(times or ROUNDS)]
        mine, theirs = (dict(enumerate(pair[side] for pair in pairs)) for side in (0, 1))
        seconds = [{turn: found[0] for turn, found in one.items()} for one in (mine, theirs)]
        memory = [{turn: found[1] for turn, found in one.items()} for one in (mine, theirs)]
        added, megabytes, by = differences(*seconds), differences(*memory), ratios(*seconds)
        bars.append(
            Bar(
                f"`{ours}`: CPU over its libraries",
                f"≤ {MOST_S:g} s",
                f"{added.text(3, ' s')}, {by.median:.2f} × theirs",
                added.median <= MOST_S,
            )
        )
        text, met = megabytes.text(1, " MB"), megabytes.median <= MOST_MB
        bars.append(Bar(f"`{ours}`: memory over its libraries", f"≤ {MOST_MB:.0f} MB", text, met))
    return Scenario("Imports", where, TOLD, bars)


def measure(statement: str) -> tuple[float, float]:
    """A statement in a fresh process → CPU seconds it takes, megabytes the process has afterwards."""
    run = subprocess.run(
        [sys.executable, "-c", PROGRAM.format(statement=statement)],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=True,
    )
    seconds, kilobytes = run.stdout.split()
    return float(seconds), float(kilobytes) / 1000
