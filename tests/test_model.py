"""The class that every model subclasses."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from maxfw.errors import BadModel
from maxfw.model import MAXModelWrapper
from maxfw.tasks.base import Label
from maxfw.tasks.image_classification import ImageClassification


class Single(MAXModelWrapper):
    def _predict(self, x: Any) -> Any:
        return x + 1


class Batch(MAXModelWrapper):
    max_batch_size = 4

    def _predict_batch(self, xs: Any) -> Any:
        return [x + 2 for x in xs]


def test_either_method_gives_the_other() -> None:
    assert Single()._predict_batch([1, 2]) == [2, 3]
    assert Batch()._predict(1) == 3


def test_a_loop_over_single_inputs_is_no_reason_to_wait_for_a_batch() -> None:
    assert Single.max_batch_size == 1
    assert Batch.max_batch_size == 4


def test_a_class_with_neither_method_cannot_be_made_and_the_error_names_both() -> None:
    class Neither(MAXModelWrapper):
        pass

    with pytest.raises(TypeError, match=r"abstract.*_predict\(.*_predict_batch\("):
        Neither()


def test_a_subclass_that_rewrites_one_method_changes_both() -> None:
    class Rewritten(Batch):
        def _predict(self, x: Any) -> Any:
            return x * 10

    class Again(Single):
        def _predict_batch(self, xs: Any) -> Any:
            return [x * 100 for x in xs]

    assert Rewritten()._predict_batch([1, 2]) == [10, 20]
    assert Again()._predict(3) == 300


def test_the_three_steps_run_in_a_row() -> None:
    class Steps(Single):
        def _pre_process(self, x: Any) -> Any:
            return x * 2

        def _post_process(self, x: Any) -> Any:
            return f"<{x}>"

    assert Steps().predict(5) == "<11>"


def test_old_habits_work_with_no_call_to_the_base_class() -> None:
    class Old(MAXModelWrapper):
        def __init__(self, path: str = "assets/") -> None:
            self.path = path

        def _predict(self, x: Any, threshold: float = 0.5) -> Any:
            return (x, threshold)

        def predict(self, x: Any, *more: Any) -> Any:
            return self._predict(x, 0.9)

    assert Old().predict(1) == (1, 0.9)
    assert Old()._predict(1, 0.1) == (1, 0.1)


def test_labels_come_from_a_file_of_the_model_in_the_order_of_the_outputs(tmp_path: Path) -> None:
    class Labelled(Single):
        task = ImageClassification(labels="names.txt", first_label_id=1)

        def asset(self, name: str, path: str | None = None) -> Path:
            return super().asset(name, str(tmp_path))

    (tmp_path / "names.txt").write_text("person\n???\ndog\n", encoding="utf-8")

    assert [(label.id, label.name) for label in Labelled().labels] == [
        ("1", "person"),
        ("2", "???"),
        ("3", "dog"),
    ]


def test_labels_can_be_written_out(colours: MAXModelWrapper) -> None:
    class Described(Single):
        task = ImageClassification(labels=[Label("n01", "cat", "a small predator"), "dog"])

    assert [label.name for label in colours.labels] == ["red", "green", "blue"]
    assert Described().labels == (Label("n01", "cat", "a small predator"), Label("1", "dog"))


def test_an_asset_that_is_not_declared_is_the_authors_error() -> None:
    with pytest.raises(BadModel, match=r"no asset .weights\.bin."):
        Single().asset("weights.bin")


def test_a_file_of_the_models_own_folder_is_an_asset_too() -> None:
    assert Single().asset(Path(__file__).name) == Path(__file__).resolve()


def test_a_numpy_model_answers_alike_in_a_batch_and_alone() -> None:
    class Rows(MAXModelWrapper):
        def _predict_batch(self, xs: Any) -> Any:
            return np.stack(xs).sum(axis=1)

    xs = [np.arange(3.0), np.ones(3)]

    assert [Rows()._predict(x) for x in xs] == list(Rows()._predict_batch(xs))


def test_a_labels_file_that_is_not_utf_8_is_the_authors_error(tmp_path: Path) -> None:
    class Latin(Single):
        task = ImageClassification(labels="names.txt")

        def asset(self, name: str, path: str | None = None) -> Path:
            return super().asset(name, str(tmp_path))

    (tmp_path / "names.txt").write_bytes("Bär\n".encode("latin-1"))

    with pytest.raises(BadModel, match=r"'names\.txt' is not UTF-8: byte 1"):
        _ = Latin().labels


@pytest.mark.parametrize(
    ("declared", "told"),
    [
        ({"task": ImageClassification}, "task is the class ImageClassification"),
        ({"task": "image-classification"}, "task is 'image-classification'"),
        ({"task": ImageClassification(labels=[1, 2])}, "labels"),  # type: ignore[list-item]
        ({"task": ImageClassification(labels=7)}, "labels"),  # type: ignore[arg-type]
        ({"max_batch_size": "8"}, "max_batch_size is '8'"),
        ({"max_batch_size": 0}, "max_batch_size is 0"),
        ({"max_batch_size": True}, "max_batch_size is True"),
        ({"assets": "weights.bin"}, "assets is 'weights.bin'"),
        ({"assets": ["weights.bin"]}, r"assets is \['weights.bin'\]"),
    ],
)
def test_a_declaration_of_the_wrong_kind_is_told_before_the_model_is_made(
    declared: dict[str, Any], told: str
) -> None:
    model = type("Model", (Single,), {"task": ImageClassification(labels=["a"]), **declared})

    with pytest.raises(BadModel, match=told) as error:
        model()
    assert error.value.hint


def test_the_attributes_of_an_old_model_are_its_own_affair() -> None:
    class Old(Single):
        assets = "assets/"  # type: ignore[assignment]

    assert Old()._predict(1) == 2
