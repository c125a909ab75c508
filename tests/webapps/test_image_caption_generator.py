"""The caption gallery's server: whose photos they are, how long they stay, what survives."""

from __future__ import annotations

import io
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from maxfw.client import Client
from maxfw.model import MAXModelWrapper
from maxfw.settings import Settings
from maxfw.tasks.base import ImageTask
from maxfw.tasks.image_captioning import ImageCaptioning
from maxfw.web.app import create_app
from tests.webapps.conftest import OWN

PICTURE = ImageTask.sample().files["image"].blob
DAY_S = 24 * 3600


class Teller(MAXModelWrapper):
    """Says the same of every picture."""

    task = ImageCaptioning()

    def _predict(self, x: Any) -> Any:
        return [("a red square on grey", 0.5), ("a blue disc", 0.25)]


class Gallery:
    """The app over one data folder, with a clock that only moves when it is told to."""

    def __init__(self, module: ModuleType, folder: Path, settings: Settings, client: Client) -> None:
        import captioner
        import photos

        self.now = 1_000_000.0
        self.shelf = photos.Shelf(folder, settings, clock=lambda: self.now)
        self.captioner = captioner.Captioner(self.shelf, client)
        self.app: Flask = module.create_app(self.shelf, self.captioner, settings)

    def visitor(self) -> FlaskClient:
        client = self.app.test_client()
        client.get("/")
        return client


@pytest.fixture
def client(settings: Settings, asking: Callable[[Flask], Client]) -> Iterator[Client]:
    model = create_app(Teller(), settings)
    yield asking(model)
    model.extensions["maxfw"].close()


@pytest.fixture
def opened(
    webapp: Callable[[str], ModuleType], tmp_path: Path, settings: Settings
) -> Callable[[Client], Gallery]:
    module = webapp("image_caption_generator")
    return lambda client: Gallery(module, tmp_path / "data", settings, client)


def send(visitor: FlaskClient, blob: bytes = PICTURE, name: str = "cat.png") -> Any:
    return visitor.post("/api/photos", data={"image": (io.BytesIO(blob), name)}, headers=OWN)


def photos_of(visitor: FlaskClient) -> list[dict[str, Any]]:
    listed: list[dict[str, Any]] = visitor.get("/api/photos").get_json()["photos"]
    return listed


def test_an_upload_gets_its_captions(opened: Callable[[Client], Gallery], client: Client) -> None:
    visitor = opened(client).visitor()
    photo = send(visitor).get_json()
    assert photo["captions"][0] == {"caption": "a red square on grey", "probability": 0.5}
    assert photo["mine"]
    assert visitor.get(f"/photos/{photo['id']}/large.jpg").data.startswith(b"\xff\xd8")


def test_two_visitors_never_see_each_others_uploads(
    opened: Callable[[Client], Gallery], client: Client
) -> None:
    gallery = opened(client)
    one, other = gallery.visitor(), gallery.visitor()
    photo = send(one).get_json()
    assert photos_of(other) == []
    for answer in (
        other.get(f"/photos/{photo['id']}/small.jpg"),
        other.delete(f"/api/photos/{photo['id']}", headers=OWN),
        other.post(f"/api/photos/{photo['id']}/caption", headers=OWN),
        gallery.app.test_client().get(f"/photos/{photo['id']}/small.jpg"),
    ):
        assert answer.status_code == 404
    other.delete("/api/photos", headers=OWN)
    assert len(photos_of(one)) == 1


def test_the_cookie_is_signed_and_out_of_reach_and_holds_a_random_word(
    opened: Callable[[Client], Gallery], client: Client
) -> None:
    gallery = opened(client)
    cookie = gallery.app.test_client().get("/").headers["Set-Cookie"]
    assert re.match(r"max_owner=[0-9a-f]{32}\.[\w-]+;", cookie)
    assert "HttpOnly" in cookie
    assert "SameSite=Strict" in cookie
    word, signature = cookie.split("=", 1)[1].split(";")[0].split(".")
    forged = gallery.app.test_client()
    forged.set_cookie("max_owner", f"{'0' * len(word)}.{signature}")
    assert send(forged).status_code == 403


def test_uploads_expire_after_a_day(opened: Callable[[Client], Gallery], client: Client) -> None:
    gallery = opened(client)
    visitor = gallery.visitor()
    photo = send(visitor).get_json()
    gallery.now += DAY_S - 1
    assert len(photos_of(visitor)) == 1
    gallery.now += 2
    assert photos_of(visitor) == []
    assert visitor.get(f"/photos/{photo['id']}/small.jpg").status_code == 404
    assert list((gallery.shelf.folder / "pictures").iterdir()) == []


def test_photos_and_captions_survive_a_restart(opened: Callable[[Client], Gallery], client: Client) -> None:
    before = opened(client)
    visitor = before.visitor()
    photo = send(visitor).get_json()
    cookie = visitor.get_cookie("max_owner")
    assert cookie is not None
    after = opened(client).app.test_client()
    after.set_cookie("max_owner", cookie.value)
    assert photos_of(after) == [photo]


def test_a_photo_whose_model_is_away_stays_with_its_reason_and_can_be_tried_again(
    opened: Callable[[Client], Gallery], client: Client, away: Client
) -> None:
    gallery = opened(away)
    visitor = gallery.visitor()
    photo = send(visitor).get_json()
    assert (photo["state"], photo["problem"]) == ("failed", "The model cannot be reached.")
    gallery.captioner._client = client
    again = visitor.post(f"/api/photos/{photo['id']}/caption", headers=OWN).get_json()
    assert (again["state"], len(again["captions"])) == ("done", 2)


def test_a_folder_is_captioned_in_the_background_for_everybody(
    opened: Callable[[Client], Gallery], client: Client, tmp_path: Path
) -> None:
    folder = tmp_path / "photos"
    folder.mkdir()
    (folder / "one.png").write_bytes(PICTURE)
    (folder / "broken.jpg").write_bytes(b"no picture")
    (folder / "notes.txt").write_text("no picture")
    gallery = opened(client)
    assert gallery.shelf.add_folder(folder) == ["broken.jpg"]
    assert gallery.captioner._caption_what_waits()
    [photo] = photos_of(gallery.visitor())
    assert (photo["name"], photo["state"], photo["mine"]) == ("one.png", "done", False)
    assert gallery.visitor().delete(f"/api/photos/{photo['id']}", headers=OWN).status_code == 404
    assert gallery.shelf.add_folder(folder) == ["broken.jpg"]
    assert photos_of(gallery.visitor()) == [photo]
    (folder / "one.png").unlink()
    gallery.shelf.add_folder(folder)
    assert photos_of(gallery.visitor()) == []


def test_a_folder_waits_for_a_model_that_is_away(
    opened: Callable[[Client], Gallery], away: Client, tmp_path: Path
) -> None:
    (tmp_path / "photos").mkdir()
    (tmp_path / "photos/one.png").write_bytes(PICTURE)
    gallery = opened(away)
    gallery.shelf.add_folder(tmp_path / "photos")
    assert not gallery.captioner._caption_what_waits()
    [photo] = photos_of(gallery.visitor())
    assert (photo["state"], photo["problem"]) == ("waiting", "The model cannot be reached.")


@pytest.mark.parametrize(
    "name", ["../../etc/passwd", "/etc/passwd", "..\\..\\a.png", "a\x00.png", "x" * 500, "<b>.png"]
)
def test_the_name_of_a_file_never_becomes_a_path(
    opened: Callable[[Client], Gallery], client: Client, name: str
) -> None:
    gallery = opened(client)
    photo = send(gallery.visitor(), name=name).get_json()
    stored = {file.name for file in (gallery.shelf.folder / "pictures").iterdir()}
    assert stored == {f"{photo['id']}.large.jpg", f"{photo['id']}.small.jpg"}
    assert {file.name for file in gallery.shelf.folder.iterdir()} == {"pictures", "photos.sqlite", "secret"}


@pytest.mark.parametrize(("blob", "status"), [(b"no picture", 415), (PICTURE[:80], 415)])
def test_what_is_no_picture_is_refused_and_not_kept(
    opened: Callable[[Client], Gallery], client: Client, blob: bytes, status: int
) -> None:
    visitor = opened(client).visitor()
    answer = send(visitor, blob)
    assert answer.status_code == status
    assert answer.get_json()["message"]
    assert photos_of(visitor) == []


def test_a_photo_that_is_too_large_is_refused(opened: Callable[[Client], Gallery], client: Client) -> None:
    visitor = opened(client).visitor()
    assert visitor.application.config["MAX_CONTENT_LENGTH"] == 20_000_000
    visitor.application.config["MAX_CONTENT_LENGTH"] = 100
    assert send(visitor).status_code == 413


def test_another_sites_page_can_neither_upload_nor_delete(
    opened: Callable[[Client], Gallery], client: Client
) -> None:
    visitor = opened(client).visitor()
    send(visitor)
    foreign = {"Sec-Fetch-Site": "cross-site", **OWN}
    for headers in ({}, foreign):
        assert visitor.post("/api/photos", headers=headers).status_code == 403
        assert visitor.delete("/api/photos", headers=headers).status_code == 403
    assert len(photos_of(visitor)) == 1


def test_one_visitor_cannot_fill_the_shelf(
    opened: Callable[[Client], Gallery], client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    gallery = opened(client)
    monkeypatch.setattr("photos.MAX_PHOTOS_EACH", 1)
    visitor = gallery.visitor()
    assert send(visitor).status_code == 201
    assert send(visitor).status_code == 413
    assert send(gallery.visitor()).status_code == 201


def test_delete_takes_ones_own_uploads_and_their_files(
    opened: Callable[[Client], Gallery], client: Client
) -> None:
    gallery = opened(client)
    visitor = gallery.visitor()
    send(visitor)
    send(visitor)
    assert visitor.delete("/api/photos", headers=OWN).get_json() == {"deleted": 2}
    assert list((gallery.shelf.folder / "pictures").iterdir()) == []
