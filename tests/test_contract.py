"""The contract finds what is wrong with a model, and only that."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from maxfw.catalog import ModelFolder
from maxfw.cli.new import make_folder
from maxfw.contract import Finding, check, comparable, difference, sample_asset, samples_of
from maxfw.errors import AssetUnavailable, BadModel
from maxfw.model import MAXModelWrapper, UploadedImage
from maxfw.predictor import Predictor
from maxfw.settings import Settings, load_settings
from maxfw.tasks.image_embedding import ImageEmbeddingAnswer
from maxfw.tasks.image_segmentation import ImageSegmentation
from maxfw.tasks.image_to_image import ImageToImage
from maxfw.tasks.text_classification import TextClassification

Problems = Callable[[MAXModelWrapper], list[Finding]]


@pytest.fixture
def problems(tmp_path: Path, settings: Settings) -> Problems:
    """The broken promises of a model, in a folder with the sample of a text model."""
    make_folder(tmp_path / "text_model", TextClassification)
    folder = ModelFolder(tmp_path / "text_model")

    def find(model: MAXModelWrapper) -> list[Finding]:
        predictor = Predictor(model, settings)
        found = [f for f in check(predictor, folder, samples_of(folder, predictor.task)) if f.problem]
        predictor.close()
        return found

    return find


class Good(MAXModelWrapper):
    """Answers the sample of the text task's template as the template does."""

    MODEL_META_DATA = dict.fromkeys(("id", "name", "description", "type", "source", "license"), "x")
    task = TextClassification(labels=["shouting", "talking"])
    max_batch_size = 8

    def _pre_process(self, text: str) -> np.ndarray:
        letters = [letter for letter in text if letter.isalpha()]
        return np.array([sum(letter.isupper() for letter in letters) / max(len(letters), 1)])

    def _predict_batch(self, batch: list[np.ndarray]) -> Any:
        shouting = np.stack(batch)
        return np.concatenate([shouting, 1 - shouting], axis=1)


def test_a_good_model_has_no_problems(problems: Problems) -> None:
    assert problems(Good()) == []


def test_a_batch_that_is_mixed_up_is_found(problems: Problems) -> None:
    class MixedUp(Good):
        def _predict_batch(self, batch: list[np.ndarray]) -> Any:
            return super()._predict_batch(batch)[::-1]

    [finding] = [f for f in problems(MixedUp()) if f.promise == "a batch answers like single inputs"]
    assert "in a batch" in finding.problem


def test_a_batch_that_normalises_over_its_members_is_found(problems: Problems) -> None:
    class Normalises(Good):
        def _predict_batch(self, batch: list[np.ndarray]) -> Any:
            answers = super()._predict_batch(batch)
            return answers / answers.max(axis=0, keepdims=True).clip(0.5)

    assert any(f.promise == "a batch answers like single inputs" for f in problems(Normalises()))


BATCH = "a batch answers like single inputs"


class LosesOne(Good):
    def _predict_batch(self, batch: list[np.ndarray]) -> Any:
        return super()._predict_batch(batch)[: max(1, len(batch) - 1)]


class OneRow(Good):
    def _predict_batch(self, batch: list[np.ndarray]) -> Any:
        return super()._predict_batch(batch).reshape(1, -1)


class OneOnly(Good):
    def _predict_batch(self, batch: list[np.ndarray]) -> Any:
        if len(batch) > 1:
            raise ValueError("cannot feed\n(3, 1)")
        return super()._predict_batch(batch)


class Nothing(Good):
    def _predict_batch(self, batch: list[np.ndarray]) -> Any:
        return None if len(batch) > 1 else super()._predict_batch(batch)


@pytest.mark.parametrize(
    ("model", "told"),
    [
        (LosesOne, r"`_predict_batch` returned 5 results for a batch of 6: return one for each"),
        (OneRow, r"`_predict_batch` returned 1 results for a batch of 6: return one for each"),
        (Nothing, r"`_predict_batch` returned NoneType for a batch of 6: return one for each"),
        (
            OneOnly,
            r"`_predict_batch` raised ValueError: cannot feed \(3, 1\) for a batch of 6 \(test_contract\.py:\d+\)",
        ),
    ],
)
def test_a_batch_that_is_not_answered_input_by_input_is_found(
    problems: Problems, model: type[Good], told: str
) -> None:
    [finding] = [f for f in problems(model()) if f.promise == BATCH]

    assert re.fullmatch(told, finding.problem), finding.problem


def test_a_model_that_answers_no_input_at_all_is_found(problems: Problems) -> None:
    class Empty(Good):
        def _predict_batch(self, batch: list[np.ndarray]) -> Any:
            return []

    [finding] = [f for f in problems(Empty()) if f.promise == BATCH]

    assert "returned 0 results" in finding.problem


def test_a_model_that_raises_anywhere_is_a_finding_with_its_line(problems: Problems) -> None:
    class CannotRead(Good):
        def _pre_process(self, text: str) -> np.ndarray:
            raise LookupError(f"no word of {text[:3]!r}")

    found = {f.promise: f.problem for f in problems(CannotRead())}

    assert re.search(r"LookupError: no word of .* \(test_contract\.py:\d+\)", found[BATCH])
    assert re.search(
        r"in _pre_process: LookupError: .*\(test_contract\.py:\d+\)", found["sample first is answered"]
    )


@pytest.mark.parametrize("answer", [{}, {"status": "ok"}])
def test_a_sample_that_expects_nothing_is_found(
    tmp_path: Path, settings: Settings, answer: dict[str, Any]
) -> None:
    make_folder(tmp_path / "text_model", TextClassification)
    file = tmp_path / "text_model/samples/first.json"
    file.write_text(json.dumps({"body": {"text": ["HELLO"]}, "answer": answer}), encoding="utf-8")
    folder, predictor = ModelFolder(tmp_path / "text_model"), Predictor(Good(), settings)

    [finding] = [f for f in check(predictor, folder, samples_of(folder, predictor.task)) if f.problem]

    assert finding.promise == "sample first is answered"
    assert "expects nothing" in finding.problem
    predictor.close()


def test_a_wrong_answer_names_place_value_and_tolerance(problems: Problems) -> None:
    class Wrong(Good):
        def _post_process(self, x: Any) -> Any:
            return x[::-1]

    [finding] = problems(Wrong())
    assert "answer.predictions[0][0].shouting is 0.92" in finding.problem
    assert "± 0.001" in finding.problem


def test_an_incomplete_card_is_found(problems: Problems) -> None:
    class Anonymous(Good):
        MODEL_META_DATA = {**Good.MODEL_META_DATA, "license": " "}

    [finding] = problems(Anonymous())
    assert finding == Finding("the card is complete", "MODEL_META_DATA has no license")


def test_a_model_that_swallows_anything_is_found(problems: Problems) -> None:
    class AnythingGoes(TextClassification):
        def read(self, inputs: Any, settings: Settings) -> list[str]:
            return (
                [str(text) for text in inputs.body.get("text", ["nothing"])]
                if isinstance(inputs.body.get("text", []), list)
                else ["nothing"]
            )

    class Swallows(Good):
        task = AnythingGoes(labels=["shouting", "talking"])

    [finding] = problems(Swallows())
    assert finding.promise == "nonsense is refused"


def test_a_model_that_fails_is_found_and_its_error_is_named(problems: Problems) -> None:
    class Fails(Good):
        def _post_process(self, x: Any) -> Any:
            raise KeyError("boxes")

    assert any("model_failed" in finding.problem for finding in problems(Fails()))


def test_a_folder_without_samples_is_found(tmp_path: Path, settings: Settings) -> None:
    predictor = Predictor(Good(), settings)

    findings = list(check(predictor, ModelFolder(tmp_path), []))

    assert [f.promise for f in findings if f.problem] == ["it has a sample"]
    predictor.close()


@pytest.mark.parametrize(
    ("expected", "actual", "where"),
    [
        ({"a": 1.0}, {"a": 1.0005, "b": 2}, ""),
        ({"a": 1.0}, {"a": 1.5}, "answer.a is 1.5, expected 1.0"),
        ({"a": [1, 2]}, {"a": [1]}, "answer.a has 1 entries, expected 2"),
        ({"a": [{"box": [0.1]}]}, {"a": [{"box": [0.15]}]}, ""),
        ({"a": [{"box": [0.1]}]}, {"a": [{"box": [0.25]}]}, "answer.a[0].box[0] is 0.25, expected 0.1 ± 0.1"),
        ({"a": "x"}, {"a": "y"}, "answer.a is 'y', expected 'x'"),
        ({"a": True}, {"a": 1}, ""),
        ({"a": 1.0}, {}, "answer.a is None, expected 1.0"),
        ({"a": {}}, {"a": []}, "answer.a is [], expected {}"),
        ({"a": 1.0}, {"a": float("nan")}, "answer.a is nan, expected 1.0"),
    ],
)
def test_answers_are_compared_within_tolerance(expected: Any, actual: Any, where: str) -> None:
    assert difference(expected, actual, {"box": 0.1}).startswith(where)
    assert bool(difference(expected, actual, {"box": 0.1})) == bool(where)


def test_a_swapped_channel_changes_a_pictures_thumbnail() -> None:
    red = ImageToImage().write([], [Image.new("RGB", (16, 8), (200, 10, 90))], ())
    blue = ImageToImage().write([], [Image.new("RGB", (16, 8), (90, 10, 200))], ())

    assert comparable(red)["image"]["size"] == [16, 8]
    assert "thumbnail" in difference(comparable(red), comparable(blue), {"thumbnail": 4})


def seg_map_answer(seg_map: np.ndarray) -> Any:
    return comparable(ImageSegmentation().write([], [seg_map], ()))["seg_map"]


def test_a_map_is_compared_by_where_its_ids_are() -> None:
    seg_map = np.zeros((342, 513), int)
    seg_map[:171, :100] = 15
    edge = seg_map.copy()
    edge[:172, :101] = 15
    seg_map[0, 0] = 7  # a speck, which is on less than one pixel in a hundred
    expected = seg_map_answer(seg_map)

    assert expected["size"] == [513, 342]
    assert [found["id"] for found in expected["shares"]] == [0, 15]
    assert difference(expected, seg_map_answer(edge), {"share": 0.05}) == ""
    assert "shares[0].share[0][0]" in difference(expected, seg_map_answer(seg_map[:, ::-1]), {"share": 0.05})
    assert "id is 3, expected 15" in difference(expected, seg_map_answer(np.where(seg_map == 15, 3, 0)), {})


@pytest.mark.parametrize("rows", [[[1] * 8] * 7, [[1] * 7] * 8, [[0.5] * 9] * 9, [[1] * 9] * 8 + [[1] * 8]])
def test_only_maps_of_ids_are_shortened(rows: list[list[float]]) -> None:
    answer = ImageEmbeddingAnswer(predictions=rows)

    assert comparable(answer)["predictions"] == rows


@pytest.mark.parametrize(
    ("content", "told"),
    [("{", "first.json"), ("{}", "answer"), ('{"answer": {}, "typo": 1}', "typo"), ("[]", "first.json")],
)
def test_a_malformed_sample_is_the_authors_error(tmp_path: Path, content: str, told: str) -> None:
    (tmp_path / "samples").mkdir()
    (tmp_path / "samples/first.json").write_text(content, encoding="utf-8")

    with pytest.raises(BadModel, match=told):
        samples_of(ModelFolder(tmp_path), Good.task)


def test_a_public_sample_is_fetched_like_weights(tmp_path: Path) -> None:
    (tmp_path / "samples").mkdir()
    stated = {
        "name": "dog.jpg",
        "url": "https://example.org/dog.jpg",
        "sha256": "0" * 64,
        "licence": "CC0-1.0",
    }
    (tmp_path / "samples/dog.asset").write_text(json.dumps(stated), encoding="utf-8")
    (tmp_path / "samples/dog.json").write_text('{"input": "dog.asset", "answer": {}}', encoding="utf-8")

    assert sample_asset(tmp_path / "samples/dog.asset").licence == "CC0-1.0"
    with pytest.raises(AssetUnavailable, match=r"dog\.jpg"):
        samples_of(
            ModelFolder(tmp_path), ImageToImage(), load_settings({}, offline=True, assets_dir=str(tmp_path))
        )


def test_a_sample_may_bring_a_second_picture(tmp_path: Path, settings: Settings) -> None:
    class Swaps(MAXModelWrapper):
        MODEL_META_DATA = Good.MODEL_META_DATA
        task = ImageToImage()

        def _predict(self, image: Any) -> Any:
            return image

        def _post_process(self, image: Any, *, other: UploadedImage | None = None) -> Any:
            return other or image

    (tmp_path / "samples").mkdir()
    for name, size in (("a", (4, 2)), ("b", (6, 3))):
        Image.new("RGB", size).save(tmp_path / "samples" / f"{name}.png")
    sample = {"input": "a.png", "files": {"other": "b.png"}, "answer": {"image_size": [6, 3]}}
    (tmp_path / "samples" / "first.json").write_text(json.dumps(sample), encoding="utf-8")
    folder, predictor = ModelFolder(tmp_path), Predictor(Swaps(), settings)

    assert [f for f in check(predictor, folder, samples_of(folder, predictor.task)) if f.problem] == []

    predictor.pictures = ()  # as if it did not look at them
    findings = list(check(predictor, folder, samples_of(folder, predictor.task)))
    assert any("expected 6" in finding.problem for finding in findings)
    predictor.close()
