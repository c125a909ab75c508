"""`maxfw gallery`: a page with every model that is running."""

from __future__ import annotations

import json
import logging
import urllib.error
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from urllib.parse import urljoin

import click
import flask
from flask import Flask

from maxfw.client import Client
from maxfw.errors import AnswerError
from maxfw.server import end_process, serve
from maxfw.settings import Settings, load_settings
from maxfw.web.browser import PAGE_THREADS, STATIC, page_app
from maxfw.workers import open_socket

PATIENCE_S = 3.0
"""Seconds that a model may take to say what it is."""
MAX_AT_ONCE = 16
MAX_BYTES = 64 * 1024


@click.command("gallery")
@click.argument("urls", nargs=-1, required=True, metavar="URL…")
@click.option("--host", default=None, help="Address to listen on.  [127.0.0.1]")
@click.option("--port", default=None, type=int, help="Port to listen on.  [5080]")
def command(urls: tuple[str, ...], host: str | None, port: int | None) -> None:
    """Show the models that are running at each URL: task, state, playground and API.

    A URL is that of a model, or of a deployment that lists its models at URL/models.json.

    \b
    Examples:
      maxfw gallery http://localhost:5000 http://localhost:5001
      maxfw gallery http://localhost:8080
    """
    logging.basicConfig(level="WARNING", format="%(levelname)s %(message)s")
    settings = load_settings(defaults={"port": 5080}, host=host, port=port)
    listener = open_socket(settings)
    serve(gallery_app(urls, settings), settings, listener, threads=PAGE_THREADS)
    end_process()


def gallery_app(urls: tuple[str, ...], settings: Settings) -> Flask:
    """The page, and `/models.json`, for which every model is asked anew."""
    plain: set[str] = set()  # which list nothing: no need to ask again, every ten seconds for every visitor
    app = page_app("gallery", STATIC, settings, max_bytes=MAX_BYTES, index="gallery.html")

    @app.get("/models.json")
    def models() -> flask.Response:
        with ThreadPoolExecutor(MAX_AT_ONCE) as pool:
            listed = [
                entry for entries in pool.map(lambda url: listed_at(url, plain), urls) for entry in entries
            ]
            return flask.jsonify(list(pool.map(described, listed)))

    return app


def listed_at(url: str, plain: set[str]) -> list[dict[str, str]]:
    """What runs at a URL: the models of its list, or itself; a server that has no list is noted in `plain`."""
    home = url.rstrip("/") + "/" if "://" in url else f"http://{url.rstrip('/')}/"
    if home in plain:
        return [{"url": home}]
    try:
        with urllib.request.urlopen(home + "models.json", timeout=PATIENCE_S) as response:
            return [
                {key: urljoin(home, entry[key]) for key in ("url", "app") if key in entry}
                for entry in json.load(response)
            ]
    except urllib.error.HTTPError as error:
        error.close()
        if error.code in (401, 404):
            plain.add(home)
    except (OSError, ValueError, KeyError, TypeError):
        pass
    return [{"url": home}]


def described(entry: dict[str, str]) -> dict[str, Any]:
    """An entry of the list with the card and the state of its model."""
    with Client(entry["url"], timeout_s=PATIENCE_S, retries=0) as client:
        try:
            card = client.metadata()
            stated = {
                key: str(card[key])
                for key in ("name", "type", "task", "description", "license")
                if card.get(key)
            }
        except (AnswerError, AttributeError):
            return {**entry, "state": "away"}
        return {**entry, **stated, "state": _state(client)}


def _state(client: Client) -> str:
    try:
        return "ready" if client.health().get("status") == "ok" else "loading"
    except (AnswerError, AttributeError):
        return "ready"  # a service of 2019 has no health route, and it has just answered
