"""`/metrics`: what happened, as Prometheus reads it.

Every label has a fixed set of values, so that no stranger can make the page grow.
With several workers each writes to a file of a folder that they share, and whichever is asked adds them up.
"""

from __future__ import annotations

import threading
from bisect import bisect_left
from collections import Counter as Counts
from collections import deque
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
MOST_NOTES = 10_000
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
        # What happened and is not counted yet. Counting takes longer than a small prediction, above all in files that
        # several workers share, so requests only leave a note, and the notes are counted together.
        self._notes: deque[tuple[Any, ...]] = deque()
        self._counting = threading.Lock()

    def answered(self, route: str, method: str, status: int, seconds: float) -> None:
        """A request is answered; `route` is the app's rule, empty where none matched."""
        self._notes.append((self._count_request, (route, method, status), seconds))
        if len(self._notes) > MOST_NOTES:  # nobody ticks: what hosts the app is not our own server
            self.count()

    def staged(self, seconds: Mapping[str, float]) -> None:
        """How long the steps of a request took."""
        for stage, spent in seconds.items():
            self._notes.append((self._stages, stage, spent))

    def refused(self, code: str) -> None:
        """A request ended with an error of this code."""
        self._notes.append((self._refusals, code, 1))

    def observe(self, event: Call | Dropped) -> None:
        """What the batcher tells."""
        if isinstance(event, Dropped):
            self._notes.append((self._dropped, event.why, event.inputs))
            return
        self._notes.append((self._batches, event.ended, event.seconds))
        self._notes.append((self._sizes, None, event.size))
        if event.poisoned:
            self._notes.append((self._poisoned, None, event.poisoned))

    def count(self) -> None:
        """Count what has been noted."""
        with self._counting:
            gathered: dict[tuple[Any, Any], list[float]] = {}
            for _ in range(len(self._notes)):
                kind, label, value = self._notes.popleft()
                gathered.setdefault((kind, label), []).append(value)
            for (kind, label), values in gathered.items():
                if kind == self._count_request:
                    self._count_request(label, values)
                else:
                    _add(self._labelled(kind, label), values)

    def _count_request(self, key: tuple[str, str, int], values: list[float]) -> None:
        route, method, status = key
        names = (route or OTHER, method if method in METHODS else OTHER, str(status))
        _add(self._labelled(self._requests, names), [len(values)])
        _add(self._labelled(self._seconds, names[0]), values)

    def tick(self, queue_length: int, busy_s: float) -> None:
        """What is true just now; called several times a second."""
        self.count()
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
        self.count()
        if not (folder := shared_metrics_folder()):
            return prometheus.generate_latest(self._registry)
        everybody = CollectorRegistry()
        multiprocess.MultiProcessCollector(everybody, path=folder)  # type: ignore[no-untyped-call]
        return prometheus.generate_latest(everybody)

    def _labelled(self, metric: Any, label: Any) -> Any:
        if label is None:
            return metric
        key = (id(metric), label)
        if key not in self._known:
            self._known[key] = metric.labels(*label) if isinstance(label, tuple) else metric.labels(label)
        return self._known[key]


def _add(metric: Any, values: list[float]) -> None:
    """Add to a counter, or observe with a histogram, all at once."""
    if not isinstance(metric, Histogram):
        metric.inc(sum(values))
        return
    # prometheus-client can only observe one by one; these two are what its `observe` does.
    metric._sum.inc(sum(values))
    for position, number in Counts(bisect_left(metric._upper_bounds, value) for value in values).items():
        metric._buckets[position].inc(number)
