"""Object detector: a page that shows what a detection model sees, in pictures and through the camera."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any

import click
import flask
from flask import Flask

from maxfw.client import Client
from maxfw.errors import (
    AnswerError,
    BadInput,
    BadParameter,
    ModelAway,
    UnsupportedMedia,
)
from maxfw.media import recognise
from maxfw.server import end_process, serve
from maxfw.settings import Settings, check_tls, load_settings, or_exit
from maxfw.web.browser import PAGE_THREADS, in_own_words, page_app
from maxfw.workers import open_socket

STATIC = Path(__file__).with_name("static")
MAX_BYTES = 20_000_000
FORMATS = ("JPEG", "PNG", "WEBP")


def create_app(client: Client, settings: Settings) -> Flask:
    """The page and its three addresses, in front of the model that `client` asks."""
    app = page_app("object_detector", STATIC, settings, max_bytes=MAX_BYTES)

    @app.get("/api/model")
    def model() -> dict[str, Any]:
        """The card of the model and everything that it can find."""
        try:
            metadata = client.metadata()
            return {"name": str(metadata.get("name", "")), "labels": labels_of(client)}
        except AnswerError as error:
            raise in_own_words(error) from error

    @app.post("/api/detect")
    def detect() -> dict[str, Any]:
        """Everything the model finds in a picture, however unsure it is; the page filters."""
        try:
            answer = client.predict(image=uploaded_picture(), threshold=0)
            return {"predictions": [readable(found) for found in answer["predictions"]]}
        except AnswerError as error:
            raise in_own_words(error) from error
        except (BadParameter, LookupError, TypeError, ValueError) as error:
            logging.getLogger("maxfw").error("the model behind this page is no object detector: %s", error)
            raise ModelAway("The model behind this page does not detect objects.") from error

    return app


def labels_of(client: Client) -> list[dict[str, str]]:
    """What the model can name; nothing where it does not say."""
    try:
        labels = client.labels()["labels"]
        return [{"id": str(label["id"]), "name": str(label["name"])} for label in labels]
    except AnswerError as error:
        if error.status != 404:
            raise
        return []


def uploaded_picture() -> bytes:
    """The uploaded picture, which begins like one.

    Raises:
        BadInput: there is none.
        UnsupportedMedia: it is something else.
    """
    upload = flask.request.files.get("image")
    blob = upload.stream.read() if upload else b""
    if not blob:
        raise BadInput("No picture was sent.", hint="Choose a JPEG, PNG or WebP file.")
    if str(recognise(blob)).upper() not in FORMATS:
        raise UnsupportedMedia("This file is no JPEG, PNG or WebP picture.", hint="Choose another one.")
    return blob


def readable(found: Any) -> dict[str, Any]:
    """One finding, with exactly the fields that the page draws."""
    top, left, bottom, right = (float(edge) for edge in found["detection_box"])
    return {
        "label_id": str(found.get("label_id", found["label"])),
        "label": str(found["label"]),
        "probability": float(found["probability"]),
        "detection_box": [top, left, bottom, right],
    }


@click.command()
@click.option(
    "--model-url",
    default="http://localhost:5000",
    envvar="MODEL_URL",
    help="Where the model is served  [MODEL_URL]",
)
@click.option(
    "--api-key", envvar="MODEL_API_KEY", help="The model's key, if it asks for one  [MODEL_API_KEY]"
)
@click.option("--host", help="Address to listen on  [MAXFW_HOST; default 127.0.0.1]")
@click.option("--port", type=int, help="Port to listen on  [MAXFW_PORT; default 8090]")
def main(model_url: str, api_key: str | None, host: str | None, port: int | None) -> None:
    """Show in the browser what the object detector at MODEL_URL sees."""
    logging.basicConfig(level="WARNING", format="%(levelname)s %(message)s")
    with or_exit():
        settings = load_settings(defaults={"port": 8090}, host=host, port=port)
        check_tls(settings)
        listener = open_socket(settings)
    app = create_app(Client(model_url, api_key=api_key, retries=1), settings)
    serve(app, settings, listener, threads=PAGE_THREADS)
    end_process()


if __name__ == "__main__":
    main()
