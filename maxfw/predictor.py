"""The straight line of a request: read, pre-process, predict in a batch, post-process, write.

Everybody who wants an answer from a model comes here: the web, the command line, jobs over folders.
"""

from __future__ import annotations

import functools
import logging
import time
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from maxfw.batching import Batcher, Event, Pending
from maxfw.errors import BadModel, DeadlineExceeded, MaxfwError, ModelFailed
from maxfw.media import holding_pictures, image_limits, read_image
from maxfw.model import MAXModelWrapper
from maxfw.model.parameters import bind, parameters_of
from maxfw.settings import Settings
from maxfw.tasks.base import Answer, Inputs, megabytes, read_file

log = logging.getLogger("maxfw")


class Caller:
    """Who waits for an answer: until when, whether still, and what the time was spent on.

    `seconds` has the time of each step, `route` and `code` what is told of the request in metrics and logs.
    """

    __slots__ = ("_lap", "_pending", "code", "deadline", "left", "request_id", "route", "seconds", "started")

    def __init__(self, timeout_s: float, *, request_id: str = "") -> None:
        self.started = self._lap = time.monotonic()
        self.deadline = self.started + timeout_s
        self.request_id = request_id
        self.left = False
        self.route = ""
        self.code = ""
        self.seconds: dict[str, float] = {}
        self._pending: Pending | None = None

    def lap(self, step: str) -> None:
        """The time since the last step went into this one."""
        now = time.monotonic()
        self.seconds[step] = now - self._lap
        self._lap = now

    def wait_for(self, pending: Pending) -> None:
        """These inputs are given up when the caller leaves."""
        self._pending = pending
        if self.left:
            pending.cancel()

    def was_served(self, pending: Pending) -> None:
        """The inputs are done: what they waited and ran."""
        self.seconds["queue"] = pending.queue_s
        self.seconds["predict"] = pending.predict_s
        self._pending = None
        self._lap = time.monotonic()

    def leave(self) -> None:
        """Nobody waits any more; what has not started need not run. From any thread."""
        self.left = True
        if pending := self._pending:
            pending.cancel()

    def server_timing(self) -> str:
        """The steps in the words of the header `Server-Timing`, in milliseconds."""
        return ", ".join(f"{name};dur={spent * 1000:.2f}" for name, spent in self.seconds.items())


class Begun(NamedTuple):
    """A request that is with the model: what is kept of its items, and the arguments of `_post_process`."""

    items: list[Any]
    arguments: dict[str, Any]
    caller: Caller


class Predictor:
    """Answers requests with a model, which only the batcher's thread touches in `_predict_batch`."""

    def __init__(
        self, model: MAXModelWrapper, settings: Settings, *, observe: Callable[[Event], object] | None = None
    ) -> None:
        """Take a loaded model into service; `observe` is told what the batcher does.

        Raises:
            BadModel: it states no task, a parameter cannot be used, or one that its task requires is missing.
        """
        if model.task is None:
            raise BadModel(f"{type(model).__name__} states no task", hint="add: task = ObjectDetection(…)")
        self.model = model
        self.task = model.task
        self.settings = settings
        self.parameters = parameters_of(type(model))
        self.pictures = tuple(parameter.name for parameter in self.parameters if parameter.is_picture)
        self.labels = model.labels
        if self.pictures and not self.task.files:
            raise BadModel(
                f"a model of task {self.task.name} takes JSON, so {self.pictures[0]!r} cannot be a file"
            )
        taken = {parameter.name for parameter in self.parameters}
        if missing := [name for name in self.task.standard_parameters if name not in taken]:
            raise BadModel(f"a model of task {self.task.name} takes the parameter {missing[0]!r}")
        self.batcher = Batcher(
            model._predict_batch,
            max_batch_size=model.max_batch_size,
            max_wait_s=settings.max_batch_wait_ms / 1000,
            max_queue=settings.max_queue,
            max_queue_bytes=megabytes(settings.max_queue_mb),
            observe=observe,
        )

    def answer(
        self, inputs: Inputs, values: Mapping[str, Any] | None = None, caller: Caller | None = None
    ) -> Answer:
        """A request's inputs and parameter values (strings will do) → the typed answer of the task.

        `caller` says until when, and can leave; without one, the time allowed starts now.

        Raises:
            RequestError: the input or a parameter is not acceptable.
            ModelFailed: a method of the model raised.
            BadModelOutput: a method of the model returned something that is no answer.
            Overloaded: too many inputs wait already.
            DeadlineExceeded: the answer was not ready in time.
            Abandoned: the caller has left.
        """
        caller = caller or Caller(self.settings.predict_timeout_s)
        return self.complete(*self.begin(inputs, values or {}, caller))

    def begin(
        self,
        inputs: Inputs,
        values: Mapping[str, Any],
        caller: Caller,
        then: Callable[[Begun, Pending], None] | None = None,
    ) -> tuple[Begun, Pending]:
        """The first half of `answer`, up to the queue: read and pre-process.

        `then` is called once, when the inputs are done or given up; quickly, please: on the thread that owns the model.
        """
        with holding_pictures():
            arguments = self.arguments(inputs, values)
            items = self.task.read(inputs, self.settings)
            before, after = arguments["_pre_process"], arguments["_post_process"]
            prepared = [self._call(self.model._pre_process, item, before) for item in items]
            begun = Begun([self.task.kept(item) for item in items], after, caller)
            del items
        caller.lap("decode")
        pending = self.batcher.submit(
            prepared,
            arguments["_predict_batch"],
            deadline=caller.deadline,
            then=functools.partial(then, begun) if then else None,
        )
        caller.wait_for(pending)
        return begun, pending

    def complete(self, begun: Begun, pending: Pending) -> Answer:
        """The second half of `answer`: wait, if need be, post-process and write."""
        results = self._wait(pending, begun.caller.deadline)
        begun.caller.was_served(pending)
        outcomes = [self._call(self.model._post_process, result, begun.arguments) for result in results]
        return self.task.write(begun.items, outcomes, self.labels)

    def arguments(self, inputs: Inputs, values: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
        """The checked keyword arguments of each hook; pictures that are parameters are among the inputs' files.

        Raises:
            BadParameter: see `bind`.
            RequestError: a picture is not acceptable.
        """
        decoded = {
            name: read_image(inputs.files[name].blob, field=name, settings=self.settings)
            for name in self.pictures
            if name in inputs.files
        }
        return bind(self.parameters, {**values, **decoded})

    def with_files(self, inputs: Inputs, values: Mapping[str, Any]) -> tuple[Inputs, dict[str, Any]]:
        """Parameters as people write them, pictures as paths → inputs with these files, and the other parameters.

        Raises:
            BadInput: a file cannot be read.
        """
        files = {name: read_file(str(values[name])) for name in self.pictures if name in values}
        others = {name: value for name, value in values.items() if name not in files}
        return Inputs({**inputs.files, **files}, inputs.body), others

    @property
    def limits(self) -> dict[str, Any]:
        """The limits of everything that a request may carry, as `/model/metadata` publishes them."""
        pictures = {name: image_limits(self.settings) for name in self.pictures}
        return {**self.task.limits(self.settings), **pictures}

    @property
    def body_limit(self) -> int:
        """The most bytes that a request can have."""
        return self.task.body_limit(self.settings) + len(self.pictures) * megabytes(
            self.settings.max_image_mb
        )

    def close(self, timeout_s: float | None = None) -> None:
        """Answer what waits, then stop; within `timeout_s`, or as long as the settings give a shutdown."""
        self.batcher.close(timeout_s=self.settings.grace_s if timeout_s is None else timeout_s)

    def _call(self, hook: Callable[..., Any], x: Any, arguments: Mapping[str, Any]) -> Any:
        try:
            return hook(x, **arguments)
        except MaxfwError:
            raise
        except (Exception, SystemExit) as error:
            raise self._failure(hook.__name__, error) from error

    def _wait(self, pending: Pending, deadline: float) -> list[Any]:
        try:
            return pending.results(deadline - time.monotonic())
        except BaseException as error:
            if isinstance(error, MaxfwError):
                raise
            if error is pending.error:
                raise self._failure("_predict_batch", error) from error
            if not isinstance(error, TimeoutError):
                raise  # the person at the terminal, not the model
            timeout_s = self.settings.predict_timeout_s
            late = DeadlineExceeded(f"the model did not answer within {timeout_s:g} s")
            pending.cancel(late)
            raise late from None
        finally:
            pending.cancel()

    def _failure(self, method: str, error: BaseException) -> ModelFailed:
        name = f"{type(self.model).__name__}.{method}"
        log.error("%s raised %s", name, type(error).__name__, exc_info=error)
        return ModelFailed(f"the model failed in {method}", hint="the server's log has the reason")
