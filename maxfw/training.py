"""What every `train.py` does around the training: options, measuring, `metrics.json`, the exit code."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

import msgspec

from maxfw.catalog import ModelFolder, load_beside, load_class
from maxfw.quality import Measured

METRICS = "metrics.json"


def run(
    folder: ModelFolder,
    train: Callable[[argparse.Namespace], object],
    *,
    what: str,
    seed: int = 1,
    numbers: Mapping[str, tuple[int, str]] | None = None,
) -> None:
    """Train a model and measure it, or only measure it, as the command line says; ends the program.

    `train` writes the weights into the folder `options.out`; `what` is said by `--help`; `numbers` are further options,
    by name a default and what it is. The exit code is 1 where a bar of the folder's `evaluate.py` is not reached.
    """
    options = _parser(folder, what, seed, numbers or {}).parse_args()
    if not options.evaluate:
        options.out.mkdir(parents=True, exist_ok=True)
        train(options)
    found: list[Measured] = load_beside(folder, "evaluate").evaluate(load_class(folder)(str(options.out)))
    for one in found:
        print(f"{one.what} ({one.data}): {one.value:.4f}, bar {one.bar:.4g}")
    if not options.evaluate:
        write_metrics(options.out / METRICS, found, seed=options.seed)
    sys.exit(any(not one.reached for one in found))


def write_metrics(path: Path, found: list[Measured], *, seed: int) -> None:
    """What was measured of weights that were trained with this seed, as JSON."""
    rounded = [msgspec.structs.replace(one, value=round(float(one.value), 4)) for one in found]
    content = {"seed": seed, "held_out": msgspec.to_builtins(rounded)}
    path.write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")


def _parser(
    folder: ModelFolder, what: str, seed: int, numbers: Mapping[str, tuple[int, str]]
) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog=f"maxfw train {folder.name}", description=what.split("\n\n")[0])
    parser.add_argument(
        "--out", type=Path, default=folder.path, help="folder of the weights (default: the model's)"
    )
    parser.add_argument("--seed", type=int, default=seed, help=f"seed of the training (default: {seed})")
    for name, (default, said) in numbers.items():
        parser.add_argument(f"--{name}", type=int, default=default, help=f"{said} (default: {default})")
    parser.add_argument("--evaluate", action="store_true", help="only measure the weights in --out")
    return parser
