"""Whether the process lives, and whether it can answer: whether the model has answered its own sample rightly.

The sample is asked again when somebody wants to know and the last time is too long ago; nobody asks, nothing runs.
"""

from __future__ import annotations

import logging
import math
import threading
import time
from collections.abc import Callable

import msgspec
from flask import Blueprint, Flask, Response, jsonify

from maxfw.catalog import ModelFolder
from maxfw.contract import first_sample, sample_problem
from maxfw.errors import MaxfwError, Overloaded
from maxfw.model.model import folder_of
from maxfw.predictor import Predictor
from maxfw.settings import Settings

log = logging.getLogger("maxfw")

AGAIN_S = 1.0  # after which a model that was not right is asked again
STUCK = 2  # timeouts, after which a call of the model is not expected to return


class Health:
    """What is known of a service; `predictor` is None for an old-style app."""

    def __init__(self, predictor: Predictor | None, settings: Settings) -> None:
        self._predictor = predictor
        self._settings = settings
        self._lock = threading.Lock()
        self._checking = False
        self._checked_at = -math.inf
        self._problem = "the model has not answered its sample yet"
        self.draining = False
        #: Whether all request threads are busy with requests whose time is over, by more than so many seconds; the
        #: server knows.
        self.threads_are_stuck: Callable[[float], bool] = lambda more_s: False

    def end_of_life(self) -> str:
        """Why only a new process can help; empty if none is needed."""
        timeout_s = self._settings.predict_timeout_s
        if self.threads_are_stuck((STUCK - 1) * timeout_s):
            return "all request threads are stuck"
        if self._predictor is None:
            return ""
        batcher = self._predictor.batcher
        if not batcher.is_alive():
            return "the model's thread has ended"
        busy_s = batcher.busy_s()
        if busy_s > STUCK * timeout_s:
            return f"the model has not returned for {busy_s:.0f} s"
        return ""

    def problem(self) -> str:
        """Why no requests should be sent here now; empty if they are welcome."""
        if self.draining:
            return "the server is shutting down"
        if end := self.end_of_life():
            return end
        if self.threads_are_stuck(0.0):
            return "all request threads are stuck"
        if self._predictor is None:
            return ""
        if self._predictor.batcher.busy_s() > self._settings.predict_timeout_s:
            return "the model is stuck"
        wait_s = AGAIN_S if self._problem else self._settings.canary_s
        if time.monotonic() - self._checked_at > wait_s:
            self.check()
        return self._problem

    def first_problem(self) -> str:
        """What the answer to the sample shows, for which this waits; empty if all is well."""
        if self._predictor is not None:
            self._ask(self._predictor)
        return self._problem

    def check(self) -> None:
        """Have the model answer its sample, on a thread of its own."""
        with self._lock:
            if self._checking or self._predictor is None:
                return
            self._checking = True
        canary = threading.Thread(target=self._ask, args=(self._predictor,), name="maxfw-canary", daemon=True)
        try:
            canary.start()
        except RuntimeError:  # there is no thread to be had now
            self._checking = False

    def _ask(self, predictor: Predictor) -> None:
        try:
            problem = _sample_problem(predictor)
        except Overloaded:
            problem = self._problem  # it is too busy to be asked, which says nothing new
        except MaxfwError as error:
            problem = f"the model's sample failed: {error.code}"
        except Exception:
            log.exception("the model's sample could not be asked")
            problem = "the model's sample could not be asked"
        if problem and problem != self._problem:
            log.error("not ready: %s", problem)
        self._problem, self._checked_at = problem, time.monotonic()
        self._checking = False


def _sample_problem(predictor: Predictor) -> str:
    """What is wrong with the answer to the first sample that is on this machine, or to the task's own."""
    model, task = predictor.model, predictor.task
    here = msgspec.structs.replace(predictor.settings, offline=True)
    sample = first_sample(ModelFolder(folder_of(type(model))), task, here)
    if sample is None or not sample.answer:
        inputs = task.sample() if sample is None else sample.inputs
        task.encode(predictor.answer(inputs))  # nobody knows the right answer, but there is one
        return ""
    return "the sample is answered wrongly: " + wrong if (wrong := sample_problem(predictor, sample)) else ""


def install(app: Flask, health: Health) -> None:
    """Add `/health`, `/health/live` and `/health/ready`."""
    pages = Blueprint("maxfw_health", __name__)

    @pages.get("/health/live")
    def live() -> tuple[Response, int]:
        return _said(health.end_of_life())

    @pages.get("/health")
    @pages.get("/health/ready")
    def ready() -> tuple[Response, int]:
        return _said(health.problem())

    app.register_blueprint(pages)
    app.extensions["maxfw.health"] = health


def _said(problem: str) -> tuple[Response, int]:
    return (jsonify(status="error", reason=problem), 503) if problem else (jsonify(status="ok"), 200)
