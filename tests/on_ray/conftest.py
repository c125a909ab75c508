"""A real Ray cluster of two nodes on this machine, small enough for two cores, and models to put on it."""

from __future__ import annotations

import io
import os
import socket
import subprocess
import sys
import time
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import httpx
import pytest
from PIL import Image

ROOT = Path(__file__).resolve().parents[2]

SHOUTING = '''"""How loud a text is; every call takes its time off the processor, as with an accelerator."""
import time
import numpy as np
from maxfw.model import MAXModelWrapper, Probability
from maxfw.tasks import TextClassification


class Shouting(MAXModelWrapper):
    task = TextClassification(labels=["loud", "quiet"])
    max_batch_size = 1
    cpus = 1

    def _pre_process(self, text):
        return np.float64(sum(letter.isupper() for letter in text) / max(len(text), 1))

    def _predict_batch(self, batch, *, factor: Probability = 1.0):
        time.sleep(0.05)
        return [[loud * factor, 1 - loud * factor] for loud in batch]
'''

SHARES = '''"""The share of red, green and blue."""
import numpy as np
from maxfw.model import MAXModelWrapper
from maxfw.tasks import ImageClassification


class Shares(MAXModelWrapper):
    task = ImageClassification(labels=["red", "green", "blue"])
    cpus = 0.5

    def _pre_process(self, image, *, stretch: float = 1.0):
        return np.asarray(image, dtype=np.float32).mean(axis=(0, 1)) ** stretch

    def _predict_batch(self, batch):
        colours = np.stack(batch)
        return colours / (colours.sum(axis=1, keepdims=True) + 1e-6)
'''

LISTENING = '''"""How loud a text is, at length; on Ray slowly, and with a file for each node that it is on."""
import os
import time
from pathlib import Path
import numpy as np
import ray
from maxfw.model import MAXModelWrapper
from maxfw.tasks import TextClassification


class Listening(MAXModelWrapper):
    task = TextClassification(labels=[f"as loud as {number}" for number in range(600)])
    max_batch_size = 1
    cpus = 1

    def __init__(self, path=None):
        self.seen = None
        if ray.is_initialized() and ray.get_runtime_context().get_actor_id():
            self.seen = Path(__file__).with_name("nodes") / ray.get_runtime_context().get_node_id()

    def _pre_process(self, text):
        if text == "the end" and self.seen:
            os._exit(1)
        return np.float64(sum(letter.isupper() for letter in text) / max(len(text), 1))

    def _predict_batch(self, batch):
        if self.seen:
            time.sleep(0.002)
            self.seen.touch()
        return [np.full(600, loud) for loud in batch]
'''


@pytest.fixture(scope="session")
def models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with three models."""
    folder = tmp_path_factory.mktemp("models")
    (folder / "nodes").mkdir()
    for name, text in (("shouting", SHOUTING), ("shares", SHARES), ("listening", LISTENING)):
        (folder / f"{name}.py").write_text(text)
    return folder


@pytest.fixture(scope="session")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """Two nodes of one core each; Serve's door is on both, and we ask the first."""
    os.environ.update(
        PYTHONPATH=str(ROOT), RAY_AUTH_MODE="disabled", RAY_USAGE_STATS_ENABLED="0", RAY_TMPDIR="/tmp"
    )
    for whose in ("REPLICA", "HANDLE"):
        os.environ[f"RAY_SERVE_{whose}_AUTOSCALING_METRIC_PUSH_INTERVAL_S"] = "0.5"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # Ray's own, of pydantic, when it is imported
        import ray
        from ray import serve
        from ray.cluster_utils import Cluster

    small = {"num_cpus": 1, "object_store_memory": 100_000_000}
    nodes = Cluster(initialize_head=True, head_node_args={**small, "include_dashboard": False})
    worker = nodes.add_node(**small)
    ray.init(address=nodes.address, log_to_driver=False)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    serve.start(proxy_location="HeadOnly", http_options={"host": "127.0.0.1", "port": port})
    yield SimpleNamespace(
        nodes=nodes, worker=worker, small=small, url=f"http://127.0.0.1:{port}", address=nodes.address
    )
    serve.shutdown()
    ray.shutdown()
    nodes.shutdown()


@pytest.fixture
def deploy(cluster: Any, models: Path) -> Iterator[Callable[..., str]]:
    """Put a model on the cluster, under the first part of an address → its URL; taken away with the test."""
    from ray import serve

    from maxfw.deploy.ray.replica import application

    names = []

    def put(model: str, route: str = "", **args: Any) -> str:
        names.append(model)
        args = {"model": str(models / f"{model}.py"), "replicas": 1, **args}
        serve.run(application(args), name=model, route_prefix=route or f"/{model}")
        return f"{cluster.url}{route or '/' + model}"

    yield put
    for name in names:
        serve.delete(name)


def png(colour: tuple[int, int, int] = (200, 40, 10)) -> bytes:
    """A small picture of one colour."""
    content = io.BytesIO()
    Image.new("RGB", (32, 24), colour).save(content, "PNG")
    return content.getvalue()


@pytest.fixture
def maxfw(tmp_path: Path) -> Iterator[Callable[..., subprocess.Popen[str]]]:
    """Start the command in a process and a folder of its own; it is ended with the test."""
    begun: list[subprocess.Popen[str]] = []

    def run(*words: str | Path) -> subprocess.Popen[str]:
        command = [sys.executable, "-m", "maxfw", *map(str, words)]
        process = subprocess.Popen(
            command, cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )
        begun.append(process)
        return process

    yield run
    for process in begun:
        if process.poll() is None:
            process.kill()
        process.communicate()


def wait_until(holds: Callable[[], bool], seconds: float = 60) -> None:
    """Look until something is true that another process brings about."""
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline, "it did not come about"
        time.sleep(0.1)


def running(name: str) -> int:
    """How many replicas of an application answer."""
    from ray import serve

    found = serve.status().applications.get(name)
    states = found.deployments["model"].replica_states if found else {}
    return int(states.get("RUNNING", 0))


@pytest.fixture
def ask() -> Iterator[httpx.Client]:
    """A client that waits long enough."""
    with httpx.Client(timeout=60, limits=httpx.Limits(max_connections=64)) as client:
        yield client
