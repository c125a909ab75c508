"""One replica: a process that Ray Serve starts somewhere, with one copy of the model and the app around it."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import prometheus_client as prometheus
from flask import Response
from prometheus_client import Metric
from prometheus_client.parser import text_string_to_metric_families
from ray import serve

from maxfw.catalog import find, load_class, load_model
from maxfw.deploy.ray.bridge import Bridge
from maxfw.deploy.ray.options import DEPLOYMENT, Replicas, deployment_options, most_ongoing
from maxfw.errors import BadModel
from maxfw.settings import load_settings
from maxfw.web.app import create_app

TICK_S = 0.25
ALL_REPLICAS_S = 5.0  # in which they must have told their metrics

log = logging.getLogger("maxfw")


class Replica:
    """What Ray Serve asks a replica for: an ASGI app, whether it is well, and metrics."""

    def __init__(self, model: str, settings: Mapping[str, Any]) -> None:
        """Load the model, and have it answer its sample.

        Raises:
            SetupError: it cannot be loaded.
            BadModel: it does not answer its sample rightly.
        """
        self._settings = load_settings(**settings)
        logging.getLogger("maxfw").setLevel(self._settings.log_level.upper())
        loaded = load_model(find(model))
        self._flask = create_app(loaded, self._settings)
        self._threads = self._settings.threads or most_ongoing(type(loaded))
        self._health = self._flask.extensions["maxfw.health"]
        if problem := self._health.first_problem():
            raise BadModel(f"{model}: {problem}")
        self._own_metrics: Callable[[], Response] = self._flask.view_functions["maxfw_metrics"]  # type: ignore[assignment]
        self._flask.view_functions["maxfw_metrics"] = self._all_metrics
        self._closed = threading.Event()
        threading.Thread(target=self._tick, name="maxfw-tick", daemon=True).start()

    def __serve_build_asgi_app__(self) -> Bridge:
        return Bridge(self._flask, self._settings, threads=self._threads, close=self._close)

    def check_health(self) -> None:
        """Raise, and be replaced, when only a new process can help."""
        if end := self._health.end_of_life():
            raise RuntimeError(end)

    def metrics_text(self) -> tuple[str, str]:
        """The name of this replica, and what it has counted."""
        return serve.get_replica_context().replica_id.unique_id, self._own_metrics().get_data(as_text=True)

    def _all_metrics(self) -> Response:
        """The page `/metrics` for all replicas, whichever is asked."""
        context = serve.get_replica_context()
        handle = serve.get_deployment_handle(context.deployment, context.app_name)
        try:
            pages = dict(handle.broadcast("metrics_text").results(timeout_s=ALL_REPLICAS_S))
        except Exception:
            log.exception("the other replicas have not told their metrics")
            pages = dict([self.metrics_text()])
        content = prometheus.generate_latest(_Merged(pages))
        return Response(content, content_type=prometheus.CONTENT_TYPE_LATEST)

    def _tick(self) -> None:
        door = self._flask.extensions["maxfw.door"]
        while not self._closed.wait(TICK_S):
            door.tick()

    def _close(self) -> None:
        """Ray lets a replica answer what it has begun; then this."""
        self._closed.set()
        self._health.draining = True
        self._flask.extensions["maxfw"].close()
        self._flask.extensions["maxfw.door"].close()


class _Merged:
    """The metrics of several replicas, told apart by a label: what prometheus-client takes for a registry."""

    def __init__(self, pages: Mapping[str, str]) -> None:
        self._pages = pages

    def collect(self) -> Iterator[Metric]:
        families: dict[str, Metric] = {}
        for replica, page in sorted(self._pages.items()):
            for family in text_string_to_metric_families(page):
                merged = families.setdefault(
                    family.name, Metric(family.name, family.documentation, family.type)
                )
                for sample in family.samples:
                    merged.samples.append(sample._replace(labels={**sample.labels, "replica": replica}))
        yield from families.values()


def application(args: Mapping[str, Any]) -> Any:
    """What a Serve config file names as `import_path`: `model`, perhaps `settings` and `replicas`, and `options` of Ray's.

    Raises:
        SetupError: there is no such model.
    """
    model, settings = str(args["model"]), dict(args.get("settings") or {})
    replicas: Replicas = args.get("replicas", "auto")
    options = deployment_options(load_class(find(model)), load_settings(**settings), replicas)
    hosted = serve.deployment(serve.ingress()(Replica), name=DEPLOYMENT)
    return hosted.options(**{**options, **(args.get("options") or {})}).bind(model, settings)
