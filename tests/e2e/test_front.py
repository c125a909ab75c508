"""The front of a real server: framing, streams, keys, TLS, metrics of several workers, clients that leave."""

from __future__ import annotations

import http.client
import json
import re
import shutil
import socket
import ssl
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest

from maxfw.cli.key import command as key_command
from maxfw.errors import BadSetting
from maxfw.settings import check_tls, load_settings

pytestmark = pytest.mark.slow

MODEL = """
import os, time
from maxfw.model import MAXModelWrapper
from maxfw.tasks import TextClassification

class ModelWrapper(MAXModelWrapper):
    task = TextClassification(labels=["length", "runs"])
    runs = 0
    def _predict(self, text):
        if text.startswith("sleep"):
            time.sleep(float(text[5:]))
        type(self).runs += 1
        return {"length": len(text) / 1000, "runs": self.runs / 1000}
"""

OLD = """
from flask import Response, request
from maxfw.core import MAXApp, MAX_API, PredictAPI

class Predict(PredictAPI):
    def post(self):
        return {"length": len(request.get_data()), "tokens": request.headers.get("X-Token")}

max = MAXApp("old")
max.add_api(Predict, "/predict")

@max.app.get("/stream")
def stream():
    return Response((b"%d," % number * 100_000 for number in range(30)), mimetype="text/plain")

max.run()
"""

Run = Callable[..., tuple[subprocess.Popen[str], str]]


@pytest.fixture
def serve(start: Callable[..., subprocess.Popen[str]], free_port: int, tmp_path: Path) -> Run:
    def run(*options: str, old: bool = False, scheme: str = "http", **environment: str):
        folder = tmp_path / "model"
        folder.mkdir()
        (folder / ("app.py" if old else "model.py")).write_text(OLD if old else MODEL, encoding="utf-8")
        words = ["-m", "maxfw", "serve", "./model", "--port", str(free_port), *options]
        process = start(*words, port=free_port, cwd=tmp_path, MAXFW_HOST="127.0.0.1", **environment)
        return process, f"{scheme}://127.0.0.1:{free_port}"

    return run


def connect(url: str) -> socket.socket:
    return socket.create_connection(("127.0.0.1", int(url.rsplit(":", 1)[1])), timeout=20)


def until(condition: Callable[[], bool], what: str) -> None:
    deadline = time.monotonic() + 30
    while not condition():
        assert time.monotonic() < deadline, what
        time.sleep(0.02)


HEAD = b"POST /model/predict HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Type: application/json\r\n"


@pytest.mark.parametrize(
    ("chunks", "status"),
    [
        (b'9\r\n{"text":[\r\n5\r\n"a"]}\r\n0\r\n\r\n', b"200"),
        (b'9\r\n{"text":[\r\n', b"400"),  # a whole chunk, and no end
        (b'9\r\n{"tex', b"400"),  # half a chunk
    ],
    ids=["whole", "no end", "half a chunk"],
)
def test_a_chunked_body_is_whole_or_refused(serve: Run, chunks: bytes, status: bytes) -> None:
    _, url = serve()
    with connect(url) as client:
        client.sendall(HEAD + b"Transfer-Encoding: chunked\r\n\r\n" + chunks)
        client.shutdown(socket.SHUT_WR)
        answer = client.recv(65536)

    # Whoever closes both ways at once may get nothing; nobody gets an answer to half a request.
    assert answer.split(b" ")[1:2] in ([status], []), answer
    assert (
        httpx.post(url + "/model/predict", json={"text": ["x"]}).json()["predictions"][0][0]["runs"] <= 0.004
    )


def test_a_long_head_is_refused_in_our_words(serve: Run) -> None:
    _, url = serve()
    refused = httpx.get(url + "/model/metadata", headers={"X-Long": "x" * 9000})

    assert (refused.status_code, refused.json()["code"]) == (431, "head_too_large")


def test_an_answer_in_pieces_comes_in_pieces_and_whole(serve: Run) -> None:
    _, url = serve(old=True)
    with httpx.stream("GET", url + "/stream", timeout=30) as answer:
        assert answer.headers["transfer-encoding"] == "chunked"
        content = answer.read()

    assert len(content) == sum(len(b"%d," % number) * 100_000 for number in range(30))
    body = b"x" * 300_000
    answer = httpx.post(url + "/model/predict", content=body, headers=[("X-Token", "a"), ("X-Token", "b")])
    assert answer.json() == {"length": 300_000, "tokens": "a,b"}


def test_without_a_key_the_body_is_not_even_read(serve: Run) -> None:
    from click.testing import CliRunner

    printed = CliRunner().invoke(key_command).output
    key, setting = re.findall(r"(?:X-API-Key: |MAXFW_API_KEYS=)(\S+)", printed)
    _, url = serve(MAXFW_API_KEYS=setting)
    with connect(url) as client:
        client.sendall(HEAD + b"Content-Length: 100\r\n\r\n")
        assert client.recv(65536).startswith(b"HTTP/1.1 401")

    assert httpx.post(url + "/model/predict", json={"text": ["x"]}, headers={"X-API-Key": key}).is_success


@pytest.fixture
def certificate(tmp_path: Path) -> tuple[Path, Path]:
    if shutil.which("openssl") is None:
        pytest.skip("needs openssl")
    cert, key = tmp_path / "cert.pem", tmp_path / "key.pem"
    options = "-x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=localhost -addext subjectAltName=IP:127.0.0.1"
    subprocess.run(
        ["openssl", "req", *options.split(), "-keyout", str(key), "-out", str(cert)],
        check=True,
        capture_output=True,
    )
    return cert, key


def test_it_speaks_tls(serve: Run, certificate: tuple[Path, Path]) -> None:
    cert, key = certificate
    process, url = serve("--tls-cert", str(cert), "--tls-key", str(key), scheme="https")
    trusted = ssl.create_default_context(cafile=str(cert))

    answer = httpx.post(url + "/model/predict", json={"text": ["x"]}, verify=trusted)
    assert answer.json()["predictions"][0][0]["length"] == 0.001
    process.terminate()
    assert process.wait(30) == 0
    assert process.stdout is not None
    output = process.stdout.read()
    assert f"listening on {url}" in output
    assert f"{url.replace('127.0.0.1', 'localhost')}/model/predict" in output


def test_a_key_of_another_certificate_is_refused(certificate: tuple[Path, Path], tmp_path: Path) -> None:
    cert, key = map(str, certificate)
    check_tls(load_settings({}, tls_cert=cert, tls_key=key, tls_client_ca=cert))
    other, locked = tmp_path / "other.pem", tmp_path / "locked.pem"
    make = ["openssl", "genpkey", "-algorithm", "RSA", "-out", str(other)]
    subprocess.run(make, check=True, capture_output=True)
    lock = ["openssl", "pkcs8", "-topk8", "-in", key, "-out", str(locked), "-passout", "pass:secret"]
    subprocess.run(lock, check=True, capture_output=True)

    for wrong in (str(other), str(locked), cert):
        with pytest.raises(BadSetting, match="are no certificate and its key"):
            check_tls(load_settings({}, tls_cert=cert, tls_key=wrong))
    with pytest.raises(BadSetting, match="MAXFW_TLS_CLIENT_CA"):
        check_tls(load_settings({}, tls_cert=cert, tls_key=key, tls_client_ca=key))


def test_the_metrics_of_all_workers_are_added_up_and_their_folder_goes_with_them(serve: Run) -> None:
    process, url = serve("--workers", "2")
    for _ in range(40):  # each over a connection of its own, so that both workers are asked
        assert httpx.post(url + "/model/predict", json={"text": ["x"]}).is_success
    counted = re.compile(r'maxfw_requests_total\{method="POST",route="/model/predict",status="200"\} (\d+)')

    def all_are_counted() -> bool:  # the other worker's within a quarter of a second
        found = counted.search(httpx.get(url + "/metrics").text)
        return found is not None and int(found[1]) == 40

    until(all_are_counted, "not all were counted")
    folders = [*Path("/dev/shm").glob("maxfw-metrics-*")] if Path("/dev/shm").is_dir() else []
    process.terminate()
    assert process.wait(30) == 0
    assert not folders or len([*Path("/dev/shm").glob("maxfw-metrics-*")]) < len(folders)


@pytest.fixture
def hurried(serve: Run) -> str:
    """A server that lets nobody wait for long."""
    _, url = serve(MAXFW_PREDICT_TIMEOUT_S="1")
    return url


def test_whoever_waits_too_long_is_told_so_and_the_next_is_served(hurried: str) -> None:
    late = httpx.post(hurried + "/model/predict", json={"text": ["sleep3"]}, timeout=30)
    assert (late.status_code, late.json()["code"]) == (504, "deadline_exceeded")

    until(
        lambda: httpx.post(hurried + "/model/predict", json={"text": ["x"]}).is_success, "never served again"
    )


def test_a_request_whose_client_has_left_never_runs(serve: Run) -> None:
    _, url = serve()
    body = b'{"text": ["sleep4"]}'
    with connect(url) as first:
        first.sendall(HEAD + b"Content-Length: %d\r\n\r\n" % len(body) + body)
        time.sleep(0.3)  # it is with the model now
        for _ in range(5):
            with connect(url) as leaving:
                leaving.sendall(HEAD + b"Content-Length: 15\r\n\r\n" + b'{"text": ["x"]}')
                time.sleep(0.4)  # longer than it takes to be watched
        first.recv(65536)
    answer = httpx.post(url + "/model/predict", json={"text": ["last"]}).json()

    assert answer["predictions"][0][0]["runs"] <= 0.004  # two texts of the canary, the first, the last


def test_a_worker_whose_model_never_returns_is_replaced(serve: Run) -> None:
    process, url = serve("--workers", "2", MAXFW_PREDICT_TIMEOUT_S="0.5")
    stuck = httpx.post(url + "/model/predict", json={"text": ["sleep600"]}, timeout=30)
    assert stuck.status_code == 504

    log = ""
    assert process.stdout is not None
    while "starting another" not in log:
        line = process.stdout.readline()
        assert line, log
        log += line
    assert "the model has not returned" in log
    for _ in range(20):
        assert httpx.post(url + "/model/predict", json={"text": ["x"]}, timeout=30).is_success


def test_every_request_is_a_line_of_json_on_stderr(serve: Run) -> None:
    process, url = serve()
    httpx.post(url + "/model/predict", json={"text": ["x"]}, headers={"X-Request-ID": "one"})
    httpx.post(url + "/model/predict", content=b"x" * 2_000_000, headers={"X-Request-ID": "two"})
    process.terminate()
    process.wait(30)
    assert process.stdout is not None
    lines = [json.loads(line) for line in process.stdout.read().splitlines() if line.startswith("{")]

    by_id = {line["request_id"]: line for line in lines}
    assert by_id["one"]["status"] == 200
    assert by_id["two"]["code"] == "too_large"


def test_a_connection_ends_when_half_a_request_was_refused(serve: Run) -> None:
    _, url = serve(MAXFW_BODY_TIMEOUT_S="0.5")
    halves = [
        HEAD.replace(b"Connection: close\r\n", b"") + framing
        for framing in (
            b"Content-Length: 100\r\n\r\n{",
            b"Content-Length: 900000\r\n\r\n{",
            b"Transfer-Encoding: chunked\r\n\r\n1\r\n{\r\n",
        )
    ]
    for half in halves:
        with connect(url) as client:
            client.sendall(half)
            answer = b""
            while piece := client.recv(65536):  # ends with the connection; a timeout fails the test
                answer += piece
        assert answer.startswith(b"HTTP/1.1 408"), answer


@pytest.mark.parametrize("path", ["/nowhere", "/model/predict/", "/model/predict"])
def test_a_client_that_sends_everything_first_reads_its_refusal(serve: Run, path: str) -> None:
    _, url = serve()
    client = http.client.HTTPConnection("127.0.0.1", int(url.rsplit(":", 1)[1]), timeout=20)
    client.request("POST", path, b"x" * 15_000_000, {"Content-Type": "application/json"})

    assert client.getresponse().status == (413 if path == "/model/predict" else 404)
    client.close()


def test_a_request_is_counted_and_logged_once_with_its_route_and_client(serve: Run) -> None:
    process, url = serve(MAXFW_PREDICT_TIMEOUT_S="0.5", MAXFW_CORS="*")  # with Flask
    late = httpx.post(
        url + "/model/predict",
        json={"text": ["sleep2"]},
        headers={"X-Request-ID": "late", "Origin": "https://a.org"},
    )
    assert late.status_code == 504
    assert late.headers["access-control-allow-origin"] in ("*", "https://a.org")
    until(lambda: httpx.post(url + "/model/predict", json={"text": ["x"]}).is_success, "never served again")
    page = httpx.get(url + "/metrics").text
    process.terminate()
    process.wait(30)
    assert process.stdout is not None
    lines = [json.loads(line) for line in process.stdout.read().splitlines() if '"late"' in line]

    assert [(line["status"], line["client"], line["code"]) for line in lines] == [
        (504, "127.0.0.1", "deadline_exceeded")
    ]
    assert 'maxfw_requests_total{method="POST",route="/model/predict",status="504"}' in page
