"""Sounds in parts, filters with commas in them, and what models of sound may answer."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from maxfw.drawing import draw
from maxfw.drawing.audio_embedding import shades
from maxfw.drawing.waveform import Part, picture_of_sound
from maxfw.errors import BadModelOutput, BadParameter, TooLarge
from maxfw.settings import Settings
from maxfw.tasks.audio import from_second, windows
from maxfw.tasks.audio_classification import AudioClassification, kept
from maxfw.tasks.audio_embedding import AudioEmbedding
from maxfw.tasks.base import Label
from maxfw.tasks.image_classification import Classification
from maxfw.tasks.keyword_spotting import KeywordSpotting
from maxfw.tasks.speech_to_text import SpeechToText

LABELS = [
    Label(str(number), name)
    for number, name in enumerate(["Speech", "Gunshot, gunfire", "Fire", "gunfire", "Rain", "Wind", "Sea"])
]
FITS = np.array([0.1, 0.7, 0.2, 0.3, 0.6, 0.5, 0.4])


def named(found: list[Classification]) -> list[str]:
    return [one.label for one in found]


@given(st.integers(1, 400), st.integers(1, 60), st.integers(1, 60))
def test_windows_are_equally_long_and_follow_each_other(samples: int, length: int, hop: int) -> None:
    waveform = np.arange(1, samples + 1, dtype=np.float32)

    found = windows(waveform, length, hop)

    assert found.shape[1] == length
    for number, window in enumerate(found):
        heard = waveform[number * hop : number * hop + length]
        assert np.array_equal(window[: len(heard)], heard)
        assert not window[len(heard) :].any()
    if hop <= length / 2:
        assert found.max() == samples  # nothing is left out
    assert len(found) == 1 or np.count_nonzero(found[-1]) >= length / 2


def test_a_clip_can_begin_later_but_not_after_its_end() -> None:
    waveform = np.arange(32_000, dtype=np.float32)

    assert from_second(waveform, 1.5, 16_000)[0] == 24_000
    for start in (2, 1e300, 2.5):
        with pytest.raises(BadParameter, match="outside the clip of 2 s"):
            from_second(waveform, start, 16_000)


@pytest.mark.parametrize(
    ("wanted", "names"),
    [
        ("", ["Gunshot, gunfire", "Rain", "Wind", "Sea", "gunfire"]),
        ("Rain", ["Rain"]),
        ("speech , RAIN", ["Rain", "Speech"]),
        ("Gunshot, gunfire", ["Gunshot, gunfire"]),
        ("Fire,Gunshot,gunfire,Sea", ["Gunshot, gunfire", "Sea", "Fire"]),
        ("gunfire,Rain,Rain,", ["Rain", "gunfire"]),
    ],
)
def test_a_filter_keeps_labels_that_are_named_and_names_may_hold_commas(
    wanted: str, names: list[str]
) -> None:
    assert named(kept(FITS, LABELS, wanted)) == names


def test_a_filter_that_names_no_label_is_refused() -> None:
    with pytest.raises(BadParameter, match="'Thunder' is not a label"):
        kept(FITS, LABELS, "Rain,Thunder")


@pytest.mark.parametrize("task", [AudioClassification(), KeywordSpotting()], ids=lambda task: task.name)
def test_a_vector_is_ranked_and_the_best_five_are_answered(task: Any) -> None:
    answer = task.write([], [FITS], LABELS)

    assert named(answer.predictions) == ["Gunshot, gunfire", "Rain", "Wind", "Sea", "gunfire"]
    with pytest.raises(BadModelOutput, match="_post_process"):
        task.write([], [FITS[:3]], LABELS)


def test_an_embedding_is_rows_of_one_length() -> None:
    task = AudioEmbedding()

    assert task.write([], [np.ones((2, 3), np.float32)], ()).embedding == [[1.0] * 3] * 2
    for outcome in ([[1.0], [1.0, 2.0]], [], [1.0], np.ones(3), "no", None, [[float("nan")]]):
        with pytest.raises(BadModelOutput, match="_post_process"):
            task.write([], [outcome], ())


def test_a_text_is_a_text() -> None:
    assert SpeechToText().write([], [""], ()).prediction == ""
    with pytest.raises(BadModelOutput):
        SpeechToText().write([], [None], ())


def test_a_model_may_listen_to_less_than_the_settings_allow() -> None:
    task = SpeechToText(longest_s=0.4)

    assert task.limits(Settings())["audio"]["seconds"] == 0.4
    with pytest.raises(TooLarge, match=r"more than 0\.4 seconds"):
        task.read(task.sample(), Settings())


def test_parts_are_drawn_in_colours_of_their_own() -> None:
    wave = np.sin(np.arange(32_000) * 0.1).astype(np.float32)
    plain = picture_of_sound(wave)
    parts = picture_of_sound(wave, [Part(0, 1, "Speech"), Part(1, 2, "Rain")])

    assert parts.height > plain.height
    assert len(parts.getcolors(1 << 16) or []) > len(plain.getcolors(1 << 16) or [])


def test_a_drawing_asks_the_model_about_each_second() -> None:
    task = AudioClassification(labels=["loud", "quiet"])
    inputs = task.sample()
    answer = task.write([], [[0.9, 0.1]], [Label("0", "loud"), Label("1", "quiet")])
    asked = []

    def ask(part: Any) -> Any:
        asked.append(part)
        return answer

    assert draw(task, inputs, answer, ask=ask).height > draw(task, inputs, answer).height
    assert len(asked) == 1  # it is half a second long


@pytest.mark.parametrize("shape", [(1, 1), (3, 616), (100, 2_000)])
def test_vectors_of_any_length_are_drawn(shape: tuple[int, int]) -> None:
    assert len(shades(np.random.default_rng(1).normal(size=shape)).getcolors(1 << 20) or []) > 1
    assert shades(np.zeros(shape)).width == 640
