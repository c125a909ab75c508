"""The REST API of a new-style model, without a socket."""

from __future__ import annotations

import io
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from flask.testing import FlaskClient
from PIL import Image

from maxfw.client import Client
from maxfw.errors import BadModel
from maxfw.model import MAXModelWrapper, Probability, UploadedImage
from maxfw.settings import load_settings
from maxfw.tasks.image_classification import ImageClassification
from maxfw.tasks.image_to_image import ImageToImage
from maxfw.web.app import create_app

Connect = Callable[..., FlaskClient]


@pytest.fixture
def connect() -> Iterator[Connect]:
    """A client of a model's app; the predictor behind it is closed with the test."""
    apps = []

    def make(model: MAXModelWrapper, **values: Any) -> FlaskClient:
        apps.append(create_app(model, load_settings({}, **values)))
        return apps[-1].test_client()

    yield make
    for app in apps:
        app.extensions["maxfw"].batcher.close(5)


@pytest.fixture
def text(connect: Connect, loudness: MAXModelWrapper) -> FlaskClient:
    return connect(loudness)


@pytest.fixture
def image(connect: Connect, colours: MAXModelWrapper) -> FlaskClient:
    return connect(colours)


def png(colour: tuple[int, int, int] = (250, 5, 5)) -> io.BytesIO:
    blob = io.BytesIO()
    Image.new("RGB", (20, 10), colour).save(blob, "PNG")
    blob.seek(0)
    return blob


def assert_error(answer: Any, status: int, code: str, *told: str) -> None:
    """An error has one shape, says what happened, and shows nothing of the inside."""
    body = answer.get_json()
    assert answer.status_code == status, body
    assert set(body) == {"status", "code", "message", "hint", "request_id"}
    assert (body["status"], body["code"]) == ("error", code)
    assert body["request_id"] == answer.headers["X-Request-ID"]
    said = f"{body['message']} {body['hint']}"
    for words in told:
        assert words in said
    assert "Traceback" not in said
    assert ".py" not in said


def test_texts_are_answered_with_the_historical_json(text: FlaskClient) -> None:
    answer = text.post("/model/predict", json={"text": ["AB", "ab"]})

    assert answer.status_code == 200
    assert answer.content_type == "application/json"
    assert answer.text == (
        '{"status":"ok","predictions":[[{"loud":1.0,"quiet":0.0}],[{"loud":0.0,"quiet":1.0}]]}'
    )


def test_a_picture_is_answered_with_its_labels(image: FlaskClient) -> None:
    answer = image.post("/model/predict", data={"image": (png(), "red.png")})

    assert answer.get_json()["predictions"][0] == {
        "label_id": "0",
        "label": "red",
        "probability": pytest.approx(250 / 260, abs=1e-4),
    }


@pytest.mark.parametrize("where", ["query", "form", "json"])
def test_parameters_are_read_from_wherever_they_are_sent(
    connect: Connect, loudness: MAXModelWrapper, where: str
) -> None:
    class Tinted(MAXModelWrapper):
        task = ImageClassification(labels=["a"])

        def _predict(self, image: Any, *, factor: Probability = 1.0) -> Any:
            return {"factor": factor}

        def _post_process(self, found: Any) -> Any:
            return [{"label_id": "0", "label": "a", "probability": found["factor"]}]

    if where == "json":
        answer = connect(loudness).post("/model/predict", json={"text": ["AB"], "factor": 0.5})
        assert answer.get_json()["predictions"][0][0]["loud"] == 0.5
        return
    client = connect(Tinted())
    if where == "query":
        answer = client.post("/model/predict?factor=0.5", data={"image": (png(), "x.png")})
    else:
        answer = client.post("/model/predict", data={"image": (png(), "x.png"), "factor": "0.5"})
    assert answer.get_json()["predictions"][0]["probability"] == 0.5


def test_metadata_keeps_the_six_historical_keys_and_adds_ours(text: FlaskClient) -> None:
    card = text.get("/model/metadata").get_json()

    assert list(card) == [
        "id",
        "name",
        "description",
        "type",
        "source",
        "license",
        "task",
        "limits",
        "version",
    ]
    assert card["task"] == "text-classification"
    assert card["limits"]["text"] == {"bytes": 100_000, "count": 256}


def test_labels_are_counted_and_named(text: FlaskClient) -> None:
    assert text.get("/model/labels").get_json() == {
        "count": 2,
        "labels": [{"id": "0", "name": "loud"}, {"id": "1", "name": "quiet"}],
    }


def test_a_model_without_labels_says_so(connect: Connect) -> None:
    class Inverter(MAXModelWrapper):
        task = ImageToImage()

        def _predict(self, image: Any) -> Any:
            return image

    assert_error(connect(Inverter()).get("/model/labels"), 404, "not_found", "no labels")


def test_a_picture_is_answered_with_a_picture_or_with_json_for_those_who_ask(connect: Connect) -> None:
    class Inverter(MAXModelWrapper):
        task = ImageToImage()

        def _predict(self, image: Any) -> Any:
            return Image.eval(image, lambda value: 255 - value)

    client = connect(Inverter())
    picture = client.post("/model/predict", data={"image": (png(), "x.png")})
    in_json = client.post(
        "/model/predict", data={"image": (png(), "x.png")}, headers={"Accept": "application/json"}
    )

    assert picture.content_type == "image/png"
    assert Image.open(io.BytesIO(picture.data)).getpixel((0, 0)) == (5, 250, 250)
    assert in_json.get_json()["image_size"] == [20, 10]
    assert in_json.get_json()["status"] == "ok"


def test_swagger_is_version_2_and_describes_file_and_parameters(connect: Connect) -> None:
    class Detector(MAXModelWrapper):
        task = ImageClassification(labels=["a"])

        def _predict(self, image: Any) -> Any:
            return image

        def _post_process(
            self, found: Any, *, threshold: Probability = 0.7, names: list[str] | None = None
        ) -> Any:
            return []

    answer = connect(Detector()).get("/swagger.json")
    predict = answer.get_json()["paths"]["/model/predict"]["post"]
    parameters = {parameter["name"]: parameter for parameter in predict["parameters"]}

    assert answer.content_type == "application/json"
    assert answer.get_json()["swagger"] == "2.0"
    assert predict["operationId"] == "predict"
    assert (parameters["image"]["in"], parameters["image"]["type"]) == ("formData", "file")
    assert parameters["threshold"]["type"] == "number"
    assert (parameters["threshold"]["minimum"], parameters["threshold"]["maximum"]) == (0, 1)
    assert parameters["threshold"]["default"] == 0.7
    assert parameters["names"]["type"] == "array"


def test_swagger_describes_the_json_body(text: FlaskClient) -> None:
    swagger = text.get("/swagger.json").get_json()
    [body] = [p for p in swagger["paths"]["/model/predict"]["post"]["parameters"] if p["in"] == "body"]

    assert body["schema"] == {"$ref": "#/definitions/Texts"}
    assert swagger["definitions"]["Texts"]["properties"]["text"]["type"] == "array"


def test_every_reference_in_swagger_leads_somewhere(text: FlaskClient, image: FlaskClient) -> None:
    for client in (text, image):
        swagger = client.get("/swagger.json").get_json()
        references = json.dumps(swagger).split('"#/definitions/')[1:]
        assert references
        assert {reference.split('"')[0] for reference in references} <= set(swagger["definitions"])


def test_the_swagger_page_asks_no_other_host(text: FlaskClient) -> None:
    page = text.get("/")

    assert page.content_type.startswith("text/html")
    for attribute in ("src=", "href="):
        for link in page.text.split(f'{attribute}"')[1:]:
            assert link.startswith(("swaggerui/", "app/", "./")), link[:60]
    with text.get("/swaggerui/swagger-ui-bundle.js") as script:
        assert script.status_code == 200


@pytest.mark.parametrize("path", ["/health", "/health/live", "/health/ready"])
def test_health_answers(text: FlaskClient, path: str) -> None:
    text.application.extensions["maxfw.health"]._ask(text.application.extensions["maxfw"])

    assert text.get(path).json == {"status": "ok"}


def test_a_model_whose_thread_has_ended_is_neither_ready_nor_alive(
    connect: Connect, loudness: MAXModelWrapper
) -> None:
    client = connect(loudness)
    client.application.extensions["maxfw"].close()

    assert client.get("/health/ready").status_code == 503
    assert client.get("/health/live").status_code == 503


@pytest.mark.parametrize(
    ("request_", "status", "code", "told"),
    [
        ({"data": b"{", "content_type": "application/json"}, 400, "bad_input", "not valid JSON"),
        ({"data": b"", "content_type": "application/json"}, 400, "bad_input", "not valid JSON"),
        ({"data": b"[]", "content_type": "application/json"}, 400, "bad_input", "not an object"),
        ({"data": b'{"text": [NaN]}', "content_type": "application/json"}, 400, "bad_input", "JSON"),
        ({"data": b'{"text": ["\xff"]}', "content_type": "application/json"}, 400, "bad_input", "JSON"),
        (
            {"data": '{"text": ["a"]}'.encode("utf-16"), "content_type": "application/json"},
            400,
            "bad_input",
            "JSON",
        ),
        ({"data": rb'{"text": ["\ud800"]}', "content_type": "application/json"}, 400, "bad_input", "JSON"),
        ({"data": b'{"text": ' + b"[" * 100_000, "content_type": "application/json"}, 400, "bad_input", ""),
        (
            {"data": b'{"a":' * 80 + b"1" + b"}" * 80, "content_type": "application/json"},
            400,
            "bad_input",
            "deeper than 64",
        ),
        ({"json": {"text": ["a"], "nonsense": 1}}, 400, "bad_parameter", "'nonsense'"),
        ({"json": {"txt": ["a"]}}, 400, "bad_parameter", "'txt'"),
        ({"json": {}}, 400, "bad_input", "text"),
        ({"json": {"text": "a"}}, 400, "bad_input", "array"),
        ({"json": {"text": ["a"]}, "query_string": "factor=2"}, 400, "bad_parameter", "from 0 to 1"),
        ({"json": {"text": ["a"]}, "query_string": "factor=1&factor=0"}, 400, "bad_input", "twice"),
        ({"data": {"text": "a"}}, 415, "unsupported_media_type", "application/json"),
        ({"data": b"hello", "content_type": "text/plain"}, 415, "unsupported_media_type", "text/plain"),
        ({}, 415, "unsupported_media_type", "Content-Type: application/json"),
        (
            {"json": {"text": ["a"]}, "headers": {"Content-Encoding": "br"}},
            415,
            "unsupported_media_type",
            "compressed",
        ),
        ({"json": {"text": ["a"]}, "headers": {"Content-Encoding": "gzip"}}, 400, "bad_input", "gzip"),
        ({"data": b"x" * 1_100_000, "content_type": "application/json"}, 413, "too_large", "1000000"),
    ],
)
def test_a_malformed_request_to_a_text_model_is_refused_and_the_next_one_works(
    text: FlaskClient, request_: dict[str, Any], status: int, code: str, told: str
) -> None:
    assert_error(text.post("/model/predict", **request_), status, code, told)
    assert text.post("/model/predict", json={"text": ["AB"]}).status_code == 200


@pytest.mark.parametrize("line_end", [b"\r\n", b"\n"])
def test_a_file_with_line_ends_anywhere_is_taken_whole(image: FlaskClient, line_end: bytes) -> None:
    # Such bytes may begin the end of the form, so the parser keeps them when it takes the next 64 KiB.
    blob = png().getvalue() + line_end * 200_000

    answer = image.post("/model/predict", data={"image": (io.BytesIO(blob), "red.png")})

    assert answer.status_code == 200, answer.get_json()


@pytest.mark.parametrize(
    ("request_", "status", "code", "told"),
    [
        ({}, 400, "bad_input", "curl -F image=@photo.jpg"),
        ({"data": {"image": "photo.jpg"}}, 400, "bad_input", "put @ before"),
        ({"data": {"file": (io.BytesIO(b"x"), "x.png")}}, 400, "bad_input", "'file'"),
        ({"data": {"image": (io.BytesIO(b""), "x.png")}}, 400, "bad_input", "curl -F image=@"),
        ({"data": {"image": (io.BytesIO(b"no picture"), "x.png")}}, 400, "bad_input", "'image'"),
        ({"data": {"image": (io.BytesIO(b"%PDF-1.7 ..."), "x.png")}}, 415, "unsupported_media_type", "image"),
        (
            {"data": {"image": [(io.BytesIO(b"1"), "x.png"), (io.BytesIO(b"2"), "y.png")]}},
            400,
            "bad_input",
            "twice",
        ),
        ({"json": {"image": "x"}}, 415, "unsupported_media_type", "multipart"),
        ({"data": b"\x89PNG", "content_type": "image/png"}, 415, "unsupported_media_type", "curl -F"),
        ({"data": b"--x\r\n", "content_type": "multipart/form-data"}, 400, "bad_input", "image"),
        (
            {"data": b"--x\r\nbroken", "content_type": "multipart/form-data; boundary=x"},
            400,
            "bad_input",
            "image",
        ),
        ({"data": {f"field{n}": "1" for n in range(200)}}, 413, "too_large", ""),
        (
            {"data": b"1" * 20_200_000, "content_type": "multipart/form-data; boundary=x"},
            413,
            "too_large",
            "2006",
        ),
    ],
)
def test_a_malformed_request_to_a_picture_model_is_refused_and_the_next_one_works(
    image: FlaskClient, request_: dict[str, Any], status: int, code: str, told: str
) -> None:
    request_ = {**request_}
    if isinstance(request_.get("data"), dict) and all(isinstance(v, str) for v in request_["data"].values()):
        request_["content_type"] = "multipart/form-data"
    assert_error(image.post("/model/predict", **request_), status, code, told)
    assert image.post("/model/predict", data={"image": (png(), "x.png")}).status_code == 200


@pytest.mark.parametrize(
    ("method", "path", "status", "code"),
    [
        ("GET", "/nothing", 404, "not_found"),
        ("GET", "/model/predict/", 404, "not_found"),
        ("GET", "/model/predict", 405, "method_not_allowed"),
        ("DELETE", "/model/metadata", 405, "method_not_allowed"),
        ("POST", "/", 405, "method_not_allowed"),
        ("GET", "/static/../../etc/passwd", 404, "not_found"),
        ("GET", "/swaggerui/..%2f..%2fapi", 404, "not_found"),
        ("GET", "/%00", 404, "not_found"),
    ],
)
def test_what_is_not_there_has_the_same_shape(
    text: FlaskClient, method: str, path: str, status: int, code: str
) -> None:
    answer = text.open(path, method=method)

    assert_error(answer, status, code)
    if status == 405:
        assert answer.headers["Allow"]


def test_an_error_of_our_own_making_shows_nothing_of_the_inside(
    text: FlaskClient, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def explode(*_: Any) -> None:
        raise RuntimeError("password=hunter2 in /srv/secret")

    monkeypatch.setattr(text.application.extensions["maxfw"], "begin", explode)
    answer = text.post("/model/predict", json={"text": ["a"]})

    assert_error(answer, 500, "internal_error")
    assert "hunter2" not in answer.text
    assert "hunter2" in caplog.text
    assert answer.headers["X-Request-ID"] in caplog.text


def test_a_full_queue_is_answered_with_a_time_to_come_again(
    text: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    from maxfw.errors import Overloaded

    def refuse(*_: Any) -> None:
        raise Overloaded("busy", retry_after=2.3)

    monkeypatch.setattr(text.application.extensions["maxfw"], "begin", refuse)
    answer = text.post("/model/predict", json={"text": ["a"]})

    assert_error(answer, 503, "overloaded", "busy")
    assert answer.headers["Retry-After"] == "3"


@pytest.mark.parametrize(
    ("offered", "kept"),
    [
        ("abc-1.2_3", True),
        ("a" * 64, True),
        ("a" * 65, False),
        ("a b", False),
        ("<script>", False),
        ("", False),
    ],
)
def test_a_request_id_is_kept_if_it_is_a_harmless_word(text: FlaskClient, offered: str, kept: bool) -> None:
    given = text.get("/health", headers={"X-Request-ID": offered}).headers["X-Request-ID"]

    assert (given == offered) is kept
    assert given


@pytest.mark.parametrize(
    ("cors", "origin", "allowed"),
    [
        ("", "https://a.example", None),
        ("*", "https://a.example", "https://a.example"),
        ("https://a.example, https://b.example", "https://b.example", "https://b.example"),
        ("https://a.example", "https://evil.example", None),
    ],
)
def test_browsers_of_other_origins_are_let_in_only_when_told(
    connect: Connect, loudness: MAXModelWrapper, cors: str, origin: str, allowed: str | None
) -> None:
    answer = connect(loudness, cors=cors).get("/model/metadata", headers={"Origin": origin})

    assert answer.headers.get("Access-Control-Allow-Origin") == allowed


class Blender(MAXModelWrapper):
    """A model with a second picture: the mean colour of both, or the first alone."""

    task = ImageToImage()

    def _predict(self, image: Any) -> Any:
        return image

    def _post_process(self, image: Any, *, other: UploadedImage | None = None, share: float = 0.5) -> Any:
        return image if other is None else Image.blend(image, other.resize(image.size), share)


def colour_of(answer: Any) -> Any:
    return Image.open(io.BytesIO(answer.data)).getpixel((0, 0))


def test_a_second_picture_is_decoded_and_handed_to_the_hook_that_asks_for_it(connect: Connect) -> None:
    client = connect(Blender())
    files = {"image": (png((0, 0, 0)), "a.png"), "other": (png((200, 100, 0)), "b.png"), "share": "0.5"}
    both = client.post("/model/predict", data=files)
    alone = client.post("/model/predict", data={"image": (png((0, 0, 0)), "a.png")})

    assert colour_of(both) == (100, 50, 0)
    assert colour_of(alone) == (0, 0, 0)


def test_a_file_field_that_a_browser_left_empty_counts_as_not_sent(connect: Connect) -> None:
    body = b"".join(
        b'--x\r\nContent-Disposition: form-data; name="%s"; filename="%s"\r\n'
        b"Content-Type: application/octet-stream\r\n\r\n%s\r\n" % part
        for part in ((b"image", b"a.png", png((9, 9, 9)).read()), (b"other", b"", b""))
    )
    answer = connect(Blender()).post(
        "/model/predict", data=body + b"--x--\r\n", content_type="multipart/form-data; boundary=x"
    )

    assert colour_of(answer) == (9, 9, 9)


@pytest.mark.parametrize(
    ("other", "status", "code", "told"),
    [
        ((io.BytesIO(b"no picture"), "b.png"), 400, "bad_input", "curl -F other=@"),
        ((io.BytesIO(b""), "b.png"), 400, "bad_input", "field 'other': the file is empty"),
        ((io.BytesIO(b"%PDF-1.7 ..."), "b.png"), 415, "unsupported_media_type", "'other': PDF"),
        ("b.png", 400, "bad_input", "-F other=@"),
        ([(png(), "b.png"), (png(), "c.png")], 400, "bad_input", "twice"),
    ],
)
def test_a_second_picture_is_refused_in_the_words_of_the_first(
    connect: Connect, other: Any, status: int, code: str, told: str
) -> None:
    answer = connect(Blender()).post("/model/predict", data={"image": (png(), "a.png"), "other": other})

    assert_error(answer, status, code, told)


def test_a_second_picture_is_described_and_counts_in_the_limits(connect: Connect) -> None:
    client = connect(Blender(), max_image_mb=1)
    swagger = client.get("/swagger.json").get_json()["paths"]["/model/predict"]["post"]["parameters"]
    [other] = [parameter for parameter in swagger if parameter["name"] == "other"]
    limits = client.get("/model/metadata").get_json()["limits"]

    assert (other["in"], other["type"], other["required"]) == ("formData", "file", False)
    assert other["description"].startswith("a picture")
    assert limits["other"] == limits["image"]
    assert 2_000_000 < client.application.config["MAX_CONTENT_LENGTH"] < 2_100_000


def test_a_second_picture_needs_a_task_with_files_and_a_name_of_its_own(
    connect: Connect, loudness: MAXModelWrapper
) -> None:
    class Reads(type(loudness)):  # type: ignore[misc]
        def _post_process(self, x: Any, *, other: UploadedImage | None = None) -> Any:
            return x

    class Twice(Blender):
        def _post_process(self, x: Any, *, image: UploadedImage | None = None) -> Any:
            return x

    for model in (Reads(), Twice()):
        with pytest.raises(BadModel):
            connect(model)


def test_the_python_client_sends_a_second_picture_as_a_keyword(connect: Connect, tmp_path: Path) -> None:
    (tmp_path / "b.png").write_bytes(png((200, 100, 0)).read())
    transport = httpx.WSGITransport(connect(Blender()).application)

    with Client("http://model", transport=transport) as model:
        both = model.predict(image=png((0, 0, 0)).read(), other=tmp_path / "b.png")

    assert Image.open(io.BytesIO(both.content)).getpixel((0, 0)) == (100, 50, 0)
