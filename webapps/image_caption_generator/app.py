"""Image caption generator: a gallery whose photos a model describes, and the words it uses."""

from __future__ import annotations

import logging
import secrets
from pathlib import Path
from typing import Any

import click
import flask
from captioner import Captioner
from flask import Flask, Response
from itsdangerous import BadSignature, Signer
from photos import SIDES, Photo, Shelf

from maxfw.client import Client
from maxfw.errors import BadInput, ForeignRequest, MaxfwError, NotFound, one_line
from maxfw.server import end_process, serve
from maxfw.settings import Settings, check_tls, load_settings, or_exit
from maxfw.web.browser import PAGE_THREADS, file_answer, page_app
from maxfw.workers import open_socket

STATIC = Path(__file__).with_name("static")
MAX_BYTES = 20_000_000
COOKIE = "max_owner"
COOKIE_S = 30 * 24 * 3600


def create_app(shelf: Shelf, captioner: Captioner, settings: Settings) -> Flask:
    """The page and its addresses, over the photos of a shelf."""
    app = page_app("image_caption_generator", STATIC, settings, max_bytes=MAX_BYTES)
    signer = Signer(shelf.secret(), salt=COOKIE)
    app.after_request(lambda response: _remember(response, signer))

    @app.get("/api/photos")
    def photos() -> dict[str, Any]:
        owner = owner_of(signer)
        return {"photos": [shown(photo, owner) for photo in shelf.visible_to(owner)]}

    @app.post("/api/photos")
    def upload() -> tuple[dict[str, Any], int]:
        owner = owner_of(signer)
        if not owner:
            raise ForeignRequest("Open the page before you upload.", hint="It needs its cookie.")
        file = flask.request.files.get("image")
        if file is None:
            raise BadInput("No photo was sent.", hint="Choose a JPEG, PNG or WebP file.")
        photo = shelf.add(file.stream.read(), file.filename or "", owner)
        captioner.caption(photo)
        return shown(shelf.find(photo.id, owner), owner), 201

    @app.post("/api/photos/<photo_id>/caption")
    def again(photo_id: str) -> dict[str, Any]:
        owner = owner_of(signer)
        photo = shelf.find(photo_id, owner)
        if photo.state == "failed":
            captioner.caption(photo)
        return shown(shelf.find(photo_id, owner), owner)

    @app.delete("/api/photos", defaults={"photo_id": None})
    @app.delete("/api/photos/<photo_id>")
    def delete(photo_id: str | None) -> dict[str, int]:
        deleted = shelf.delete(owner_of(signer), photo_id)
        if photo_id and not deleted:
            raise NotFound("There is no such photo of yours.")
        return {"deleted": deleted}

    @app.get("/photos/<photo_id>/<size>.jpg")
    def picture(photo_id: str, size: str) -> Response:
        photo = shelf.find(photo_id, owner_of(signer))
        if size not in SIDES or not shelf.picture(photo, size).is_file():
            raise NotFound("There is no such picture.")
        response = file_answer(shelf.picture(photo, size), "image/jpeg")
        response.cache_control.private = True
        return response

    return app


def owner_of(signer: Signer) -> str:
    """Who asks: the random word of their signed cookie, or nothing for who has none of ours."""
    try:
        return signer.unsign(flask.request.cookies.get(COOKIE, "")).decode()
    except (BadSignature, UnicodeError):
        return ""


def _remember(response: Response, signer: Signer) -> Response:
    """Give who opens the page a cookie, which holds a random word and nothing else."""
    if flask.request.path == "/" and response.status_code in (200, 304) and not owner_of(signer):
        response.set_cookie(
            COOKIE,
            signer.sign(secrets.token_hex(16)).decode(),
            max_age=COOKIE_S,
            httponly=True,
            samesite="Strict",
            secure=flask.request.is_secure,
        )
    return response


def shown(photo: Photo, owner: str) -> dict[str, Any]:
    """A photo as the page gets it."""
    return {
        "id": photo.id,
        "name": photo.name,
        "mine": photo.owner == owner != "",
        "state": photo.state,
        "captions": photo.captions,
        "problem": photo.problem,
    }


FOLDER = click.Path(file_okay=False, path_type=Path)


@click.command(context_settings={"show_default": True})
@click.option(
    "--model-url",
    default="http://localhost:5000",
    envvar="MODEL_URL",
    help="Where the model is served  [MODEL_URL]",
)
@click.option(
    "--api-key", envvar="MODEL_API_KEY", help="The model's key, if it asks for one  [MODEL_API_KEY]"
)
@click.option("--photos", envvar="PHOTOS", type=FOLDER, help="A folder of photos to begin with  [PHOTOS]")
@click.option(
    "--data", default="data", envvar="DATA", type=FOLDER, help="Where photos and captions are kept  [DATA]"
)
@click.option("--host", help="Address to listen on  [MAXFW_HOST; default 127.0.0.1]")
@click.option("--port", type=int, help="Port to listen on  [MAXFW_PORT; default 8088]")
def main(
    model_url: str, api_key: str | None, photos: Path | None, data: Path, host: str | None, port: int | None
) -> None:
    """Show a gallery of photos that the caption generator at MODEL_URL describes."""
    logging.basicConfig(level="WARNING", format="%(levelname)s %(message)s")
    with or_exit():
        settings = load_settings(defaults={"port": 8088}, host=host, port=port)
        check_tls(settings)
        listener = open_socket(settings)
    try:
        shelf = Shelf(data, settings)
        refused = shelf.add_folder(photos) if photos else []
    except (MaxfwError, OSError) as error:
        message = one_line(error) if isinstance(error, MaxfwError) else str(error)
        raise click.UsageError(message) from error
    for name in refused:
        click.echo(f"{name} is no picture that can be read", err=True)
    captioner = Captioner(shelf, Client(model_url, api_key=api_key, retries=1))
    captioner.start()
    serve(create_app(shelf, captioner, settings), settings, listener, threads=PAGE_THREADS)
    end_process()


if __name__ == "__main__":
    main()
