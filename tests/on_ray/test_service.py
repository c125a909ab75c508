"""A `RayService` without Kubernetes: its nodes are started as the operator starts them, its config is sent as it sends it."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml

from maxfw.catalog import find
from maxfw.deploy.described import describe
from maxfw.deploy.ray.config import RayPlan, ray_service
from maxfw.settings import Settings
from tests.on_ray.conftest import ROOT, png, wait_until

pytestmark = [pytest.mark.ray, pytest.mark.slow]

TOKEN = "a token of the operator, for all its pods"


@pytest.fixture
def service(models: Path) -> dict[str, Any]:
    return ray_service([describe(find(str(models / "shares.py")))], RayPlan(), Settings())


@pytest.fixture
def ports() -> dict[str, int]:
    """Free ports in place of those that each pod has for itself."""
    probes = {name: socket.socket() for name in ("gcs", "dashboard", "agent", "client", "serve")}
    for probe in probes.values():
        probe.bind(("127.0.0.1", 0))
    found = {name: probe.getsockname()[1] for name, probe in probes.items()}
    for probe in probes.values():
        probe.close()
    return found


def started(group: dict[str, Any], *more: str) -> subprocess.Popen[bytes]:
    """A node, with the command that the operator makes of a group of pods."""
    limits = group["template"]["spec"]["containers"][0]["resources"]["limits"]
    cpus = -(-int(limits["cpu"].removesuffix("m")) // 1000)
    memory = int(limits["memory"].removesuffix("Mi")) * 2**20
    params = {"num-cpus": str(cpus), "memory": str(memory), "block": "true", **group["rayStartParams"]}
    words = ["--block" if value == "true" else f"--{name}={value}" for name, value in params.items()]
    environment = {
        **os.environ,
        "PYTHONPATH": str(ROOT),
        "RAY_AUTH_MODE": "token",
        "RAY_AUTH_TOKEN": TOKEN,
        "RAY_USAGE_STATS_ENABLED": "0",
    }
    command = [sys.executable, "-m", "ray.scripts.scripts", "start", *words, *more]
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    return subprocess.Popen(command, env=environment, start_new_session=True, **quiet)


def test_the_nodes_and_the_config_of_a_service_answer(
    service: dict[str, Any], ports: dict[str, int], ask: httpx.Client
) -> None:
    cluster = service["spec"]["rayClusterConfig"]
    config = yaml.safe_load(service["spec"]["serveConfigV2"])
    config["http_options"]["port"] = ports["serve"]
    head = started(
        cluster["headGroupSpec"],
        "--head",
        "--no-monitor",
        f"--port={ports['gcs']}",
        f"--dashboard-port={ports['dashboard']}",
        f"--dashboard-agent-listen-port={ports['agent']}",
        f"--ray-client-server-port={ports['client']}",
    )
    nodes = [head]
    applications = f"http://127.0.0.1:{ports['dashboard']}/api/serve/applications/"
    signed = {"authorization": f"Bearer {TOKEN}"}

    def is_there(url: str) -> bool:
        try:
            return ask.get(url, headers=signed).status_code == 200
        except httpx.TransportError:
            return False

    try:
        wait_until(lambda: is_there(applications))
        [workers] = cluster["workerGroupSpecs"]
        nodes += [started(workers, f"--address=127.0.0.1:{ports['gcs']}") for _ in range(workers["replicas"])]

        assert ask.put(applications, json=config).status_code == 401
        assert ask.put(applications, json=config, headers=signed).status_code == 200

        wait_until(lambda: is_there(f"http://127.0.0.1:{ports['serve']}/shares/health/ready"))
        response = ask.post(
            f"http://127.0.0.1:{ports['serve']}/shares/model/predict", files={"image": ("a.png", png())}
        )
        assert response.json()["predictions"][0]["label"] == "red"
    finally:
        for node in reversed(nodes):
            os.killpg(node.pid, signal.SIGKILL)  # asked to end, a head takes half a minute
            node.wait()
