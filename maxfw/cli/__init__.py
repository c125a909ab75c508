"""The command line: one command per file, named as the file."""

from __future__ import annotations

import importlib
import os
import pkgutil
import sys
from typing import Any

import click

import maxfw
from maxfw.errors import MaxfwError, one_line


class CommandFolder(click.Group):
    """A group whose commands are the modules of this package, imported when they are asked for."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return sorted(
            module.name for module in pkgutil.iter_modules(__path__) if not module.name.startswith("_")
        )

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in self.list_commands(ctx):
            return None
        command: click.Command = importlib.import_module(f"{__name__}.{cmd_name}").command
        return command

    def main(self, *args: Any, **kwargs: Any) -> Any:
        """Run the command line; whatever was closed of stdin, stdout and stderr is /dev/null."""
        # Or the next file that is opened would take its number, and with it all that goes there.
        for number in range(3):
            try:
                os.fstat(number)
            except OSError:
                os.open(os.devnull, os.O_RDWR)
        return super().main(*args, **kwargs)

    def invoke(self, ctx: click.Context) -> Any:
        """Run a command; an error of ours is one line on stderr and exit code 2."""
        try:
            return super().invoke(ctx)
        except MaxfwError as error:
            click.echo(one_line(error), err=True)
            sys.exit(2)


@click.group(cls=CommandFolder, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(maxfw.__version__, prog_name="maxfw")
def main() -> None:
    """Serve, try and test deep-learning models through one standardized REST API.

    \b
    Examples:
      maxfw list                                   what is in the zoo
      maxfw serve                                  serve the default model on port 5000
      maxfw predict object_detector photo.jpg      ask a model without a server
      maxfw new my_model --task object-detection   start a model of your own
      maxfw test my_model                          check that it keeps the contract
    """
