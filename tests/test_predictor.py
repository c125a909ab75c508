"""The straight line of a request, without a web around it."""

from __future__ import annotations

import threading
import weakref
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import msgspec
import numpy as np
import pytest

from maxfw.errors import (
    BadInput,
    BadModel,
    BadModelOutput,
    BadParameter,
    DeadlineExceeded,
    ModelFailed,
    Overloaded,
    TooLarge,
)
from maxfw.model import MAXModelWrapper
from maxfw.predictor import Caller, Predictor
from maxfw.settings import Settings, load_settings
from maxfw.tasks.base import Inputs
from maxfw.tasks.image_classification import ImageClassification
from maxfw.tasks.object_detection import ObjectDetection
from maxfw.tasks.text_classification import TextClassification
from maxfw.tasks.values import encode_json

Serve = Callable[..., Predictor]


@pytest.fixture
def serve() -> Iterator[Serve]:
    """Make predictors that are closed with the test."""
    made: list[Predictor] = []

    def make(model: MAXModelWrapper, **values: Any) -> Predictor:
        made.append(Predictor(model, load_settings({}, **values)))
        return made[-1]

    yield make
    for predictor in made:
        predictor.batcher.close(5)


class Text(MAXModelWrapper):
    """A text model whose hooks a test replaces."""

    task = TextClassification(labels=["a", "b"])
    max_batch_size = 4

    def _predict(self, x: Any) -> Any:
        return [0.25, 0.75]


def ask(predictor: Predictor, *texts: str, **values: Any) -> Any:
    return msgspec.to_builtins(predictor.answer(Inputs(body={"text": list(texts)}), values))


def test_texts_are_answered_one_by_one_in_their_order(serve: Serve, loudness: MAXModelWrapper) -> None:
    answer = ask(serve(loudness), "AB", "ab", "Ab")

    assert answer == {
        "status": "ok",
        "predictions": [
            [{"loud": 1.0, "quiet": 0.0}],
            [{"loud": 0.0, "quiet": 1.0}],
            [{"loud": 0.5, "quiet": 0.5}],
        ],
    }


def test_requests_with_different_parameters_get_their_own_answers(
    serve: Serve, loudness: MAXModelWrapper
) -> None:
    predictor = serve(loudness)
    answers: dict[float, Any] = {}

    def request(factor: float) -> None:
        answers[factor] = ask(predictor, "ABCD", factor=str(factor))

    factors = [number / 32 for number in range(32)]
    threads = [threading.Thread(target=request, args=(factor,)) for factor in factors]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(10)

    assert {factor: answers[factor]["predictions"][0][0]["loud"] for factor in factors} == {
        factor: factor for factor in factors
    }


def test_a_model_without_a_task_is_the_authors_error(serve: Serve) -> None:
    class Taskless(Text):
        task = None

    with pytest.raises(BadModel, match="states no task"):
        serve(Taskless())


def test_a_detector_without_a_threshold_is_the_authors_error(serve: Serve) -> None:
    class NoThreshold(Text):
        task = ObjectDetection(labels=["a"])

    with pytest.raises(BadModel, match="threshold"):
        serve(NoThreshold())


@pytest.mark.parametrize("hook", ["_pre_process", "_predict", "_post_process"])
@pytest.mark.parametrize("error", [ValueError("secret"), SystemExit(3), TimeoutError("secret")])
def test_a_hook_that_raises_is_named_and_its_words_are_not_shown(
    serve: Serve, hook: str, error: BaseException
) -> None:
    def broken(self: Any, x: Any) -> Any:
        raise error

    broken.__name__ = hook
    predictor = serve(type("Broken", (Text,), {hook: broken})())

    with pytest.raises(ModelFailed) as failure:
        ask(predictor, "x")

    assert hook in failure.value.message
    assert "secret" not in failure.value.message + failure.value.hint


@pytest.mark.parametrize("hook", ["_pre_process", "_predict", "_post_process"])
def test_a_hook_may_refuse_an_input(serve: Serve, hook: str) -> None:
    def refuses(self: Any, x: Any) -> Any:
        raise BadInput("no letters in it")

    predictor = serve(type("Refuses", (Text,), {hook: refuses})())

    with pytest.raises(BadInput, match="no letters"):
        ask(predictor, "x")


@pytest.mark.parametrize(
    "outcome",
    [
        [0.5],
        [0.1, 0.2, 0.7],
        "ab",
        None,
        {"a": float("nan"), "b": 0.5},
        np.array([np.nan, 0.5]),
        {"a": "much", "b": 0.5},
        {"a": 7.0, "b": 0.5},
        object(),
    ],
)
def test_an_outcome_that_is_no_answer_is_the_models_fault(serve: Serve, outcome: Any) -> None:
    class Odd(Text):
        def _post_process(self, x: Any) -> Any:
            return outcome

    with pytest.raises(BadModelOutput, match="_post_process"):
        encode_json(serve(Odd()).answer(Inputs(body={"text": ["x"]})))


@pytest.mark.parametrize(
    "outcome", [{"a": np.float32(0.5), "b": np.float64(0.5)}, np.array([0.5, 0.5]), (0.5, 0.5)]
)
def test_numpy_numbers_are_numbers(serve: Serve, outcome: Any) -> None:
    class Numpy(Text):
        def _post_process(self, x: Any) -> Any:
            return outcome

    assert encode_json(serve(Numpy()).answer(Inputs(body={"text": ["x"]}))) == (
        b'{"status":"ok","predictions":[[{"a":0.5,"b":0.5}]]}'
    )


def test_a_model_that_hangs_is_answered_for_in_time_and_the_next_request_works(serve: Serve) -> None:
    release = threading.Event()

    class Hangs(Text):
        def _predict(self, x: Any) -> Any:
            if x == "hang":
                release.wait(10)
            return [1, 0]

    predictor = serve(Hangs(), predict_timeout_s=0.2)
    with pytest.raises(DeadlineExceeded, match=r"0\.2 s"):
        ask(predictor, "hang")
    release.set()

    assert serve(Hangs()).answer(Inputs(body={"text": ["x"]})).status == "ok"
    assert ask(predictor, "x")["status"] == "ok"


@pytest.mark.parametrize(
    ("body", "told"),
    [
        ({}, "text"),
        ({"text": "one"}, "array"),
        ({"text": []}, "empty"),
        ({"text": [1]}, "text"),
        ({"text": None}, "text"),
    ],
)
def test_a_body_that_does_not_fit_is_refused_with_the_fields_name(
    serve: Serve, loudness: MAXModelWrapper, body: Any, told: str
) -> None:
    with pytest.raises(BadInput, match=told):
        serve(loudness).answer(Inputs(body=body))


def test_a_text_beyond_the_limit_is_too_large(serve: Serve, loudness: MAXModelWrapper) -> None:
    with pytest.raises(TooLarge, match=r"text\[1\]"):
        ask(serve(loudness, max_text_kb=1), "short", "é" * 501)


def test_unknown_parameters_are_refused_before_any_work(serve: Serve) -> None:
    class Untouched(Text):
        def _pre_process(self, x: Any) -> Any:
            raise AssertionError("was called")

    with pytest.raises(BadParameter):
        ask(serve(Untouched()), "x", nonsense="1")


def test_settings_reach_the_batcher(loudness: MAXModelWrapper, settings: Settings) -> None:
    predictor = Predictor(loudness, settings)

    assert predictor.batcher.is_alive()
    predictor.close()
    assert not predictor.batcher.is_alive()


def test_closing_can_be_cut_short_though_the_model_hangs_and_requests_have_long(serve: Serve) -> None:
    runs, may_end = threading.Event(), threading.Event()

    class Hanging(Text):
        def _predict(self, x: Any) -> Any:
            runs.set()
            may_end.wait(60)
            return [0.25, 0.75]

    predictor = serve(Hanging(), grace_s=3600)
    with ThreadPoolExecutor(1) as asking:
        asked = asking.submit(ask, predictor, "x")
        assert runs.wait(30)
        predictor.close(timeout_s=0)  # returns

        assert isinstance(asked.exception(30), Overloaded)
        assert predictor.batcher.is_alive()
        may_end.set()


class Picture(MAXModelWrapper):
    """An image model that remembers whether the photo it was given is still somewhere."""

    task = ImageClassification(labels=["gone", "there"])

    def _pre_process(self, image: Any) -> Any:
        self.photo = weakref.ref(image)
        return np.asarray(image.resize((4, 4)))

    def _predict(self, x: Any) -> Any:
        return [1.0, 0.0] if self.photo() is None else [0.0, 1.0]


def test_a_photo_is_let_go_before_the_model_is_asked(serve: Serve) -> None:
    predictor = serve(Picture())

    begun, pending = predictor.begin(predictor.task.sample(), {}, Caller(10))

    assert begun.items[0].size == (64, 48)
    assert pending.bytes == 4 * 4 * 3
    assert pending.results(10) == [[1.0, 0.0]]
