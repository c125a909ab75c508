"""Files for a Ray cluster: what Ray Serve deploys, and a `RayService` for Kubernetes with KubeRay."""

from __future__ import annotations

import math
import re
from typing import Any

from msgspec import Struct

from maxfw import __version__
from maxfw.catalog import load_class
from maxfw.deploy.described import Described
from maxfw.deploy.manifests import to_yaml
from maxfw.deploy.ray.options import DEPLOYMENT, MOST, Replicas, deployment_options
from maxfw.errors import BadModel
from maxfw.settings import Settings

IMPORT_PATH = "maxfw.deploy.ray.replica:application"
PORT = 8000
RAY = "2.60.0"
"""The version of Ray that images have; it is the one that the tests run."""

RAY_MB = 768
"""Memory that Ray's own processes take on a node beside a model: raylet, agents, proxy, one that is idle."""

# What Pod Security asks for at its level "restricted"; Ray's images run as a user of their own.
UNPRIVILEGED = {
    "allowPrivilegeEscalation": False,
    "capabilities": {"drop": ["ALL"]},
    "runAsNonRoot": True,
    "seccompProfile": {"type": "RuntimeDefault"},
}

_EXTRAS = re.compile(r"^\s*maxfw\s*\[([^\]]*)\]", re.MULTILINE)


class RayPlan(Struct, frozen=True, kw_only=True):
    """How models are to run on Ray, alike for all of them."""

    replicas: Replicas = "auto"
    memory_mb: int = 1024
    registry: str = ""
    tag: str = "latest"
    namespace: str = ""

    @property
    def image(self) -> str:
        """The image of every node, which holds all models."""
        registry = self.registry.rstrip("/")
        return f"{registry + '/' if registry else ''}max-ray:{self.tag}"


def serve_config(models: list[Described], plan: RayPlan, settings: Settings) -> dict[str, Any]:
    """What `serve deploy` takes: each model is an application under its own first part of the address.

    Raises:
        BadModel: one is an old-style repository, which brings a server of its own.
    """
    return {
        "proxy_location": "EveryNode",
        "http_options": {
            "host": "0.0.0.0",
            "port": PORT,
            "request_timeout_s": settings.body_timeout_s + settings.predict_timeout_s,
        },
        "applications": [_application(model, plan, settings) for model in models],
    }


def serve_yaml(models: list[Described], plan: RayPlan, settings: Settings) -> str:
    """The Serve config as a file."""
    return to_yaml(serve_config(models, plan, settings))


def dockerfile(models: list[Described]) -> str:
    """The image of every node: Ray, maxfw with what the models need, and their weights."""
    extras = {"ray"}
    for model in models:
        requirements = model.folder.path / "requirements.txt"
        if requirements.is_file():
            for found in _EXTRAS.findall(requirements.read_text(encoding="utf-8")):
                extras |= {extra.strip() for extra in found.split(",")}
    names = " ".join(model.folder.name for model in models)
    return (
        f"# Written by maxfw deploy.\nFROM rayproject/ray:{RAY}-py311\n"
        f"RUN pip install --no-cache-dir 'maxfw[{','.join(sorted(extras))}]=={__version__}'\n"
        f"RUN maxfw fetch {names}\n"
    )


def ray_service(models: list[Described], plan: RayPlan, settings: Settings) -> dict[str, Any]:
    """A `RayService` of KubeRay: a cluster, and the models on it; nodes come and go with the replicas."""
    largest = [load_class(model.folder) for model in models]
    cpus = max(1.0, *(model.cpus for model in largest)) if largest else 1.0
    gpus = max((model.gpus for model in largest), default=0)
    most = MOST if plan.replicas == "auto" else plan.replicas
    fewest = 1 if plan.replicas == "auto" else plan.replicas
    head = {
        # No model on the head: it may not run out of memory.
        "rayStartParams": {"dashboard-host": "0.0.0.0", "num-cpus": "0"},
        "template": _pod(
            "ray-head", plan, 1.0, 2048, 0, ports={"gcs": 6379, "dashboard": 8265, "serve": PORT}
        ),
    }
    workers = {
        "groupName": "models",
        "replicas": fewest * len(models),
        "minReplicas": fewest,
        "maxReplicas": most * len(models),
        "rayStartParams": {},
        "template": _pod("ray-worker", plan, cpus, plan.memory_mb + RAY_MB, gpus, ports={}),
    }
    metadata: dict[str, Any] = {"name": "maxfw", "labels": {"app.kubernetes.io/part-of": "maxfw"}}
    if plan.namespace:
        metadata["namespace"] = plan.namespace
    cluster = {
        "rayVersion": RAY,
        # Else whoever reaches the head's port runs code there; the operator makes the token.
        "authOptions": {"mode": "token"},
        "enableInTreeAutoscaling": True,
        "autoscalerOptions": {"securityContext": UNPRIVILEGED},
        "headGroupSpec": head,
        "workerGroupSpecs": [workers],
    }
    spec = {"serveConfigV2": to_yaml(serve_config(models, plan, settings)), "rayClusterConfig": cluster}
    return {"apiVersion": "ray.io/v1", "kind": "RayService", "metadata": metadata, "spec": spec}


def ray_service_yaml(models: list[Described], plan: RayPlan, settings: Settings) -> str:
    """The `RayService` as a file for `kubectl apply -f`."""
    return to_yaml(ray_service(models, plan, settings))


def _application(model: Described, plan: RayPlan, settings: Settings) -> dict[str, Any]:
    if model.folder.is_old_style:
        raise BadModel(
            f"{model.folder.path} is an old-style repository", hint="deploy it with compose or kubernetes"
        )
    in_zoo = model.folder.path.parent.name in ("models", "zoo")
    named = model.folder.name if in_zoo else str(model.folder.path)
    return {
        "name": model.route,
        "route_prefix": f"/{model.route}",
        "import_path": IMPORT_PATH,
        "args": {"model": named, "replicas": plan.replicas},
        "deployments": [
            {"name": DEPLOYMENT, **deployment_options(load_class(model.folder), settings, plan.replicas)}
        ],
    }


def _pod(
    name: str, plan: RayPlan, cpus: float, memory_mb: int, gpus: float, *, ports: dict[str, int]
) -> dict[str, Any]:
    most: dict[str, Any] = {"cpu": f"{round(cpus * 1000)}m", "memory": f"{memory_mb}Mi"}
    if gpus:
        most["nvidia.com/gpu"] = math.ceil(gpus)
    container: dict[str, Any] = {
        "name": name,
        "image": plan.image,
        "resources": {"requests": most, "limits": most},
        "securityContext": UNPRIVILEGED,
    }
    if ports:
        container["ports"] = [{"name": named, "containerPort": port} for named, port in ports.items()]
    return {"spec": {"containers": [container]}}
