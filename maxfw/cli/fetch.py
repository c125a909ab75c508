"""`maxfw fetch`: the files of a model, before they are needed."""

from __future__ import annotations

from pathlib import Path

import click

from maxfw.catalog import find
from maxfw.deploy.weights import fetch_all, store
from maxfw.errors import BadSetting
from maxfw.settings import load_settings


@click.command("fetch")
@click.argument("models", nargs=-1, required=True, metavar="MODEL…")
@click.option("--to", type=click.Path(path_type=Path), help="Copy them into this folder, a cache of its own.")
def command(models: tuple[str, ...], to: Path | None) -> None:
    """Download and verify the weights of each MODEL (a name or path), and the public files of its samples.

    They are put into the cache, so that the model starts without a network. A folder made with --to is used by
    setting MAXFW_ASSETS_DIR.

    \b
    Examples:
      maxfw fetch object_detector
      maxfw fetch object_detector ocr --to ./weights
    """
    settings = load_settings()
    if to is not None:
        try:
            to.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise BadSetting(f"--to {to}: {error.strerror}", hint="name a folder") from None
    for name in models:
        for asset, path in fetch_all(find(name), settings):
            click.echo(store(asset, path, to) if to is not None else path)
