"""`/metrics`: what happened, as Prometheus reads it.

Every label has a fixed set of values, so that no stranger can make the page grow.
With several workers each writes to a file of a folder that they share, and whichever is asked adds them up.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import prometheus_client as prometheus
from flask import Flask, Response
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, multiprocess

import maxfw
from maxfw.batching import Call, Dropped
from maxfw.settings import shared_metrics_folder

METHODS = frozenset({"GET", "HEAD", "OPTIONS", "POST", "PUT", "PATCH", "DELETE"})
OTHER = "other"
SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60)
SIZES = (1, 2, 4, 8, 16, 32, 64, 128)


class Metrics:
    """What one process has seen."""

    def __init__(self) -> None:
        prometheus.disable_created_metrics()  # type: ignore[no-untyped-call]
        own = self._registry = CollectorRegistry()
        counters: dict[str, Any] = {"registry": own, "namespace": "maxfw"}
        histograms: dict[str, Any] = {**counters, "buckets": SECONDS}
        self._requests = Counter(
            "requests", "Requests, by route and status.", ["route", "method", "status"], **counters
        )
        self._seconds = Histogram(
            "request_seconds", "From a complete request to its answer.", ["route"], **histograms
        )
        self._stages = Histogram(
            "stage_seconds", "Decode, queue, predict and encode of one request.", ["stage"], **histograms
        )
        self._refusals = Counter(
            "refusals", "Requests that got no answer of the model, by error code.", ["code"], **counters
        )
        self._batches = Histogram(
            "batch_seconds", "Calls of the model, by how they ended.", ["ended"], **histograms
        )
        self._sizes = Histogram(
            "batch_size", "Inputs in a call of the model.", **{**counters, "buckets": SIZES}
        )
        self._dropped = Counter(
            "dropped_inputs", "Inputs that the model never saw, by reason.", ["why"], **counters
        )
        self._poisoned = Counter("poisoned_inputs", "Inputs that made a batch of several fail.", **counters)
        self._queue = Gauge(
            "queue_length", "Inputs that wait for the model.", multiprocess_mode="livesum", **counters
        )
        self._busy = Gauge(
            "model_busy_seconds",
            "How long the present call of the model has been running.",
            multiprocess_mode="livemax",
            **counters,
        )
        self._known: dict[Any, Any] = {}  # labelled metrics, which take long to look up

    def answered(self, route: str, method: str, status: int, seconds: float) -> None:
        """A request is answered; `route` is the app's rule, empty where none matched."""
        key = (route, method, status)
        known = self._known.get(key)
        if known is None:
            names = (route or OTHER, method if method in METHODS else OTHER, str(status))
            known = self._known[key if method in METHODS else names] = (
                self._requests.labels(*names),
                self._seconds.labels(names[0]),
            )
        known[0].inc()
        known[1].observe(seconds)

    def staged(self, seconds: Mapping[str, float]) -> None:
        """How long the steps of a request took."""
        for stage, spent in seconds.items():
            self._labelled(self._stages, stage).observe(spent)

    def refused(self, code: str) -> None:
        """A request ended with an error of this code."""
        self._labelled(self._refusals, code).inc()

    def observe(self, event: Call | Dropped) -> None:
        """What the batcher tells."""
        if isinstance(event, Dropped):
            self._labelled(self._dropped, event.why).inc(event.inputs)
            return
        self._labelled(self._batches, event.ended).observe(event.seconds)
        self._sizes.observe(event.size)
        if event.poisoned:
            self._poisoned.inc(event.poisoned)

    def tick(self, queue_length: int, busy_s: float) -> None:
        """What is true just now."""
        self._queue.set(queue_length)
        self._busy.set(busy_s)

    def install(self, app: Flask, card: Mapping[str, Any]) -> None:
        """Answer `/metrics`."""
        Gauge(
            "info",
            "The model that is served.",
            ["model", "version"],
            namespace="maxfw",
            registry=self._registry,
            multiprocess_mode="max",
        ).labels(str(card.get("id", "")), maxfw.__version__).set(1)

        @app.get("/metrics", endpoint="maxfw_metrics")
        def page() -> Response:
            return Response(self.text(), content_type=prometheus.CONTENT_TYPE_LATEST)

    def text(self) -> bytes:
        """The page, for all workers together."""
        if not (folder := shared_metrics_folder()):
            return prometheus.generate_latest(self._registry)
        everybody = CollectorRegistry()
        multiprocess.MultiProcessCollector(everybody, path=folder)  # type: ignore[no-untyped-call]
        return prometheus.generate_latest(everybody)

    def _labelled(self, metric: Any, label: str) -> Any:
        key = (id(metric), label)
        if key not in self._known:
            self._known[key] = metric.labels(label)
        return self._known[key]
