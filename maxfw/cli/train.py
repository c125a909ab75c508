"""`maxfw train`: make a model's weights anew from its training data."""

from __future__ import annotations

import subprocess
import sys

import click

from maxfw.catalog import find
from maxfw.errors import BadModel


@click.command("train", context_settings={"ignore_unknown_options": True})
@click.argument("model")
@click.argument("options", nargs=-1, type=click.UNPROCESSED, metavar="OPTIONS...")
def command(model: str, options: tuple[str, ...]) -> None:
    """Train MODEL (a name or path) with its own train.py, which shows how far it is.

    It writes the weights and what was measured, metrics.json, into the model's folder, or into the one of --out. What
    follows the model goes to train.py; `--help` says what it takes. The exit code is its own: 1 below its bar.

    \b
    Examples:
      maxfw train name_generator
      maxfw train name_generator --out /tmp/names --seed 2
      maxfw train text_sentiment_classifier --evaluate
    """
    folder = find(model)
    script = folder.path / "train.py"
    if not script.is_file():
        raise BadModel(
            f"{folder.name} has no train.py: its weights were trained elsewhere",
            hint="its README says by whom, and from what",
        )
    done = subprocess.run([sys.executable, "-u", str(script), *options])
    raise click.exceptions.Exit(done.returncode)
