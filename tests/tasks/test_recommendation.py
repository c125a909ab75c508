"""For whom: as JSON, as a form, or in the address, as the original took it."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from maxfw.errors import BadInput, BadModelOutput
from maxfw.model import MAXModelWrapper
from maxfw.settings import Settings
from maxfw.tasks.base import Inputs
from maxfw.tasks.recommendation import NumResults, Recommendation, Recommended
from maxfw.web.app import create_app


class Shelf(MAXModelWrapper):
    """Everybody gets the same three books; there are no users but Ann and Bob."""

    MODEL_META_DATA = {
        "id": "max-shelf",
        "name": "Shelf",
        "description": "Three books.",
        "type": "Recommender System",
        "source": "https://example.org",
        "license": "Apache-2.0",
    }
    task = Recommendation(example="ann")

    def _pre_process(self, user_id: str) -> np.ndarray:
        if user_id not in {"ann", "bob"}:
            raise BadInput(f"unknown user {user_id!r}")
        return np.array([0.2, 0.9, 0.5])

    def _predict(self, fits: np.ndarray) -> np.ndarray:
        return fits

    def _post_process(self, fits: np.ndarray, *, num_results: NumResults = 5) -> list[Recommended]:
        books = [Recommended(str(number), fit) for number, fit in enumerate(fits.tolist())]
        return sorted(books, key=lambda book: -book.prediction)[:num_results]


@pytest.fixture
def client(settings: Settings) -> Any:
    app = create_app(Shelf(), settings)
    yield app.test_client()
    app.extensions["maxfw"].close()


@pytest.mark.parametrize(
    "request_",
    [
        {"json": {"user_id": "ann", "num_results": 2}},
        {"json": {"user_id": "ann"}, "query_string": {"num_results": "2"}},
        {"query_string": {"user_id": "ann", "num_results": "2"}},
        {"data": {"user_id": "ann", "num_results": "2"}},
        {"data": {"user_id": "ann", "num_results": "2"}, "content_type": "multipart/form-data"},
    ],
    ids=["json", "json and address", "address", "form", "multipart"],
)
def test_the_user_may_come_in_json_in_a_form_or_in_the_address(client: Any, request_: dict[str, Any]) -> None:
    answered = client.post("/model/predict", **request_)

    assert answered.get_json() == {
        "status": "ok",
        "predictions": [
            {"user": "ann", "item": "1", "prediction": 0.9},
            {"user": "ann", "item": "2", "prediction": 0.5},
        ],
    }


@pytest.mark.parametrize(
    "request_",
    [
        {"json": {"user_id": "eve"}},
        {"json": {"user_id": ""}},
        {"json": {"user_id": 1}},
        {"json": {}},
        {},
        {"query_string": {"user_id": "eve"}},
        {"json": {"user_id": "ann", "num_results": 0}},
        {"json": {"user_id": "ann", "num_results": 101}},
        {"json": {"user_id": "ann", "num_results": "many"}},
        {"json": {"user_id": "ann", "colour": "red"}},
        {"data": b"user_id=ann", "content_type": "text/plain"},
    ],
    ids=str,
)
def test_unknown_users_and_odd_numbers_are_refused_with_a_text(client: Any, request_: dict[str, Any]) -> None:
    answered = client.post("/model/predict", **request_)

    assert 400 <= answered.status_code < 500
    assert answered.get_json()["message"]


def test_recommendations_are_ranked_and_keep_their_titles() -> None:
    found = [Recommended("a", 0.1), {"item": "b", "prediction": 0.7, "title": "B"}]

    answer = Recommendation().write(["ann"], [found], ())

    assert [(one.user, one.item, one.title) for one in answer.predictions] == [
        ("ann", "b", "B"),
        ("ann", "a", ""),
    ]
    with pytest.raises(BadModelOutput):
        Recommendation().write(["ann"], [[Recommended("a", 1.5)]], ())


def test_a_user_may_be_a_word_on_the_command_line(tmp_path: Any) -> None:
    (tmp_path / "body.json").write_text('{"user_id": "bob"}')

    assert Recommendation().inputs_of("ann") == Inputs(body={"user_id": "ann"})
    assert Recommendation().inputs_of(str(tmp_path / "body.json")) == Inputs(body={"user_id": "bob"})
