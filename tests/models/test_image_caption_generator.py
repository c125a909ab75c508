"""What the caption decoder is told, what it may say, and the words that it learns."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from maxfw.catalog import ModelFolder, find, load_class, load_module
from maxfw.contract import samples_of

FOLDER = find("image_caption_generator").path
decoder = load_module(ModelFolder(FOLDER / "decoder.py"))
photos = load_module(ModelFolder(FOLDER / "photos.py"))
sightings = load_module(ModelFolder(FOLDER / "sightings.py"))

PERSON, DOG = 0, 16  # kinds, without the unused lines of the label file
DOG_LINE, HORSE_LINE = 17, 18
WORDS = ["<padding>", "<start>", "<end>", "<unknown>", "a", "dog", "cat", "and"]
A, DOG_WORD, CAT_WORD, AND = range(4, 8)


def test_the_layout_says_how_surely_how_many_how_large_and_where() -> None:
    boxes = np.array([[0.0, 0.5, 0.5, 1.0], [0.0, 0.0, 1.0, 1.0], [0.2, 0.2, 0.4, 0.4]])

    seen = decoder.layout(np.array([DOG_LINE, PERSON, PERSON]), np.array([0.8, 0.6, 0.5]), boxes).reshape(
        5, 80
    )

    assert np.allclose(seen[:, DOG], [0.8, np.log1p(0.8), 0.8 * 0.5, 0.8 * -0.5, 0.8 * 0.5])
    assert np.allclose(seen[:, PERSON], [0.6, np.log1p(1.1), 0.6, 0, 0])
    assert np.count_nonzero(seen.any(axis=0)) == 2


def test_doubtful_objects_unused_labels_and_nothing_leave_the_layout_empty() -> None:
    box = np.array([[0.0, 0.0, 1.0, 1.0]])

    assert not decoder.layout(np.array([PERSON]), np.array([0.1]), box).any()
    assert not decoder.layout(np.array([decoder.UNUSED[0]]), np.array([0.9]), box).any()
    assert not decoder.layout(np.empty(0), np.empty(0), np.empty((0, 4))).any()


def possible(said: list[int]) -> set[int]:
    """The tokens that may follow."""
    repeatable = np.isin(WORDS, decoder.REPEATABLE)
    return set(range(len(WORDS))) - decoder.forbidden([decoder.START, *said], repeatable)


def test_special_tokens_are_never_said() -> None:
    assert possible([]) == {decoder.END, A, DOG_WORD, CAT_WORD, AND}


def test_a_thing_is_said_once_and_a_small_word_again_after_a_while() -> None:
    assert possible([A, DOG_WORD]) == {decoder.END, CAT_WORD, AND}
    assert possible([A, DOG_WORD, AND]) == {decoder.END, A, CAT_WORD}


def test_no_two_words_follow_each_other_twice() -> None:
    said = [A, AND, CAT_WORD, DOG_WORD, A]

    assert AND not in possible(said)
    assert AND in possible([*said[:1], CAT_WORD, DOG_WORD, A])


def test_the_answers_differ_in_more_than_a_word() -> None:
    ended = {
        (AND,): (-4.5, -1.0),
        (A, DOG_WORD, AND): (-0.4, -1.0),
        (A, DOG_WORD): (-0.3, -2.0),
        (A, CAT_WORD): (-1.0, -1.0),
    }

    assert decoder.best_of(ended) == [(A, DOG_WORD), (A, CAT_WORD), (AND,)]


def test_words_that_say_a_gender_are_not_learnt() -> None:
    assert photos.neutral(photos.words("A man's dog and her T-shirt.")) == [
        "a", "person", "'s", "dog", "and", "their", "t-shirt",
    ]  # fmt: skip
    assert photos.neutral(photos.words("She is here, it isn't.")) == [
        "they",
        "are",
        "here",
        "it",
        "is",
        "n't",
    ]


@pytest.mark.mirror
def test_what_is_seen_in_a_photo_that_everybody_can_have_is_what_was_learnt_from(tmp_path: Path) -> None:
    task = load_class(find("image_caption_generator")).task
    assert task is not None
    [photo] = [
        sample for sample in samples_of(find("image_caption_generator"), task) if "coco" in sample.name
    ]
    file = tmp_path / "000000214753.jpg"
    file.write_bytes(photo.inputs.files["image"].blob)

    seen = sightings.look([file])

    assert sightings.id_of(file) == 214753
    assert sightings.id_of(tmp_path / "beach.jpg") is None
    assert {name: rows.shape for name, rows in seen.items()} == {
        "feature": (1, 1024),
        "det_class": (1, 10),
        "det_score": (1, 10),
        "det_box": (1, 10, 4),
    }
    assert {int(kind) for kind in seen["det_class"][0][:4]} == {PERSON, HORSE_LINE}
