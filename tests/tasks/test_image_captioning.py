"""How sentences are numbered, and which are refused."""

from __future__ import annotations

import numpy as np
import pytest

from maxfw.errors import BadModelOutput
from maxfw.tasks.image_captioning import Caption, ImageCaptioning
from maxfw.tasks.values import encode_json


def test_the_answer_is_the_historical_json() -> None:
    answer = ImageCaptioning().write([], [[("a dog", np.float32(0.25)), ("a cat", 0.125)]], ())

    assert encode_json(answer) == (
        b'{"status":"ok","predictions":[{"index":"0","caption":"a dog","probability":0.25},'
        b'{"index":"1","caption":"a cat","probability":0.125}]}'
    )


def test_the_first_three_are_answered_unless_the_model_says_otherwise() -> None:
    pairs = [(letter, 0.1) for letter in "abcde"]

    assert [one.caption for one in ImageCaptioning().write([], [pairs], ()).predictions] == ["a", "b", "c"]
    assert len(ImageCaptioning(top=5).write([], [pairs], ()).predictions) == 5


def test_captions_of_the_model_stay_as_they_are() -> None:
    own = Caption("7", "a dog", 0.25)

    assert ImageCaptioning().write([], [[own]], ()).predictions == [own]


def test_nothing_to_say_is_an_empty_list() -> None:
    assert ImageCaptioning().write([], [[]], ()).predictions == []


@pytest.mark.parametrize(
    "outcome", [[("a dog", 1.5)], [("a dog", -0.1)], [("a dog",)], [("a dog", np.nan)], ["a dog"]]
)
def test_what_is_no_sentence_with_a_probability_is_refused(outcome: list[object]) -> None:
    with pytest.raises(BadModelOutput):
        ImageCaptioning().write([], [outcome], ())
