"""Many models behind one door: a Compose file, with the configuration of what stands in front of them.

    http://localhost:8080/                                    the gallery
    http://localhost:8080/object_detector/model/predict       each model under its name
    http://localhost:8080/apps/object_detector/               the web apps of the models that have one
    http://localhost:9090/                                    Prometheus, on this machine only

A container reaches the others by name, and the network of the models leads nowhere else.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from msgspec import Struct

from maxfw.deploy.described import Described
from maxfw.deploy.manifests import to_yaml
from maxfw.deploy.nginx import WEB_PORT, gallery_files, nginx_configuration

PORT = 5000
NGINX = "nginx:1.28-alpine"
PROMETHEUS = "prom/prometheus:v3.5.0"

APPS = {"object_detector": "max-object-detector-web", "image_caption_generator": "max-image-caption-web"}
"""Models that have a web app → the app's image; its folder in `webapps/` is named like the model."""

VOLUMES = {"image_caption_generator": ("captions", "/data")}
"""Models whose web app keeps something → the name of the volume and where it is mounted."""


class Deployment(Struct, frozen=True):
    """How much each model gets, and where images come from."""

    registry: str = ""
    tag: str = "latest"
    cpus: float = 1.0
    memory_mb: int = 1024
    grace_s: float = 30.0
    pause_s: int = 5
    """Seconds between the decision to end a container and its SIGTERM, in which others stop sending to it."""
    domain: str = ""
    namespace: str = ""

    def image(self, name: str) -> str:
        """The address of an image of ours."""
        return f"{self.registry.rstrip('/')}/{name}:{self.tag}" if self.registry else f"{name}:{self.tag}"

    @property
    def stop_s(self) -> int:
        """Seconds after which a container that was told to end is killed."""
        return int(self.grace_s) + self.pause_s + 5


def compose_files(models: list[Described], plan: Deployment) -> dict[str, str]:
    """The files of a deployment by their names: `compose.yaml`, and what its containers mount."""
    apps = [model.route for model in models if model.route in APPS]
    services: dict[str, Any] = {model.name: _model(model, plan) for model in models}
    services |= {_app_service(route): _app(route, models, plan) for route in apps}
    addresses = {model.route: f"{model.name}:{PORT}" for model in models}
    app_addresses = {route: f"{_app_service(route)}:{PORT}" for route in apps}
    services["door"] = _door(list(services), plan)
    services["prometheus"] = _prometheus(plan)
    stated = {
        "services": services,
        "networks": {"models": {"internal": True}, "outside": {}},
        "volumes": {
            name: {} for name in ["prometheus", *(VOLUMES[route][0] for route in apps if route in VOLUMES)]
        },
    }
    return {
        "compose.yaml": to_yaml(stated),
        "nginx.conf": nginx_configuration(
            addresses,
            app_addresses,
            most_bytes={model.route: model.most_bytes for model in models},
            resolver="127.0.0.11",
        ),
        **gallery_files([model.route for model in models], apps),
        "prometheus.yml": to_yaml(_scraping(models)),
    }


def _hardened(plan: Deployment, *, cpus: float, memory_mb: int) -> dict[str, Any]:
    """What every container has: limits, and no right that it does not need."""
    return {
        "restart": "unless-stopped",
        "read_only": True,
        "cap_drop": ["ALL"],
        "security_opt": ["no-new-privileges:true"],
        "cpus": cpus,
        "mem_limit": f"{memory_mb}m",
        "pids_limit": 512,
        "stop_grace_period": f"{plan.stop_s}s",
        "logging": {"driver": "json-file", "options": {"max-size": "10m", "max-file": "3"}},
    }


def _model(model: Described, plan: Deployment) -> dict[str, Any]:
    return {
        "image": plan.image(model.name),
        **_hardened(plan, cpus=plan.cpus, memory_mb=plan.memory_mb),
        "environment": {"MAXFW_GRACE_S": f"{plan.grace_s:g}"},
        "tmpfs": ["/tmp:size=64m,mode=1777"],
        "networks": ["models"],
    }


def _app_service(route: str) -> str:
    return "app-" + route.replace("_", "-")


def _app(route: str, models: list[Described], plan: Deployment) -> dict[str, Any]:
    [model] = [model for model in models if model.route == route]
    kept = {"volumes": [":".join(VOLUMES[route])]} if route in VOLUMES else {}
    return {
        "image": plan.image(APPS[route]),
        **_hardened(plan, cpus=0.5, memory_mb=256),
        "environment": {"MODEL_URL": f"http://{model.name}:{PORT}"},
        **kept,
        "tmpfs": ["/tmp:size=64m,mode=1777"],
        "networks": ["models"],
        "depends_on": [model.name],
    }


def _door(behind: list[str], plan: Deployment) -> dict[str, Any]:
    return {
        "image": NGINX,
        "user": "101:101",
        "command": ["nginx", "-g", "daemon off;"],
        **_hardened(plan, cpus=1.0, memory_mb=256),
        "ports": [f"8080:{WEB_PORT}"],
        "volumes": ["./nginx.conf:/etc/nginx/nginx.conf:ro", "./gallery:/srv/gallery:ro"],
        "tmpfs": ["/tmp:size=256m,mode=1777"],
        "networks": ["models", "outside"],
        "depends_on": behind,
    }


def _prometheus(plan: Deployment) -> dict[str, Any]:
    return {
        "image": PROMETHEUS,
        "command": [
            "--config.file=/etc/prometheus/prometheus.yml",
            "--storage.tsdb.path=/prometheus",
            "--storage.tsdb.retention.time=15d",
        ],
        **_hardened(plan, cpus=0.5, memory_mb=512),
        "ports": ["127.0.0.1:9090:9090"],
        "volumes": ["./prometheus.yml:/etc/prometheus/prometheus.yml:ro", "prometheus:/prometheus"],
        "tmpfs": ["/tmp:size=16m,mode=1777"],
        "networks": ["models", "outside"],
    }


def _scraping(models: list[Described]) -> Mapping[str, Any]:
    """Prometheus's configuration: every model under its name."""
    targets = [{"targets": [f"{model.name}:{PORT}"], "labels": {"model": model.route}} for model in models]
    return {
        "global": {"scrape_interval": "15s", "scrape_timeout": "10s"},
        "scrape_configs": [
            {"job_name": "maxfw", "metrics_path": "/metrics", "static_configs": targets},
        ],
    }
