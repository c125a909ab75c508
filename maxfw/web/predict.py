"""`POST /model/predict` in two halves, between which the model works and no thread need wait."""

from __future__ import annotations

from collections.abc import Callable

from maxfw.batching import Pending
from maxfw.predictor import Begun, Caller, Predictor
from maxfw.tasks.base import Encoded
from maxfw.web.reading import Received, read_request

ROUTE = "/model/predict"


class Predict:
    """The only way from a request's bytes to an answer's, with Flask around it or without."""

    def __init__(self, predictor: Predictor) -> None:
        self._predictor = predictor

    def begin(
        self, received: Received, caller: Caller, then: Callable[[Begun, Pending], None] | None = None
    ) -> tuple[Begun, Pending]:
        """Read the request, prepare its inputs, queue them; `then` is called when the model is through with them.

        Raises:
            MaxfwError: the request cannot be answered.
        """
        caller.route = ROUTE
        predictor = self._predictor
        inputs, values = read_request(received, predictor.task, predictor.settings, predictor.pictures)
        return predictor.begin(inputs, values, caller, then)

    def end(self, begun: Begun, pending: Pending, accept: str) -> Encoded:
        """Wait for the model, if it is not through yet, and make the answer; `accept` is the request's Accept header.

        Raises:
            MaxfwError: there is no answer.
        """
        answer = self._predictor.complete(begun, pending)
        encoded = self._predictor.task.encode(answer, accept)
        begun.caller.lap("encode")
        return encoded
