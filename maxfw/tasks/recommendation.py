"""Recommendation: what somebody will like next."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from typing import Annotated, Any

from msgspec import Meta, Struct

from maxfw.errors import BadInput
from maxfw.settings import Settings
from maxfw.tasks.base import Answer, Inputs, Label, Task, megabytes, typed_body
from maxfw.tasks.texts import body_of, check_text
from maxfw.tasks.values import check_probability, typed

NumResults = Annotated[int, Meta(ge=1, le=100, description="how many to recommend at most")]


class RecommendationRequest(Struct):
    """The JSON body: for whom."""

    user_id: str


class Recommended(Struct, omit_defaults=True):
    """One thing that the model recommends: its id, how well it fits (0…1), and a title where there is one."""

    item: str
    prediction: float
    title: str = ""


class UsersItem(Struct, omit_defaults=True):
    """One recommendation: for whom, what, how well it fits (0…1), and a title where there is one."""

    user: str
    item: str
    prediction: float
    title: str = ""


class RecommendationAnswer(Answer, kw_only=True):
    """What is recommended, best first; an empty list if nothing is."""

    predictions: list[UsersItem]


class Recommendation(Task):
    """A user in; what that user will probably like next out, best first.

    `_pre_process` gets the user's id and raises `BadInput` for one that it does not know, `_post_process` takes the
    parameter `num_results` and returns `Recommended`s.
    """

    name = "recommendation"
    title = "Recommendation"
    answer = RecommendationAnswer
    body = RecommendationRequest
    takes_forms = True
    standard_parameters = ("num_results",)

    template_imports = """\
import numpy as np

from maxfw.errors import BadInput
from maxfw.model import MAXModelWrapper
from maxfw.tasks.recommendation import NumResults, Recommendation, Recommended"""
    template = '''\
    task = Recommendation(example="1")

    def _pre_process(self, user_id):
        """A user's id, str → whether each of two items was seen, float32 (2,)."""
        if user_id not in ("1", "2"):
            raise BadInput(f"unknown user {user_id!r}", hint="the users are 1 and 2")
        return np.array([user_id == "1", user_id == "2"], dtype=np.float32)

    def _predict_batch(self, batch):
        """n × float32 (2,) → n × float32 (2,), how well each item fits, 0…1."""
        return 1 - np.stack(batch)

    def _post_process(self, fits, *, num_results: NumResults = 5):
        """The best items."""
        order = np.argsort(-fits)[:num_results]
        return [Recommended(str(item), float(fits[item])) for item in order]
'''

    def __init__(self, *, example: str = "") -> None:
        """Declare the task of a model that recommends; `example` is a user that it knows."""
        super().__init__()
        if example:
            body = {"user_id": example}
            self.sample = functools.partial(Inputs, body=body)  # type: ignore[method-assign]

    def read(self, inputs: Inputs, settings: Settings) -> list[str]:
        """The body → the user's id."""
        user_id = typed_body(RecommendationRequest, inputs).user_id.strip()
        check_text(user_id, "user_id", settings)
        if not user_id:
            raise BadInput("field 'user_id' is empty", hint='send {"user_id": "…"}')
        return [user_id]

    def write(
        self, items: Sequence[Any], outcomes: Sequence[Any], labels: Sequence[Label]
    ) -> RecommendationAnswer:
        """Recommendations → the same with their user, best first."""
        found = typed(outcomes[0], list[Recommended])
        for one in found:
            check_probability(one.prediction, one.item)
        ranked = sorted(found, key=lambda one: -one.prediction)
        return RecommendationAnswer(
            predictions=[UsersItem(items[0], one.item, one.prediction, one.title) for one in ranked]
        )

    def limits(self, settings: Settings) -> dict[str, Any]:
        return {"body": {"bytes": megabytes(settings.max_json_mb), "depth": settings.max_json_depth}}

    def inputs_of(self, argument: str) -> Inputs:
        """A `.json` file with the whole body, a `.txt` file, or the user's id itself."""
        return body_of(argument, lambda user_id: {"user_id": user_id})

    @classmethod
    def sample(cls) -> Inputs:
        return Inputs(body={"user_id": "1"})
