"""`maxfw serve`: a model as a REST API."""

from __future__ import annotations

import logging
import os
import runpy
import sys
import typing
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click
import msgspec

from maxfw.catalog import DEFAULT_MODEL, ModelFolder, find, load_model
from maxfw.cli._ray import ray_options
from maxfw.deploy.ray import require_ray
from maxfw.deploy.ray.options import replicas_of
from maxfw.server import end_process, serve
from maxfw.settings import (
    Settings,
    check_tls,
    describe,
    environment_name,
    export,
    fields,
    inherited_descriptors,
    load_settings,
)
from maxfw.tasks.base import Task
from maxfw.web.app import create_app
from maxfw.workers import open_socket, supervise

# Enough to decode and encode on many cores; none waits for the model.
REQUEST_THREADS = 16

# Requests had their time to finish before; this is for a model that is about to return.
CLOSE_S = 1.0


def _settings_options(function: Callable[..., Any]) -> Callable[..., Any]:
    """An option for every setting; values are checked by the settings themselves."""
    for field in reversed(fields()):
        is_flag = isinstance(typing.cast(Any, field.type).type, msgspec.inspect.BoolType)
        default = "" if field.default in ("", False) else f"; default {field.default}"
        flag = field.name.replace("_", "-")
        option = click.option(
            f"--{flag}/--no-{flag}" if is_flag else f"--{flag}",
            field.name,
            default=None,
            metavar=None if is_flag else "VALUE",
            help=f"{describe(field.name)} [{environment_name(field.name)}{default}]",
        )
        function = option(function)
    return function


@click.command("serve")
@click.argument("model", default=DEFAULT_MODEL)
@ray_options(
    engine="Our own server, or Ray Serve, on as many machines as its cluster has.",
    replicas="1",
    as_many_as="the load asks for",
)
@_settings_options
def command(model: str, engine: str, replicas: str, address: str, **options: Any) -> None:
    """Serve MODEL (a name from `maxfw list`, or the path of a model folder) as a REST API.

    Repositories of the original Model Asset eXchange (a folder with an app.py) are served as they are.
    Every option can also be set by the environment variable shown with it.

    \b
    Examples:
      maxfw serve
      maxfw serve object_detector --port 8000 --workers 2
      maxfw serve ./my_model --host 0.0.0.0
      maxfw serve object_detector --engine ray --replicas auto
    """
    settings = load_settings(**options)
    check_tls(settings)
    folder = find(model)
    if engine == "ray":
        _serve_on_ray(folder, settings, replicas, address)
    elif settings.workers > 1 and inherited_descriptors() is None:
        supervise(settings, open_socket(settings))
    elif folder.is_old_style:
        _serve_old(folder, {**options, "host": settings.host})
    else:
        _serve_new(folder, settings)


def _serve_new(folder: ModelFolder, settings: Settings) -> None:
    logging.basicConfig(level=settings.log_level.upper(), format="%(levelname)s %(message)s")
    listener = open_socket(settings)  # a taken port is said before a model is loaded for minutes
    model = load_model(folder)
    app = create_app(model, settings)
    if inherited_descriptors() is None and model.task is not None:
        port = listener.getsockname()[1]
        url = f"{settings.scheme}://localhost:{port}"
        line = curl_line(model.task, url)
        click.echo(f"{folder.name} is loaded; when it listens, open {url}/app/ or try:\n  {line}")
    try:
        serve(app, settings, listener, threads=REQUEST_THREADS)
    finally:
        app.extensions["maxfw"].close(timeout_s=CLOSE_S)
    end_process()


def _serve_on_ray(folder: ModelFolder, settings: Settings, replicas: str, address: str) -> None:
    require_ray()
    from maxfw.deploy.ray.serving import serve_on_ray  # brings Ray

    serve_on_ray(folder, settings, replicas=replicas_of(replicas), address=address)


def _serve_old(folder: ModelFolder, options: dict[str, Any]) -> None:
    """Run the repository's own `app.py` as a program; its `run()` finds the settings in the environment."""
    export(**options)
    os.chdir(folder.path)
    sys.path.insert(0, str(folder.path))
    runpy.run_path(str(Path("app.py")), run_name="__main__")


def curl_line(task: Task, url: str) -> str:
    """A request to the server at `url` that works, to copy."""
    url += "/model/predict"
    if task.files:
        return f"curl -F {task.files[0].name}=@{task.files[0].example} {url}"
    body = msgspec.json.encode(task.sample().body).decode()
    return f"curl -H 'Content-Type: application/json' -d '{body}' {url}"
