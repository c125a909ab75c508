"""Every error has a stable code and a status, and is in the picture that the module opens with."""

from __future__ import annotations

import inspect

import pytest

from maxfw import errors
from maxfw.errors import MaxfwError, RequestError, ServiceError, SetupError

ERRORS = [kind for _, kind in inspect.getmembers(errors, inspect.isclass) if issubclass(kind, MaxfwError)]


@pytest.mark.parametrize("kind", ERRORS, ids=lambda kind: kind.__name__)
def test_an_error_is_explained_and_drawn_in_the_tree(kind: type[MaxfwError]) -> None:
    assert kind.__doc__
    assert kind.code == kind.code.lower()
    assert f" {kind.__name__} " in f" {' '.join(errors.__doc__.split())} "  # type: ignore[union-attr]


def test_codes_are_unique() -> None:
    assert len({kind.code for kind in ERRORS}) == len(ERRORS)


@pytest.mark.parametrize("kind", ERRORS, ids=lambda kind: kind.__name__)
def test_the_callers_errors_are_4xx_and_ours_5xx(kind: type[MaxfwError]) -> None:
    if issubclass(kind, RequestError):
        assert 400 <= kind.status < 500
    elif issubclass(kind, ServiceError | SetupError):
        assert 500 <= kind.status < 600


def test_a_missing_extra_prints_the_pip_line() -> None:
    assert str(errors.MissingExtra("onnx", needs="onnxruntime")) == (
        "onnxruntime is not installed: pip install 'maxfw[onnx]'"
    )
