"""What every request passes: keys, ids, compressed bodies, metrics, logs and the model's own sample."""

from __future__ import annotations

import gzip
import hashlib
import json
import threading
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import msgspec
import numpy as np
import pytest
from flask import Flask
from flask.testing import FlaskClient

from maxfw.errors import BadSetting, Overloaded
from maxfw.model import MAXModelWrapper
from maxfw.settings import Settings, load_settings
from maxfw.tasks.text_classification import TextClassification
from maxfw.web import old
from maxfw.web.app import create_app

TEXT = {"json": {"text": ["HELLO"]}}
KEY = "let-me-in"
HASH = hashlib.sha256(KEY.encode()).hexdigest()


@contextmanager
def client_of(model: MAXModelWrapper, **settings: Any) -> Iterator[FlaskClient]:
    app = create_app(model, load_settings({}, **settings))
    try:
        yield app.test_client()
    finally:
        app.extensions["maxfw"].close()


@pytest.fixture
def client(loudness: MAXModelWrapper) -> Iterator[FlaskClient]:
    with client_of(loudness) as client:
        yield client


# ------------------------------------------------------------------------------------------------------------ keys


@pytest.mark.parametrize("headers", [{"X-API-Key": KEY}, {"Authorization": f"Bearer {KEY}"}])
def test_a_known_key_opens(loudness: MAXModelWrapper, headers: dict[str, str]) -> None:
    with client_of(loudness, api_keys=f"{'0' * 64}, sha256:{HASH}") as client:
        assert client.post("/model/predict", headers=headers, **TEXT).status_code == 200
        assert client.get("/metrics", headers=headers).status_code == 200


@pytest.mark.parametrize(
    "headers", [{}, {"X-API-Key": "wrong"}, {"X-API-Key": HASH}, {"Authorization": f"Basic {KEY}"}]
)
def test_without_a_known_key_only_pages_and_health_are_open(
    loudness: MAXModelWrapper, headers: dict[str, str]
) -> None:
    with client_of(loudness, api_keys=HASH) as client:
        for path in ("/model/metadata", "/model/labels", "/metrics"):
            refused = client.get(path, headers=headers)
            assert (refused.status_code, refused.json["code"]) == (401, "unauthorized")
            assert refused.headers["WWW-Authenticate"] == "Bearer"
            assert "X-API-Key" in refused.json["hint"]
        assert client.post("/model/predict", headers=headers, **TEXT).status_code == 401
        for path in ("/", "/app", "/swagger.json", "/health/live"):
            assert client.get(path, headers=headers).status_code in (200, 302, 307, 308)
        assert client.options("/model/predict", headers=headers).status_code == 200


def test_a_key_in_the_settings_that_is_no_hash_is_refused_without_showing_it(
    loudness: MAXModelWrapper,
) -> None:
    with pytest.raises(BadSetting) as refused, client_of(loudness, api_keys=KEY):
        pass
    assert KEY not in refused.value.message


# ---------------------------------------------------------------------------------------------- compressed bodies

BODY = json.dumps(TEXT["json"]).encode()


@pytest.mark.parametrize(
    ("encoding", "compressed"), [("gzip", gzip.compress(BODY)), ("deflate", zlib.compress(BODY))]
)
def test_a_compressed_body_is_read(client: FlaskClient, encoding: str, compressed: bytes) -> None:
    headers = {"Content-Encoding": encoding, "Content-Type": "application/json"}
    answer = client.post("/model/predict", data=compressed, headers=headers)

    assert answer.status_code == 200, answer.text


@pytest.mark.parametrize(
    ("compressed", "status"),
    [
        (gzip.compress(b" " * 50_000_000), 413),
        (gzip.compress(BODY)[:-9], 400),
        (gzip.compress(b" " * 25_000_000) + gzip.compress(b" " * 25_000_000), 413),
        (gzip.compress(b"") * 10_001, 413),
        (gzip.compress(BODY) + gzip.compress(BODY)[:-9], 400),
        (gzip.compress(BODY) + b"and more", 400),
        (b"no gzip at all", 400),
    ],
    ids=["bomb", "cut", "bomb in two", "many members", "second cut", "trailing", "nonsense"],
)
def test_a_compressed_body_is_bounded_when_it_is_plain(
    client: FlaskClient, compressed: bytes, status: int
) -> None:
    headers = {"Content-Encoding": "gzip", "Content-Type": "application/json"}
    answer = client.post("/model/predict", data=compressed, headers=headers)

    assert answer.status_code == status
    assert client.post("/model/predict", **TEXT).status_code == 200


def test_a_body_of_several_gzip_members_is_read_whole(client: FlaskClient) -> None:
    headers = {"Content-Encoding": "gzip", "Content-Type": "application/json"}
    members = gzip.compress(BODY[:7]) + gzip.compress(b"") + gzip.compress(BODY[7:]) + b"\0" * 70_000
    answer = client.post("/model/predict", data=members, headers=headers)

    assert answer.status_code == 200, answer.text


def test_an_empty_body_that_is_called_compressed_is_an_empty_body(client: FlaskClient) -> None:
    said = client.post("/model/predict", data=b"", headers={"Content-Type": "application/json"}).json
    headers = {"Content-Encoding": "gzip", "Content-Type": "application/json"}
    answer = client.post("/model/predict", data=b"", headers=headers)

    assert answer.status_code == 400
    assert (answer.json["code"], answer.json["message"]) == (said["code"], said["message"])


# ------------------------------------------------------------------------------------------------ metrics and logs


def test_metrics_count_by_route_and_never_by_what_a_stranger_chose(client: FlaskClient) -> None:
    client.post("/model/predict", **TEXT)
    for number in range(300):
        client.open(f"/nowhere/{number}", method=f"M{number}")
    page = client.get("/metrics")

    assert page.content_type.startswith("text/plain")
    assert 'maxfw_requests_total{method="POST",route="/model/predict",status="200"} 1.0' in page.text
    assert 'route="other"' in page.text
    assert "nowhere" not in page.text
    assert "M7" not in page.text
    assert len(page.data) < 100_000
    for name in ("stage_seconds", "batch_seconds", "batch_size", "queue_length", "info"):
        assert f"maxfw_{name}" in page.text


def test_the_steps_of_a_request_are_in_a_header(client: FlaskClient) -> None:
    timing = client.post("/model/predict", **TEXT).headers["Server-Timing"]

    assert [step.partition(";")[0] for step in timing.split(", ")] == ["decode", "queue", "predict", "encode"]


def test_a_request_is_one_line_of_json(client: FlaskClient, capfd: pytest.CaptureFixture[str]) -> None:
    client.post("/model/predict", headers={"X-Request-ID": "mine"}, **TEXT)
    client.get("/a\nb\x1b[31m", headers={"X-Request-ID": "evil id"})
    log = client.application.extensions["maxfw.door"]._log
    log.flush(wait_s=10)
    first, second = (json.loads(line) for line in capfd.readouterr().err.splitlines())

    assert (first["request_id"], first["status"], first["path"]) == ("mine", 200, "/model/predict")
    assert {
        "decode_ms",
        "queue_ms",
        "predict_ms",
        "encode_ms",
        "ms",
        "time",
        "bytes_in",
        "bytes_out",
    } <= first.keys()
    assert (second["status"], second["code"]) == (404, "not_found")
    assert second["request_id"] != "evil id"


def test_the_log_can_be_off(loudness: MAXModelWrapper, capfd: pytest.CaptureFixture[str]) -> None:
    with client_of(loudness, access_log="off") as client:
        client.post("/model/predict", **TEXT)
        client.application.extensions["maxfw.door"]._log.flush(wait_s=10)
    assert capfd.readouterr().err == ""


def test_limits_are_published(client: FlaskClient) -> None:
    limits = client.get("/model/metadata").json["limits"]

    assert limits["request"] == {
        "header_bytes": 8192,
        "header_seconds": 10,
        "body_seconds": 30.0,
        "predict_seconds": 60.0,
    }


# --------------------------------------------------------------------------------------------------------- health


class Moody(MAXModelWrapper):
    """A model that can be made to fail or to hang."""

    task = TextClassification(labels=["a"])

    def __init__(self) -> None:
        self.mood = "good"
        self.gate = threading.Event()

    def _predict(self, x: Any) -> Any:
        if self.mood == "bad":
            raise ValueError("not today")
        if self.mood == "stuck":
            self.gate.wait(60)
        return np.array([0.5])


def ready(client: FlaskClient, status: int) -> Any:
    """The answer of `/health/ready` when it has this status, which takes an answer of the model at most."""
    pause = threading.Event()
    for _ in range(500):
        answer = client.get("/health/ready")
        if answer.status_code == status and "not answered" not in answer.text:
            return answer
        pause.wait(0.01)
    raise AssertionError(answer.text)


def test_a_service_is_ready_when_its_model_has_answered_its_sample() -> None:
    with client_of(Moody()) as client:
        assert client.get("/health/ready").status_code == 503  # nobody has asked the model yet
        assert ready(client, 200).json == {"status": "ok"}


def test_a_model_that_fails_its_sample_is_not_ready_but_alive() -> None:
    model = Moody()
    model.mood = "bad"
    with client_of(model) as client:
        refused = ready(client, 503)
        assert "model_failed" in refused.json["reason"]
        assert "not today" not in refused.text
        assert client.get("/health/live").status_code == 200


def test_the_sample_is_asked_again_when_it_was_too_long_ago() -> None:
    model = Moody()
    with client_of(model, canary_s=1) as client:
        ready(client, 200)
        model.mood = "bad"
        client.application.extensions["maxfw.health"]._checked_at -= 2
        ready(client, 503)


def test_a_stuck_model_is_neither_ready_nor_for_long_alive() -> None:
    model = Moody()
    with client_of(model, predict_timeout_s=0.05) as client:
        ready(client, 200)
        model.mood = "stuck"
        assert client.post("/model/predict", **TEXT).status_code == 504
        pause = threading.Event()
        for path, reason in (("/health/ready", "stuck"), ("/health/live", "has not returned")):
            for _ in range(500):
                answer = client.get(path)
                if answer.status_code == 503:
                    break
                pause.wait(0.01)
            assert answer.status_code == 503
            assert reason in answer.json["reason"] or "has not returned" in answer.json["reason"]
        model.gate.set()


def test_whoever_shuts_down_is_not_ready(client: FlaskClient) -> None:
    client.application.extensions["maxfw.health"].draining = True

    assert client.get("/health/ready").status_code == 503
    assert client.get("/health/live").status_code == 200


def test_a_redirect_never_leads_to_a_host_that_a_stranger_named(client: FlaskClient) -> None:
    client.application.add_url_rule("/folder/", "folder", lambda: "here")
    for path, place in (("/app", "app/"), ("/folder?x=1", "/folder/?x=1")):
        moved = client.get(path, headers={"Host": "evil.example"})
        assert moved.status_code in (302, 307, 308)
        assert moved.headers["Location"] == place


def test_a_busy_model_that_was_not_right_stays_not_ready(monkeypatch: pytest.MonkeyPatch) -> None:
    model = Moody()
    model.mood = "bad"
    with client_of(model) as client:
        ready(client, 503)
        health = client.application.extensions["maxfw.health"]

        def busy(*_: Any) -> None:
            raise Overloaded("busy")

        monkeypatch.setattr(client.application.extensions["maxfw"], "begin", busy)
        health._ask(client.application.extensions["maxfw"])
        assert client.get("/health/ready").status_code == 503


# ------------------------------------------------------------------------------------------------------ old style


def test_an_old_app_gets_health_metrics_and_keys_and_keeps_its_own_bodies(settings: Settings) -> None:
    app = Flask(__name__)
    app.add_url_rule("/model/predict", "predict", lambda: ("mine", 418), methods=["POST"])
    old.prepare(app, msgspec.structs.replace(settings, api_keys=HASH))
    client = app.test_client()

    assert client.post("/model/predict").json == {"message": "this service needs an API key"}
    answer = client.post("/model/predict", headers={"X-API-Key": KEY})
    assert (answer.status_code, answer.text) == (418, "mine")
    assert client.get("/health/ready").json == {"status": "ok"}
    assert 'route="/model/predict"' in client.get("/metrics", headers={"X-API-Key": KEY}).text
