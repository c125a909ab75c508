"""The options of commands that can do their work on a Ray cluster."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import click


def ray_options(
    *, engine: str, replicas: str, as_many_as: str
) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """`--engine`, `--replicas` and `--address`: what the engines are, how many replicas there are if nobody says, and what `auto` means."""

    def add(function: Callable[..., Any]) -> Callable[..., Any]:
        for option in (
            click.option(
                "--address", default="", help="Ray: the cluster to use, e.g. auto; none: one is started here."
            ),
            click.option(
                "--replicas",
                default=replicas,
                help=f"Ray: copies of the model, or auto, as many as {as_many_as}.",
            ),
            click.option(
                "--engine", type=click.Choice(["own", "ray"]), default="own", show_default=True, help=engine
            ),
        ):
            function = option(function)
        return function

    return add
