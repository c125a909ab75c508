"""The client, against small services of both kinds, called without a socket where no socket is needed."""

from __future__ import annotations

import io
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path
from typing import Any

import httpx
import pytest
from flask import Flask, Response, abort, jsonify, request, send_file
from flask_restx import Api, Namespace, Resource, fields
from PIL import Image
from werkzeug.datastructures import FileStorage
from werkzeug.serving import make_server

from maxfw.client import Answer, Client, Media
from maxfw.errors import AnswerError, BadParameter, MissingExtra


def png() -> bytes:
    file = io.BytesIO()
    Image.new("RGB", (2, 2), "red").save(file, "PNG")
    return file.getvalue()


PNG = png()


def received() -> dict[str, Any]:
    """What arrived, told back: the answer of most services here."""
    return {
        "status": "ok",
        "query": request.args.to_dict(flat=False),
        "form": request.form.to_dict(flat=False),
        "files": {
            name: {"name": file.filename, "type": file.mimetype, "bytes": len(file.read())}
            for name, file in request.files.items()
        },
        "json": request.get_json(silent=True),
    }


def service(define: Callable[[Namespace], type[Resource]], *, route: str = "/predict") -> Flask:
    """A service as the original framework makes it: one handler in the namespace `model`."""
    app = Flask("service")
    namespace = Namespace("model")
    handler = define(namespace)
    namespace.add_resource(handler, route)
    Api(app, title="a model").add_namespace(namespace)
    return app


def object_detector(namespace: Namespace) -> type[Resource]:
    parser = namespace.parser()
    parser.add_argument("image", type=FileStorage, location="files", required=True)
    parser.add_argument("mask", type=FileStorage, location="files")
    parser.add_argument("threshold", type=float, default=0.7)
    parser.add_argument("filter", action="split")
    parser.add_argument("label", action="append")
    parser.add_argument("note", location="form")

    class Predict(Resource):
        @namespace.expect(parser)
        def post(self) -> dict[str, Any]:
            arguments = parser.parse_args()
            told = received() | {"threshold": arguments["threshold"], "filter": arguments["filter"]}
            return told | {"label": arguments["label"], "predictions": [{"label": "dog", "box": [{"y": 1}]}]}

    return Predict


def sentiment(namespace: Namespace) -> type[Resource]:
    words = namespace.model("Words", {"text": fields.List(fields.String, required=True)})
    more = namespace.inherit("MoreWords", words, {"language": fields.String})

    class Predict(Resource):
        @namespace.expect(more, validate=True)
        @namespace.doc(params={"top": {"in": "query", "type": "integer"}})
        def post(self) -> dict[str, Any]:
            return received()

    return Predict


def client_of(app: Flask, **options: Any) -> Client:
    return Client("http://service", transport=httpx.WSGITransport(app), **options)


@pytest.fixture
def detector() -> Iterator[Client]:
    with client_of(service(object_detector)) as client:
        yield client


# ------------------------------------------------------------------------------------------------ where keywords go


def test_a_path_is_sent_as_a_file_with_name_and_type(detector: Client, tmp_path: Path) -> None:
    (tmp_path / "dog.png").write_bytes(PNG)

    for path in (tmp_path / "dog.png", str(tmp_path / "dog.png")):
        answer = detector.predict(image=path, threshold=0.5)

        assert answer.files == {"image": {"name": "dog.png", "type": "image/png", "bytes": len(PNG)}}
        assert answer.threshold == 0.5


def test_bytes_are_sent_as_a_file_whose_type_is_recognised(detector: Client) -> None:
    assert detector.predict(image=PNG).files.image == {
        "name": "image.png",
        "type": "image/png",
        "bytes": len(PNG),
    }
    assert detector.predict(image=b"what?").files.image.type == "application/octet-stream"


@pytest.mark.parametrize("value", [float("nan"), [float("inf")], "half a character: \udcff", object()])
def test_what_has_no_form_in_json_is_refused_before_it_is_sent(value: Any) -> None:
    with client_of(service(sentiment)) as client, pytest.raises(BadParameter, match="cannot be sent"):
        client.predict(text=value)


def test_half_a_character_has_no_form_in_a_form_or_an_address_either(detector: Client) -> None:
    for name in ("note", "threshold"):
        with pytest.raises(BadParameter, match="cannot be sent"):
            detector.predict(image=PNG, **{name: "\udcff"})


def test_an_open_file_is_sent(detector: Client, tmp_path: Path) -> None:
    (tmp_path / "dog.jpg").write_bytes(PNG)

    with open(tmp_path / "dog.jpg", "rb") as file:
        answer = detector.predict(image=file, mask=io.BytesIO(PNG))

    assert answer.files.image.name == "dog.jpg"
    assert answer.files.image.type == "image/jpeg"
    assert answer.files["mask"]["bytes"] == len(PNG)


def test_a_keyword_that_is_none_is_left_out(detector: Client) -> None:
    assert detector.predict(image=PNG, mask=None, threshold=None).threshold == 0.7


def test_lists_are_written_as_the_service_reads_them(detector: Client) -> None:
    answer = detector.predict(image=PNG, filter=["dog", "cat"], label=["a", "b"], note="x")

    assert answer["filter"] == ["dog", "cat"]
    assert answer["label"] == ["a", "b"]
    assert answer["form"] == {"note": ["x"]}


def test_json_fields_become_the_body_and_the_rest_the_query() -> None:
    with client_of(service(sentiment)) as client:
        answer = client.predict(text=["good", "bad"], language="en", top=3)

    assert answer["json"] == {"text": ["good", "bad"], "language": "en"}
    assert answer.query == {"top": ["3"]}


def test_a_text_that_names_a_file_stays_a_text(tmp_path: Path) -> None:
    (tmp_path / "note").write_text("secret")

    with client_of(service(sentiment)) as client:
        assert client.predict(text=[str(tmp_path / "note")])["json"]["text"] == [str(tmp_path / "note")]


def test_a_body_that_is_a_list_is_given_as_a_whole() -> None:
    def define(namespace: Namespace) -> type[Resource]:
        row = namespace.model("Row", {"x": fields.Float})

        class Predict(Resource):
            @namespace.expect([row])
            def post(self) -> dict[str, Any]:
                return received()

        return Predict

    with client_of(service(define)) as client:
        assert client.predict(payload=[{"x": 1.5}])["json"] == [{"x": 1.5}]


def test_a_model_that_answers_get_only_is_asked_with_get() -> None:
    def define(namespace: Namespace) -> type[Resource]:
        parser = namespace.parser()
        parser.add_argument("n", type=int)

        class Predict(Resource):
            @namespace.expect(parser)
            def get(self) -> dict[str, Any]:
                return received()

        return Predict

    with client_of(service(define)) as client:
        assert client.predict(n=2).query == {"n": ["2"]}


def test_a_predict_route_elsewhere_is_found() -> None:
    with client_of(service(sentiment, route="/v2/predict")) as client:
        assert client.predict(text=["a"]).status == "ok"


def test_an_unknown_keyword_is_refused_with_the_known_ones(detector: Client) -> None:
    with pytest.raises(BadParameter, match="'treshold'") as refused:
        detector.predict(image=PNG, treshold=0.5)
    assert refused.value.hint == "this model takes filter, image, label, mask, note, threshold"


@pytest.mark.parametrize(
    "value", ["nowhere.png", Path("nowhere.png"), "", "a\0b", ".", 5, io.StringIO("text"), [PNG]]
)
def test_what_is_no_file_is_refused_before_it_is_sent(value: Any, detector: Client) -> None:
    with pytest.raises(BadParameter, match="image"):
        detector.predict(image=value)


def test_the_description_is_asked_for_once() -> None:
    app = service(object_detector)
    asked: list[str] = []
    app.before_request(lambda: asked.append(request.path))

    with client_of(app) as client:
        client.predict(image=PNG)
        client.predict(image=PNG)

    assert asked == ["/swagger.json", "/model/predict", "/model/predict"]


def undescribed() -> Flask:
    app = Flask("undescribed")
    app.add_url_rule("/model/predict", view_func=received, methods=["POST"])
    return app


def test_without_a_description_files_are_guessed(tmp_path: Path) -> None:
    (tmp_path / "dog.png").write_bytes(PNG)

    with client_of(undescribed()) as client:
        assert client.predict(image=PNG, threshold=0.5).form == {"threshold": ["0.5"]}
        assert client.predict(image=str(tmp_path / "dog.png")).files.image.name == "dog.png"
        assert client.predict(text=["a"], n=1)["json"] == {"text": ["a"], "n": 1}


def test_a_handler_that_describes_nothing_is_guessed_too() -> None:
    def define(namespace: Namespace) -> type[Resource]:
        class Predict(Resource):
            def post(self) -> dict[str, Any]:
                return received()

        return Predict

    with client_of(service(define)) as client:
        assert client.predict(image=PNG).files.image.type == "image/png"


@pytest.mark.parametrize(
    "swagger",
    [
        [],
        {},
        {"paths": []},
        {"paths": {}},
        {"paths": {"/model/predict": {"post": {"parameters": [{"$ref": "#/no/where"}]}}}},
        {"paths": {"/model/predict": {"post": {"parameters": ["?"]}}}},
    ],
)
def test_a_description_that_makes_no_sense_is_passed_over(swagger: Any) -> None:
    app = undescribed()
    app.add_url_rule("/swagger.json", view_func=lambda: jsonify(swagger))

    with client_of(app) as client:
        assert client.predict(text="a")["json"] == {"text": "a"}


def test_a_description_that_goes_in_circles_ends() -> None:
    circle, tail = {"$ref": "#/definitions/A"}, {"$ref": "#/definitions/B"}
    body = {"name": "payload", "in": "body", "schema": circle}
    operations = {"post": {"parameters": [body]}}
    definitions = {
        "A": {"properties": {"text": {}}, "allOf": [circle, circle, tail]},
        "B": tail,
    }
    app = undescribed()
    swagger = {"paths": {"/model/predict": operations}, "definitions": definitions}
    app.add_url_rule("/swagger.json", view_func=lambda: jsonify(swagger))

    with client_of(app) as client:
        assert client.predict(text="a")["json"] == {"text": "a"}


# ------------------------------------------------------------------------------------------------- what comes back


def test_an_answer_is_a_dict_with_attributes_at_every_depth(detector: Client) -> None:
    answer = detector.predict(image=PNG)

    assert isinstance(answer, Answer)
    assert isinstance(answer, dict)
    assert answer.predictions[0].box[0].y == answer["predictions"][0]["box"][0]["y"] == 1


def test_a_missing_field_of_an_answer_names_those_that_are_there() -> None:
    with pytest.raises(AttributeError, match="no 'prediction', only status, predictions"):
        _ = Answer(status="ok", predictions=[]).prediction


def answering(*answers: Callable[[], Any]) -> Flask:
    """A service whose predict gives these answers one after the other, the last one for ever."""
    left = list(answers)
    app = Flask("answering")

    @app.post("/model/predict")
    def predict() -> Any:
        app.extensions["asked"] = app.extensions.get("asked", 0) + 1
        return (left.pop(0) if len(left) > 1 else left[0])()

    return app


def test_a_picture_comes_back_as_bytes_that_can_be_saved(tmp_path: Path) -> None:
    app = answering(lambda: send_file(io.BytesIO(PNG), mimetype="image/png"))

    with client_of(app) as client:
        picture = client.predict(image=PNG)

    assert isinstance(picture, Media)
    assert picture.media_type == "image/png"
    assert picture.save(tmp_path / "red.png").read_bytes() == PNG


def test_labels_metadata_and_health_are_asked() -> None:
    app = Flask("all")
    app.add_url_rule("/model/labels", "l", lambda: jsonify(count=1, labels=[{"id": 1, "name": "person"}]))
    app.add_url_rule("/model/metadata", "m", lambda: jsonify(id="max-x"))
    app.add_url_rule("/health", "h", lambda: (jsonify(status="error", reason="starting"), 503))

    with client_of(app) as client:
        assert client.labels().labels[0].name == "person"
        assert client.metadata().id == "max-x"
        assert client.health().reason == "starting"


def test_an_api_key_is_sent() -> None:
    app = answering(lambda: jsonify(key=request.headers["Authorization"]))

    with client_of(app, api_key="k1") as client:
        assert client.predict(x=1).key == "Bearer k1"


def refusal() -> Any:
    shape = {"status": "error", "code": "too_large", "message": "image: 60 Mpx", "hint": "send less"}
    return jsonify(shape | {"request_id": "r1"}), 413


def test_an_error_carries_the_words_of_the_service() -> None:
    with client_of(answering(refusal)) as client, pytest.raises(AnswerError) as refused:
        client.predict(image=PNG)

    error = refused.value
    assert (error.status, error.code, error.hint, error.request_id) == (413, "too_large", "send less", "r1")
    assert "image: 60 Mpx" in error.message


def test_a_missing_argument_of_an_original_service_is_named(detector: Client) -> None:
    with pytest.raises(AnswerError, match="validation failed: image: Missing required parameter") as refused:
        detector.predict(threshold=0.5)
    assert (refused.value.status, refused.value.code) == (400, "bad_input")


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (lambda: (jsonify(message="Invalid file type"), 400), "400: Invalid file type"),
        (lambda: (jsonify(status="error", message="Unknown user ID."), 400), "400: Unknown user ID."),
        (lambda: (jsonify(error="odd"), 400), "400: odd"),
        (lambda: (jsonify(["odd"]), 400), "400: "),
        (lambda: abort(404), "404: The requested URL was not found"),
        (lambda: Response("<html><title>502 Bad &amp; Gateway</title>", 502), "502: 502 Bad & Gateway"),
        (lambda: Response("", 500), "500: INTERNAL SERVER ERROR"),
        (lambda: Response("no room", 507, mimetype="text/plain"), "507: no room"),
    ],
)
def test_every_shape_of_error_is_understood(answer: Callable[[], Any], words: str) -> None:
    with client_of(answering(answer)) as client, pytest.raises(AnswerError) as refused:
        client.predict(x=1)

    assert refused.value.message.lower().startswith(words.lower())
    assert refused.value.code


def test_a_web_page_is_not_taken_for_an_answer() -> None:
    with (
        client_of(answering(lambda: "<h1>Welcome</h1>")) as client,
        pytest.raises(AnswerError, match="web page"),
    ):
        client.predict(x=1)


def test_broken_json_is_an_error() -> None:
    broken = answering(lambda: Response('{"status": ', mimetype="application/json"))

    with client_of(broken) as client, pytest.raises(AnswerError, match="no JSON"):
        client.predict(x=1)


def test_a_redirect_names_the_right_address() -> None:
    moved = answering(lambda: Response("", 301, {"Location": "https://service/"}))

    with client_of(moved) as client, pytest.raises(AnswerError) as refused:
        client.predict(x=1)
    assert "https://service/" in refused.value.hint


# ------------------------------------------------------------------------------------------------------- trying again


def busy(retry_after: str | None) -> Callable[[], Response]:
    headers = {} if retry_after is None else {"Retry-After": retry_after}
    return lambda: Response(
        '{"code": "overloaded", "message": "full"}', 503, headers, mimetype="application/json"
    )


@pytest.fixture
def pauses(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The seconds that were waited, without waiting."""
    waited: list[float] = []
    monkeypatch.setattr("maxfw.client.sleep", waited.append)
    return waited


def test_a_busy_service_is_asked_again_when_it_says_so(pauses: list[float]) -> None:
    in_20_s = format_datetime(datetime.now(UTC) + timedelta(seconds=20), usegmt=True)
    app = answering(busy("7"), busy(in_20_s), busy(None), lambda: jsonify(status="ok"))

    with client_of(app) as client:
        assert client.predict(image=PNG).status == "ok"

    assert pauses == [7, pytest.approx(20, abs=2), 1]


@pytest.mark.parametrize(
    ("asked", "waited"), [("86400", 60), ("Fri, 01 Jan 2010 00:00:00 GMT", 0), ("soon", 1), ("-5", 1)]
)
def test_odd_wishes_are_bounded(asked: str, waited: float, pauses: list[float]) -> None:
    with client_of(answering(busy(asked), lambda: jsonify(status="ok"))) as client:
        client.predict(x=1)

    assert pauses == [waited]


def test_a_service_that_stays_busy_is_an_error_after_the_retries(pauses: list[float]) -> None:
    app = answering(busy("0"))

    with client_of(app, retries=2) as client, pytest.raises(AnswerError, match="503: full") as refused:
        client.predict(x=1)

    assert refused.value.code == "overloaded"
    assert app.extensions["asked"] == 3


def test_a_request_that_may_have_been_worked_on_is_not_repeated(pauses: list[float]) -> None:
    app = answering(lambda: (jsonify(message="Internal Server Error"), 500))

    with client_of(app) as client, pytest.raises(AnswerError):
        client.predict(x=1)

    assert app.extensions["asked"] == 1


def test_no_service_is_told_with_a_hint_after_trying_again(pauses: list[float]) -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        url = f"127.0.0.1:{unused.getsockname()[1]}"

        with (
            Client(url) as client,
            pytest.raises(AnswerError, match=f"no connection to http://{url}") as refused,
        ):
            client.predict(x=1)

    assert "maxfw serve" in refused.value.hint
    assert len(pauses) == 3


# ------------------------------------------------------------------------------------------------------ real sockets


@pytest.fixture
def serve() -> Iterator[Callable[[Flask], str]]:
    running: list[tuple[Any, threading.Thread]] = []

    def start(app: Flask) -> str:
        server = make_server("127.0.0.1", 0, app, threaded=True)
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        running.append((server, thread))
        return f"http://127.0.0.1:{server.server_port}"

    yield start
    for server, thread in running:
        server.shutdown()
        thread.join()
        server.server_close()


def test_a_service_answers_over_a_socket(serve: Callable[[Flask], str]) -> None:
    with Client(serve(service(object_detector)) + "/") as client:
        assert client.predict(image=PNG, threshold=0.1).threshold == 0.1


def test_a_service_that_does_not_answer_in_time_is_an_error(serve: Callable[[Flask], str]) -> None:
    over = threading.Event()
    url = serve(answering(lambda: jsonify(done=over.wait(30))))

    try:
        with Client(url, timeout_s=0.3) as client, pytest.raises(AnswerError, match="did not answer in time"):
            client.predict(x=1)
    finally:
        over.set()


def test_a_connection_that_is_cut_is_an_error() -> None:
    listening = socket.create_server(("127.0.0.1", 0))
    hang_up = threading.Thread(target=lambda: listening.accept()[0].close())
    hang_up.start()

    with (
        Client(f"http://127.0.0.1:{listening.getsockname()[1]}") as client,
        pytest.raises(AnswerError, match="did not answer"),
    ):
        client.metadata()
    hang_up.join()
    listening.close()


# ----------------------------------------------------------------------------------------------------------- imports


def test_importing_the_client_brings_neither_httpx_nor_flask() -> None:
    code = "import sys, maxfw.client; print({'httpx', 'flask', 'numpy', 'PIL'} & set(sys.modules))"

    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert told.stdout.strip() == "set()"


def test_without_the_extra_the_pip_line_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "httpx", None)

    with pytest.raises(MissingExtra, match=r"pip install 'maxfw\[client\]'"):
        Client()
