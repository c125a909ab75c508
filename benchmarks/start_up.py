"""What maxfw adds to the start of a process: seconds and memory over the libraries that it stands on.

    python benchmarks/start_up.py

Each statement runs in fresh processes, ours and the bare libraries' in turn, because the machine is shared; what
counts is the ratio.
"""

from __future__ import annotations

import statistics
import subprocess
import sys

ROUNDS = 15

# The core dependencies that each door stands on.
LIBRARIES = "import flask, flask_restx, flask_cors, werkzeug, msgspec, numpy, PIL.Image"
OURS = {
    "import maxfw.web.app": LIBRARIES,
    "import maxfw.core": LIBRARIES,
    "import maxfw.server": LIBRARIES + ", granian.server.embed",
    "import maxfw.model": "import msgspec, numpy, PIL.Image",
    "import maxfw.client": "import msgspec",
}

PROGRAM = """
import resource, sys, time
started = time.process_time()
{statement}
spent = time.process_time() - started
print(spent, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
"""


def measure(statement: str) -> tuple[float, float]:
    """A statement in a fresh process → CPU seconds it takes, megabytes the process has afterwards."""
    program = PROGRAM.format(statement=statement)
    run = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    seconds, kilobytes = run.stdout.split()
    return float(seconds), float(kilobytes) / 1000


def main() -> None:
    """Print a line for each door of the package."""
    print(f"median of {ROUNDS} rounds, CPU    ours      libraries   ratio (min–max)   memory over them")
    for ours, libraries in OURS.items():
        pairs = [(measure(ours), measure(libraries)) for _ in range(ROUNDS)]
        mine = statistics.median(pair[0][0] for pair in pairs)
        theirs = statistics.median(pair[1][0] for pair in pairs)
        ratios = sorted(pair[0][0] / pair[1][0] for pair in pairs)
        memory = statistics.median(pair[0][1] - pair[1][1] for pair in pairs)
        print(
            f"{ours:24} {mine * 1000:7.0f} ms {theirs * 1000:9.0f} ms   {mine / theirs:5.2f} "
            f"({ratios[0]:.2f}–{ratios[-1]:.2f})   {memory:+7.1f} MB"
        )


if __name__ == "__main__":
    main()
