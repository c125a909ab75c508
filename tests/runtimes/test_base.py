"""What all runtimes share: specs of tensors, and the CPUs there are."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from maxfw.runtimes import TensorSpec, available_cpus


def test_integers_are_dequantised_by_scale_and_zero_point() -> None:
    spec = TensorSpec("output", np.dtype(np.uint8), (1, 3), quantisation=(0.5, 10))

    values = spec.dequantise(np.array([[0, 10, 255]], np.uint8))

    assert values.dtype == np.float32
    assert values.tolist() == [[-5.0, 0.0, 122.5]]


def test_floats_are_dequantised_to_themselves() -> None:
    assert TensorSpec("output", np.dtype(np.float32)).dequantise(np.array([1.25])).tolist() == [1.25]


def test_text_is_taken_in_each_of_numpy_s_forms() -> None:
    spec = TensorSpec("text", np.dtype(object), (None,))

    assert all(spec.accepts_dtype(np.dtype(form)) for form in ("O", "U5", "S5"))
    assert not spec.accepts_dtype(np.dtype(np.int64))


@pytest.mark.parametrize(
    ("spec", "words"),
    [
        (TensorSpec("x", np.dtype(np.uint8), (1, 300, 300, 3)), "uint8 (1, 300, 300, 3)"),
        (TensorSpec("x", np.dtype(np.int64), (None,)), "int64 (n,)"),
        (TensorSpec("x", np.dtype(object), (None, 2)), "text (n, 2)"),
        (TensorSpec("x"), "any type of any shape"),
    ],
)
def test_a_spec_reads_like_a_person_writes_it(spec: TensorSpec, words: str) -> None:
    assert str(spec) == words


@pytest.mark.parametrize(("quota", "cpus"), [("50000 100000", 1), ("100000 100000", 1), ("1 100000", 1)])
def test_the_quota_of_a_container_bounds_the_cpus(tmp_path: Path, quota: str, cpus: int) -> None:
    file = tmp_path / "cpu.max"
    file.write_text(quota + "\n")

    assert available_cpus(file) == cpus


@pytest.mark.parametrize("content", ["max 100000\n", "", "nonsense"])
def test_without_a_quota_the_cpus_are_those_of_the_process(tmp_path: Path, content: str) -> None:
    file = tmp_path / "cpu.max"
    file.write_text(content)

    assert available_cpus(file) == available_cpus(tmp_path / "absent") >= 1
