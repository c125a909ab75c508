"""The pages of every server: the playground at `/app/`, and the Swagger UI at `/` with a link to it."""

from __future__ import annotations

import logging
import mimetypes
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path
from typing import Any

import msgspec
from flask import Blueprint, Flask, Response
from flask_restx import Api
from msgspec import Struct

from maxfw.assets import fetch, located
from maxfw.catalog import ModelFolder
from maxfw.contract import SampleFile, sample_asset
from maxfw.errors import BadModel, MaxfwError, NotFound
from maxfw.model.model import folder_of
from maxfw.predictor import Predictor
from maxfw.settings import Settings
from maxfw.web.browser import STATIC, file_answer, page_file, protect

log = logging.getLogger("maxfw")


class PageSample(Struct, frozen=True):
    """A sample as the playground offers it: what to send, and where its files are, relative to the page."""

    name: str
    files: dict[str, str]
    body: dict[str, Any]
    parameters: dict[str, Any]


def install(app: Flask, api: Api, predictor: Predictor) -> None:
    """Add the pages of a new-style model to its app."""
    app.register_blueprint(playground(predictor))
    api.documentation(lambda: page_file(STATIC, "swagger.html"))


def playground(predictor: Predictor | None) -> Blueprint:
    """The playground at `/app/` and its samples; an old-style app has no predictor and no samples."""
    pages = Blueprint("playground", __name__)
    samples = SampleShelf(predictor)

    @pages.get("/app")
    def to_the_playground() -> Response:
        # Relative, since a proxy may have put the server below a prefix.
        return Response(status=308, headers={"Location": "app/"})

    @pages.get("/app/", defaults={"name": "index.html"})
    @pages.get("/app/<path:name>")
    def page(name: str) -> Response:
        return page_file(STATIC, name)

    @pages.get("/app/samples")
    def list_of_samples() -> Response:
        return Response(msgspec.json.encode(samples.offered()), content_type="application/json")

    @pages.get("/app/samples/<name>/<field>")
    def file_of_a_sample(name: str, field: str) -> Response:
        path = samples.file(name, field)
        media_type = mimetypes.guess_type(path.name)[0] or "application/octet-stream"
        return protect(file_answer(path, media_type))

    return pages


class SampleShelf:
    """The samples of a model whose files are on this machine; nothing is downloaded because of a visitor."""

    def __init__(self, predictor: Predictor | None) -> None:
        self._predictor = predictor
        self._here: dict[Path, Path] = {}  # a file as the sample names it → where it lies

    def offered(self) -> list[PageSample]:
        """Every sample that can be sent from here."""
        return [sample for sample in map(self._offer, self._files()) if sample is not None]

    def file(self, name: str, field: str) -> Path:
        """The file of a sample for a field.

        Raises:
            NotFound: there is no such sample, or its file is not on this machine.
        """
        for file in self._files():
            if file.stem == name:
                path = self._inputs(file, _content(file)).get(field)
                if path is not None and (here := self._locate(path)) is not None:
                    return here
        raise NotFound(f"there is no sample {name!r} with a file for {field!r} on this machine")

    def _files(self) -> Iterator[Path]:
        if self._predictor is not None:
            folder = ModelFolder(folder_of(type(self._predictor.model)))
            yield from sorted(folder.samples.glob("*.json"))

    def _offer(self, file: Path) -> PageSample | None:
        content = _content(file)
        files = self._inputs(file, content)
        if any(self._locate(path) is None for path in files.values()):
            return None
        urls = {field: f"samples/{file.stem}/{field}" for field in files}
        return PageSample(file.stem, urls, content.body, content.parameters)

    def _inputs(self, file: Path, content: SampleFile) -> dict[str, Path]:
        """The files that a sample sends, by field, as it names them."""
        assert self._predictor is not None
        if not self._predictor.task.files:
            return {}
        named = {self._predictor.task.files[0].name: content.input, **content.files}
        return {field: file.parent / name for field, name in named.items()}

    def _locate(self, path: Path) -> Path | None:
        """Where a sample's file lies on this machine, None if it would have to be downloaded."""
        assert self._predictor is not None
        if path not in self._here:
            found = _on_this_machine(path, self._predictor.settings)
            if found is None:
                return None
            self._here[path] = found
        return self._here[path]


def _on_this_machine(path: Path, settings: Settings) -> Path | None:
    if path.suffix != ".asset":
        return path if path.is_file() else None
    try:
        asset = sample_asset(path)
        return None if located(asset, settings) == "download" else fetch(asset, settings)
    except MaxfwError as error:
        log.warning("sample %s is not offered: %s", path, error.message)
        return None


@lru_cache(maxsize=256)
def _content(file: Path) -> SampleFile:
    try:
        return msgspec.json.decode(file.read_bytes(), type=SampleFile)
    except msgspec.DecodeError as error:
        raise BadModel(f"{file}: {error}") from None
