"""Vectors: what is one, what is none, and how they are drawn."""

from __future__ import annotations

import numpy as np
import pytest

from maxfw.drawing.image_embedding import strip
from maxfw.errors import BadModelOutput
from maxfw.tasks.image_embedding import ImageEmbedding


@pytest.mark.parametrize("vector", [[1, 2.5], (1.0, 2.5), np.array([1, 2.5], np.float32), np.array([1, 2.5])])
def test_a_vector_is_an_array_or_a_list_of_numbers(vector: object) -> None:
    assert ImageEmbedding().write([], [vector], ()).predictions == [[1.0, 2.5]]


@pytest.mark.parametrize(
    "vector",
    [3.0, [], [[1.0]], [1.0, [2.0]], ["1"], [True], [None], [1.0, float("nan")], [float("inf")], {"a": 1}],
    ids=repr,
)
def test_what_is_no_vector_of_numbers_is_the_models_error(vector: object) -> None:
    with pytest.raises(BadModelOutput, match="_post_process"):
        ImageEmbedding().write([], [vector], ())


@pytest.mark.parametrize("length", [1, 2, 616, 5000])
def test_a_vector_of_any_length_is_drawn(length: int) -> None:
    ramp = np.asarray(strip(np.linspace(-1, 1, length)))
    colours = {tuple(colour) for colour in ramp.reshape(-1, 3).tolist()}

    assert ((0xD5, 0x5E, 0x00) in colours) == (length > 0)
    assert ((0x00, 0x72, 0xB2) in colours) == (length > 1)


def test_numbers_that_are_all_zero_are_drawn() -> None:
    assert strip(np.zeros(10)).width == strip(np.ones(10)).width
