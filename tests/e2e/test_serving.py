"""Real processes: serve, many at once, half a request, the end."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import pytest

pytestmark = pytest.mark.slow

MODEL = """
import os, time
from maxfw.model import MAXModelWrapper
from maxfw.tasks import TextClassification

class ModelWrapper(MAXModelWrapper):
    task = TextClassification(labels=["length", "process"])
    max_batch_size = 8
    def __init__(self, path=None):
        with open(os.environ["LOADS_FILE"], "a") as loads:
            print(os.getpid(), file=loads)
    def _pre_process(self, text):
        if text == "slow":
            time.sleep(1.5)
        return text
    def _predict_batch(self, texts):
        return [{"length": len(text) / 1000, "process": os.getpid() / 2**22} for text in texts]
"""

Serve = Callable[..., tuple[subprocess.Popen[str], str, Path]]


@pytest.fixture
def serve(start: Callable[..., subprocess.Popen[str]], free_port: int, tmp_path: Path) -> Serve:
    """Serve a small model with `maxfw serve` → the process, its URL, and the file that every load is noted in."""

    def run(*options: str, **environment: str) -> tuple[subprocess.Popen[str], str, Path]:
        (tmp_path / "small").mkdir()
        (tmp_path / "small/model.py").write_text(MODEL, encoding="utf-8")
        loads = tmp_path / "loads"
        words = ["-m", "maxfw", "serve", "./small", "--port", str(free_port), *options]
        process = start(*words, port=free_port, cwd=tmp_path, LOADS_FILE=str(loads), **environment)
        url = f"http://127.0.0.1:{free_port}"
        wait_until_ready(url)
        return process, url, loads

    return run


def wait_until_ready(url: str) -> None:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        try:
            if httpx.get(url + "/health/ready", timeout=30).status_code == 200:
                return
        except httpx.TransportError:
            time.sleep(0.05)
    raise AssertionError("never became ready")


def ask(url: str, text: str, client: httpx.Client | None = None) -> dict[str, float]:
    answer = (client or httpx).post(url + "/model/predict", json={"text": [text]}, timeout=30)
    assert answer.status_code == 200, answer.text
    found: dict[str, float] = answer.json()["predictions"][0][0]
    return found


def test_200_requests_at_once_each_get_their_own_answer(serve: Serve) -> None:
    _, url, _ = serve()
    texts = ["x" * length for length in range(1, 201)]

    with ThreadPoolExecutor(50) as pool, httpx.Client() as client:
        answers = list(pool.map(lambda text: ask(url, text, client)["length"], texts))

    assert answers == [length / 1000 for length in range(1, 201)]


def test_the_first_lines_say_where_it_listens_and_a_curl_line_that_works(serve: Serve) -> None:
    process, url, _ = serve()
    process.send_signal(signal.SIGTERM)
    assert process.wait(20) == 0
    assert process.stdout is not None
    output = process.stdout.read()

    assert f"listening on {url}" in output
    assert "curl -H 'Content-Type: application/json'" in output
    assert "Traceback" not in output


def test_a_request_in_flight_is_answered_after_sigterm(serve: Serve) -> None:
    process, url, _ = serve()

    with ThreadPoolExecutor(1) as pool:
        answer = pool.submit(ask, url, "slow")
        time.sleep(0.5)
        process.send_signal(signal.SIGTERM)
        assert answer.result(20)["length"] == 0.004

    assert process.wait(20) == 0


@pytest.mark.parametrize("workers", ["1", "2"])
def test_a_server_under_load_ends_soon_after_sigterm_and_answers_whoever_it_has_read(
    serve: Serve, workers: str
) -> None:
    process, url, _ = serve("--workers", workers)
    ended = threading.Event()
    statuses: list[int] = []

    def keep_asking() -> None:
        with httpx.Client() as client:
            while not ended.is_set():
                try:
                    statuses.append(client.post(url + "/model/predict", json={"text": ["x"]}).status_code)
                except httpx.TransportError:
                    return  # refused, or the connection was closed before it was taken

    threads = [threading.Thread(target=keep_asking) for _ in range(16)]
    for thread in threads:
        thread.start()
    deadline = time.monotonic() + 30
    while statuses.count(200) <= 16 and time.monotonic() < deadline:
        time.sleep(0.01)
    process.send_signal(signal.SIGTERM)
    code = process.wait(25)  # shorter than the time of grace
    ended.set()
    for thread in threads:
        thread.join(30)

    assert code == 0
    assert set(statuses) <= {200, 503}
    assert statuses.count(200) > 16


def test_two_workers_load_one_model_each_and_both_answer(serve: Serve) -> None:
    process, url, loads = serve("--workers", "2")
    deadline = time.monotonic() + 60
    served_by: set[int] = set()
    while len(served_by) < 2 and time.monotonic() < deadline:
        served_by.add(round(ask(url, "who")["process"] * 2**22))

    loaded = [int(line) for line in loads.read_text(encoding="utf-8").split()]
    assert sorted(loaded) == sorted(served_by)
    assert process.pid not in served_by

    process.send_signal(signal.SIGTERM)
    assert process.wait(30) == 0
    for pid in served_by:
        with pytest.raises(ProcessLookupError):
            os.kill(pid, 0)


def test_the_workers_end_with_their_supervisor_however_it_ends(serve: Serve) -> None:
    process, _, loads = serve("--workers", "2")
    process.kill()
    process.wait(10)

    deadline = time.monotonic() + 20
    left = {int(line) for line in loads.read_text(encoding="utf-8").split()}
    while left and time.monotonic() < deadline:
        left = {pid for pid in left if Path(f"/proc/{pid}").exists()}
        time.sleep(0.05)

    assert not left


def test_a_worker_that_dies_is_replaced(serve: Serve) -> None:
    _, url, loads = serve("--workers", "2")
    victim = round(ask(url, "who")["process"] * 2**22)

    os.kill(victim, signal.SIGKILL)
    deadline = time.monotonic() + 60
    while len(loads.read_text(encoding="utf-8").split()) < 3 and time.monotonic() < deadline:
        time.sleep(0.05)

    assert len(set(loads.read_text(encoding="utf-8").split())) == 3
    wait_until_ready(url)
    assert ask(url, "next")["length"] == 0.004


def raw(url: str, request: bytes, *, close: bool = False) -> bytes:
    """What comes back for bytes that need be no request."""
    port = int(url.rsplit(":", 1)[1])
    with socket.create_connection(("127.0.0.1", port), timeout=15) as connection:
        connection.sendall(request)
        if close:
            connection.shutdown(socket.SHUT_WR)
        answer = b""
        while chunk := connection.recv(65536):
            answer += chunk
        return answer


HEAD = b"POST /model/predict HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"


def test_half_a_request_is_refused_in_time_and_holds_nobody_up(serve: Serve) -> None:
    _, url, _ = serve(MAXFW_BODY_TIMEOUT_S="1")
    port = int(url.rsplit(":", 1)[1])
    halves = [socket.create_connection(("127.0.0.1", port)) for _ in range(60)]
    for half in halves:
        half.sendall(HEAD + b"Content-Length: 100\r\n\r\n{")

    started = time.monotonic()
    assert ask(url, "x")["length"] == 0.001
    assert (
        time.monotonic() - started < 5
    )  # the halves wait for 1 s and hold 60 of 16 threads, if they hold any

    for half in halves:
        half.settimeout(15)
        answer = half.recv(65536)
        assert answer.startswith(b"HTTP/1.1 408")
        assert b"x-request-id: " in answer
        half.close()


@pytest.mark.parametrize(
    ("request_", "close", "status"),
    [
        (HEAD + b"Content-Length: 100\r\n\r\n{}", True, b"400"),
        (HEAD + b"Content-Length: 99999999999\r\n\r\n", False, b"413"),
        (HEAD + b"Transfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n", False, b"400"),
        (b"GET / HTTP/1.1\r\nHost: x\r\nX: " + b"a" * 70_000 + b"\r\n\r\n", False, b"431"),
        (b"nonsense\r\n\r\n", False, b"400"),
    ],
    ids=["cut", "huge", "chunked", "long head", "nonsense"],
)
def test_what_is_no_request_is_refused_and_the_next_one_works(
    serve: Serve, request_: bytes, close: bool, status: bytes
) -> None:
    _, url, _ = serve()

    answer = raw(url, request_.replace(b"\r\nHost", b"\r\nConnection: close\r\nHost"), close=close)

    assert answer.split(b" ")[1] == status, answer
    assert ask(url, "x")["length"] == 0.001


def test_what_the_app_sees_of_a_request_is_what_was_sent(serve: Serve) -> None:
    _, url, _ = serve()

    head = httpx.head(url + "/model/metadata")
    get = httpx.get(url + "/model/metadata", headers={"X-Request-ID": "mine"})
    missing = httpx.get(url + "/a%20b/%C3%A9?x=%2F")

    assert head.content == b""
    assert head.headers["content-length"] == get.headers["content-length"]
    assert get.headers["x-request-id"] == "mine"
    assert "/a b/é" in missing.json()["message"]
    # Once undone is enough: %2570 is %70, not p.
    assert httpx.get(url + "/model/%2570redict").status_code == 404


def test_a_taken_port_is_said_in_one_line() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        words = [sys.executable, "-m", "maxfw", "serve", "--port", str(port), "--workers", "2"]
        run = subprocess.run(words, capture_output=True, text=True, check=False, timeout=60)

    assert run.returncode == 2
    assert run.stderr.count("\n") == 1
    assert f"cannot listen on 127.0.0.1:{port}: Address already in use" in run.stderr


def test_a_model_that_cannot_load_ends_the_server_with_one_line(tmp_path: Path) -> None:
    (tmp_path / "model.py").write_text("import nonsense_that_is_not_there", encoding="utf-8")
    words = [sys.executable, "-m", "maxfw", "serve", str(tmp_path), "--port", "0"]
    run = subprocess.run(words, capture_output=True, text=True, check=False, timeout=60)

    assert run.returncode == 2
    assert run.stderr.count("\n") == 1
    assert "model.py:1" in run.stderr
