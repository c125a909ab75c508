"""Measure the models of the zoo on held-out data and write `docs/quality.md`.

    python docs/evaluate.py [MODEL…]

Models whose framework or data is not here keep the lines that they have. The exit code is 1 if a bar is not reached.
"""

from __future__ import annotations

import sys
from pathlib import Path

from maxfw.catalog import find
from maxfw.errors import SetupError, one_line
from maxfw.quality import Measured, evaluated, measure, renewed

PAGE = Path(__file__).parent / "quality.md"
START, END = "<!-- quality -->", "<!-- /quality -->"
HEAD = ["| model | what | measured on | value | bar | reached |", "| --- | --- | --- | --- | --- | --- |"]


def main(names: list[str]) -> bool:
    """Measure the models of these names, or all; whether every bar was reached."""
    measured: dict[str, list[Measured]] = {}
    for folder in [find(name) for name in names] or evaluated():
        print(f"{folder.name} …", flush=True)
        try:
            measured[folder.name] = measure(folder)
        except SetupError as error:
            print(f"  not measured: {one_line(error)}")
            continue
        for one in measured[folder.name]:
            said = "" if one.reached else "  BELOW THE BAR"
            print(f"  {one.what} ({one.data}): {one.value:.4f}, bar {one.bar:.4g}{said}", flush=True)
    before, _, rest = PAGE.read_text(encoding="utf-8").partition(START)
    table, _, after = rest.partition(END)
    lines = [*HEAD, *renewed(table.splitlines(), measured)]
    PAGE.write_text(f"{before}{START}\n" + "\n".join(lines) + f"\n{END}{after}", encoding="utf-8")
    return all(one.reached for found in measured.values() for one in found)


if __name__ == "__main__":
    sys.exit(not main(sys.argv[1:]))
