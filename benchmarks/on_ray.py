"""What Ray costs and what it gives, on a cluster of two nodes of one core each, on this machine.

    .venv-ray/bin/python -m benchmarks.on_ray [--seconds 8]

A model that waits 20 ms for each input, as for an accelerator, is asked over 16 connections with one replica and with
two, on two nodes. A model that does nothing is asked over one connection and over 16, on Ray and on our own server.
wrk asks, and checks every answer. Prints JSON.
"""

from __future__ import annotations

import argparse
import json
import os
import socket
from pathlib import Path
from typing import Any

import ray
from ray import serve
from ray.cluster_utils import Cluster

from benchmarks.jobs import server
from benchmarks.load import Exchange, Load, wrk
from maxfw.deploy.ray.replica import application

CONNECTIONS = 16
MODELS = Path(__file__).with_name("models")
ANSWER = b'{"status":"ok","predictions":[[{"positive":1.0,"negative":0.0}]]}'
BODY = b'{"text":["hello"]}'


def exchange(route: str) -> Exchange:
    """The one request, and its answer."""
    lines = [
        f"POST {route}/model/predict HTTP/1.1",
        "Host: localhost",
        "Content-Type: application/json",
        f"Content-Length: {len(BODY)}",
    ]
    return Exchange(["\r\n".join(lines).encode() + b"\r\n\r\n" + BODY], [ANSWER])


def told(load: Load) -> dict[str, float]:
    """Right answers a second, and milliseconds of the median and the 99th percentile.

    Raises:
        RuntimeError: an answer was wrong.
    """
    if load.wrong:
        raise RuntimeError(load.wrong)
    return {
        "per_second": round(load.per_second, 1),
        "p50_ms": round(load.p50_ms, 2),
        "p99_ms": round(load.p99_ms, 2),
    }


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def measure(seconds: float) -> dict[str, Any]:
    """All numbers; the cluster is there."""
    found: dict[str, Any] = {}
    port = free_port()
    serve.start(proxy_location="HeadOnly", http_options={"host": "127.0.0.1", "port": port})
    for replicas in (1, 2):
        args = {"model": str(MODELS / "sleeper"), "replicas": replicas}
        serve.run(application(args), name="waiting", route_prefix="/waiting")
        wrk(port, exchange("/waiting"), connections=CONNECTIONS, seconds=2)
        load = wrk(port, exchange("/waiting"), connections=CONNECTIONS, seconds=seconds)
        found[f"waiting, {replicas} replicas"] = told(load)
    serve.delete("waiting")
    serve.run(application({"model": str(MODELS / "noop"), "replicas": 1}), name="noop", route_prefix="/noop")
    with server(str(MODELS / "noop")) as (own, _):
        for connections in (1, CONNECTIONS):
            for name, where, route in (("ray", port, "/noop"), ("own", own, "")):
                wrk(where, exchange(route), connections=connections, seconds=2)
                load = wrk(where, exchange(route), connections=connections, seconds=seconds)
                found[f"noop, {name}, {connections} connections"] = told(load)
    one, two = (found[f"waiting, {replicas} replicas"]["per_second"] for replicas in (1, 2))
    found["two replicas / one"] = round(two / one, 2)
    overhead = found["noop, ray, 1 connections"]["p50_ms"] - found["noop, own, 1 connections"]["p50_ms"]
    found["Ray's own ms per request"] = round(overhead, 2)
    return found


def main() -> None:
    """Start a cluster, measure, print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--seconds", type=float, default=8)
    options = parser.parse_args()
    os.environ |= {"MAXFW_ACCESS_LOG": "off", "RAY_AUTH_MODE": "disabled", "RAY_SERVE_LOG_TO_STDERR": "0"}
    small: dict[str, Any] = {"num_cpus": 1, "object_store_memory": 100_000_000}
    cluster = Cluster(initialize_head=True, head_node_args={**small, "include_dashboard": False})
    cluster.add_node(**small)
    ray.init(address=cluster.address, log_to_driver=False)
    try:
        print(json.dumps(measure(options.seconds), indent=1))
    finally:
        serve.shutdown()
        ray.shutdown()
        cluster.shutdown()


if __name__ == "__main__":
    main()
