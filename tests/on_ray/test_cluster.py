"""A model on Ray: the same answers as from our own server, on two nodes, of which one may die."""

from __future__ import annotations

import re
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.conftest import Start
from tests.on_ray.conftest import png, running, wait_until

pytestmark = [pytest.mark.ray, pytest.mark.slow]

Deploy = Callable[..., str]


def chunks() -> Any:
    yield b'--x\r\nContent-Disposition: form-data; name="image"; filename="a.png"\r\n\r\n'
    yield png()
    yield b"\r\n--x--\r\n"


PICTURE = {"image": ("a.png", png())}
REQUESTS: dict[str, dict[str, Any]] = {
    "an answer": {"url": "/model/predict", "files": PICTURE},
    "a parameter": {"url": "/model/predict", "files": PICTURE, "data": {"stretch": "2"}},
    "a parameter in the address": {"url": "/model/predict?stretch=2", "files": PICTURE},
    "an unknown parameter": {"url": "/model/predict", "files": PICTURE, "data": {"size": "2"}},
    "an unreadable parameter": {"url": "/model/predict", "files": PICTURE, "data": {"stretch": "much"}},
    "no picture": {"url": "/model/predict", "files": {"image": ("a.png", b"nonsense")}},
    "another file": {"url": "/model/predict", "files": {"photo": ("a.png", png())}},
    "nothing": {"url": "/model/predict"},
    "another type": {"url": "/model/predict", "json": {"image": "x"}},
    "too much": {"url": "/model/predict", "files": {"image": ("a.png", bytes(21_000_000))}},
    "pieces": {
        "url": "/model/predict",
        "content": chunks,
        "headers": {"content-type": "multipart/form-data; boundary=x"},
    },
    "another method": {"method": "DELETE", "url": "/model/predict"},
    "another place": {"method": "GET", "url": "/model/nowhere"},
    "an encoded place": {"method": "GET", "url": "/model/%C3%BC%20%2F"},
    "the card": {"method": "GET", "url": "/model/metadata"},
    "the labels": {"method": "GET", "url": "/model/labels"},
    "life": {"method": "GET", "url": "/health/live"},
    "readiness": {"method": "GET", "url": "/health/ready"},
    "the playground": {"method": "GET", "url": "/app/"},
    "the Swagger page": {"method": "GET", "url": "/"},
}


@pytest.fixture
def plain(models: Path, start: Start, free_port: int) -> str:
    """The same model behind our own server."""
    start("-m", "maxfw", "serve", str(models / "shares.py"), "--port", str(free_port), port=free_port)
    return f"http://127.0.0.1:{free_port}"


def answer(client: httpx.Client, base: str, request: dict[str, Any]) -> tuple[Any, ...]:
    """What a client sees of an answer, without what differs from request to request."""
    request = {"method": "POST", **request, "url": base + request["url"]}
    if callable(request.get("content")):
        request["content"] = request["content"]()
    response = client.request(**request)
    content: Any = response.text
    if response.headers["content-type"] == "application/json":
        content = response.json()
        content.pop("request_id", None)
    named = {name: response.headers.get(name) for name in ("content-type", "x-content-type-options")}
    named["allow"] = sorted(response.headers.get("allow", "").split(", "))
    assert response.headers["x-request-id"]
    return response.status_code, named, content


def test_every_answer_is_that_of_our_own_server(deploy: Deploy, plain: str, ask: httpx.Client) -> None:
    url = deploy("shares")

    for name, request in REQUESTS.items():
        status, headers, content = answer(ask, url, request)
        wanted_status, wanted_headers, wanted = answer(ask, plain, request)
        assert (status, headers) == (wanted_status, wanted_headers), name
        if name == "the Swagger page":
            content, wanted = (page.replace("/shares/", "/") for page in (content, wanted))
        assert content == wanted, name


def test_several_models_stand_behind_one_door_each_with_its_pages(deploy: Deploy, ask: httpx.Client) -> None:
    shares, shouting = deploy("shares"), deploy("shouting")

    assert ask.post(f"{shares}/model/predict", files=PICTURE).json()["predictions"][0]["label"] == "red"
    assert ask.post(f"{shouting}/model/predict", json={"text": ["AAAA"]}).json()["predictions"] == [
        [{"loud": 1.0, "quiet": 0.0}]
    ]
    described = ask.get(f"{shouting}/swagger.json").json()
    assert described["basePath"].rstrip("/") == "/shouting"
    assert ask.get(f"{shouting}/app/").status_code == 200
    for place in ("/", "/app/"):
        page = ask.get(shouting + place)
        links = re.findall(r'(?:src|href)="([^"#]+)"', page.text)
        assert links
        for link in links:
            assert ask.get(page.url.join(link)).status_code == 200, link


def test_keys_are_asked_for_and_what_is_well_is_told_without(deploy: Deploy, ask: httpx.Client) -> None:
    import hashlib

    url = deploy("shares", settings={"api_keys": hashlib.sha256(b"open").hexdigest()})

    assert ask.post(f"{url}/model/predict", files=PICTURE).json()["code"] == "unauthorized"
    opened = ask.post(f"{url}/model/predict", files=PICTURE, headers={"x-api-key": "open"})
    assert opened.json()["status"] == "ok"
    assert ask.get(f"{url}/health/ready").status_code == 200


def test_metrics_are_those_of_all_replicas(deploy: Deploy, ask: httpx.Client) -> None:
    url = deploy("shares", replicas=2)
    wait_until(lambda: running("shares") == 2)
    for _ in range(10):
        ask.post(f"{url}/model/predict", files=PICTURE)

    page = ask.get(f"{url}/metrics").text

    lines = [
        line
        for line in page.splitlines()
        if line.startswith("maxfw_requests_total") and 'route="/model/predict"' in line
    ]
    assert sum(float(line.rpartition(" ")[2]) for line in lines) == 10
    assert page.count("# TYPE maxfw_requests_total counter") == 1
    assert page.count("maxfw_info{") == 2


def test_a_model_that_cannot_answer_its_sample_does_not_come_up(
    deploy: Deploy, models: Path, cluster: Any
) -> None:
    from ray import serve

    (models / "broken.py").write_text(
        (models / "shares.py").read_text().replace("np.stack(batch)", "np.stack(batch) / 0 * 'x'")
    )

    with pytest.raises(RuntimeError, match="broken"):
        deploy("broken", options={"max_constructor_retry_count": 1})

    assert "the model's sample failed" in serve.status().applications["broken"].deployments["model"].message


class Load:
    """Clients that ask without a pause, each about its own text, and check that the answer is to that."""

    def __init__(self, url: str, clients: int) -> None:
        self.right = 0
        self.wrong: list[Any] = []
        self.failed = 0
        self._url = url
        self._stopped = threading.Event()
        self._counting = threading.Lock()
        self._pool = ThreadPoolExecutor(clients)
        self._done = [self._pool.submit(self._ask, number) for number in range(clients)]

    def _ask(self, number: int) -> None:
        with httpx.Client(timeout=60) as client:
            turn = 0
            while not self._stopped.is_set():
                turn += 1
                text = "A" * (number + 1) + "b" * (turn % 97)
                loud = (number + 1) / len(text)
                try:
                    response = client.post(f"{self._url}/model/predict", json={"text": [text]})
                except httpx.TransportError:
                    with self._counting:
                        self.failed += 1
                    continue
                with self._counting:
                    if response.status_code >= 500:
                        self.failed += 1
                    elif response.json()["predictions"][0][0]["loud"] == loud:
                        self.right += 1
                    else:
                        self.wrong.append((text, response.text))

    def more(self, count: int) -> None:
        """Wait for so many more right answers."""
        wanted = self.right + count
        wait_until(lambda: self.right >= wanted, 90)

    def stop(self) -> None:
        self._stopped.set()
        for done in self._done:
            done.result(90)
        self._pool.shutdown()


def test_a_node_that_dies_costs_the_requests_it_had_and_nothing_else(deploy: Deploy, cluster: Any) -> None:
    url = deploy("shouting", replicas=2)
    wait_until(lambda: running("shouting") == 2)
    load = Load(url, clients=8)
    try:
        load.more(40)
        assert load.failed == 0

        cluster.nodes.remove_node(cluster.worker, allow_graceful=False)
        load.more(60)
        lost = load.failed
        load.more(60)

        assert load.failed == lost  # over with the first seconds
        assert lost <= 8  # what was in flight

        cluster.worker = cluster.nodes.add_node(**cluster.small)
        wait_until(lambda: running("shouting") == 2, 90)
        load.more(60)
        assert load.failed == lost
    finally:
        load.stop()
    assert not load.wrong


def test_replicas_follow_the_load_up_and_down(deploy: Deploy) -> None:
    scaling = {
        "min_replicas": 1,
        "max_replicas": 2,
        "target_ongoing_requests": 2,
        "upscale_delay_s": 1,
        "downscale_delay_s": 1,
    }
    url = deploy("shouting", replicas="auto", options={"autoscaling_config": scaling})
    assert running("shouting") == 1

    load = Load(url, clients=8)
    try:
        wait_until(lambda: running("shouting") == 2, 60)
        load.more(40)
    finally:
        load.stop()
    wait_until(lambda: running("shouting") == 1, 60)

    assert not load.wrong
    assert load.failed == 0
