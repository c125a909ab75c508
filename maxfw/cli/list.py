"""`maxfw list`: the zoo."""

from __future__ import annotations

import sys
from typing import Any

import click
import msgspec
from rich.console import Console
from rich.table import Table

from maxfw.assets import Asset, fetch, located
from maxfw.catalog import ModelFolder, card, load_class, models
from maxfw.model import MAXModelWrapper
from maxfw.settings import Settings, load_settings


@click.command("list")
@click.option("--json", "as_json", is_flag=True, help="For programs: a JSON list.")
def command(as_json: bool) -> None:
    """List the models of the zoo: task, licence, size, where the weights come from, whether they are here.

    \b
    Examples:
      maxfw list
      maxfw list --json
    """
    settings = load_settings()
    rows = [describe(folder, settings) for folder in models()]
    if as_json:
        click.echo(msgspec.json.encode(rows).decode())
        return
    table = Table("model", "task", "licence", "size", "weights from", "here")
    for row in rows:
        here = "yes" if row["here"] else "no"
        table.add_row(row["model"], row["task"], row["license"], row["size"], row["weights_from"], here)
    # Columns must survive a pipe, where rich would assume 80 characters.
    Console(width=None if sys.stdout.isatty() else 200).print(table)


def describe(folder: ModelFolder, settings: Settings) -> dict[str, Any]:
    """One row of the list."""
    model_class = load_class(folder)
    places = {asset.name: located(asset, settings) for asset in model_class.assets}
    hosts = sorted({asset.url.split("/")[2] for asset in model_class.assets})
    return {
        "model": folder.name,
        "task": model_class.task.name if model_class.task else "",
        "license": card(model_class)["license"],
        "size": _size(folder, model_class, settings),
        "weights_from": ", ".join(hosts) or "this package",
        "here": all(place != "download" for place in places.values()),
    }


def _size(folder: ModelFolder, model_class: type[MAXModelWrapper], settings: Settings) -> str:
    """Megabytes of the weights; of a file that is not here, what its asset states."""
    if model_class.assets:
        sizes = [_bytes(asset, settings) for asset in model_class.assets]
        if not all(sizes):
            return "?"
        total = sum(sizes)
    else:
        total = sum(file.stat().st_size for file in folder.path.iterdir() if file.suffix in WEIGHTS)
    return f"{total / 1e6:.1f} MB"


def _bytes(asset: Asset, settings: Settings) -> int:
    """The size of a file in bytes; 0 if it is not known."""
    if asset.size or located(asset, settings) == "download":
        return asset.size
    return fetch(asset, settings).stat().st_size


WEIGHTS = {".tflite", ".onnx", ".keras", ".h5", ".pb", ".pt2", ".safetensors", ".npz"}
