"""Parameters are signatures."""

from __future__ import annotations

import datetime
import enum
import json
from typing import Annotated, Any, Literal

import pytest
from msgspec import Meta, Struct
from PIL import Image

from maxfw.errors import BadModel, BadParameter
from maxfw.model import MAXModelWrapper, Probability, UploadedImage
from maxfw.model.parameters import bind, parameters_of
from maxfw.tasks.image_classification import ImageClassification
from maxfw.tasks.text_classification import TextClassification
from maxfw.web.swagger import parameter_schema


class Tunable(MAXModelWrapper):
    def _pre_process(self, x: Any, *, size: int = 10) -> Any:
        return x

    def _predict(self, x: Any, *, scale: Literal[2, 3, 4] = 2) -> Any:
        return x

    def _post_process(
        self,
        x: Any,
        *,
        threshold: Probability = 0.7,
        names: list[str] | None = None,
        loud: bool = False,
        style: Literal["mosaic", "candy"] = "mosaic",
        rate: Annotated[float, Meta(gt=0, lt=10)] = 1.0,
        speed: float = 1.0,
        pause: Annotated[float, Meta(gt=0, description="seconds")] | None = None,
    ) -> Any:
        return x


def values(**given: Any) -> dict[str, Any]:
    """All arguments that the hooks get, in one dict."""
    bound = bind(parameters_of(Tunable), given)
    return {name: value for arguments in bound.values() for name, value in arguments.items()}


def test_each_hook_gets_the_parameters_it_declares() -> None:
    bound = bind(parameters_of(Tunable), {"size": "5", "scale": "3"})

    assert bound["_pre_process"] == {"size": 5}
    assert bound["_predict_batch"] == {"scale": 3}
    assert set(bound["_post_process"]) == {"threshold", "names", "loud", "style", "rate", "speed", "pause"}


def test_what_is_not_sent_has_the_default_of_the_signature() -> None:
    assert values() == {
        "size": 10, "scale": 2, "threshold": 0.7, "names": None, "loud": False, "style": "mosaic", "rate": 1.0,
        "speed": 1.0, "pause": None,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("name", "text", "value"),
    [
        ("threshold", "0.5", 0.5),
        ("threshold", " 1 ", 1.0),
        ("threshold", 0, 0.0),
        ("size", "12", 12),
        ("names", "a, b", ["a", "b"]),
        ("names", ["a,b"], ["a,b"]),
        ("names", "", []),
        ("loud", "yes", True),
        ("loud", "off", False),
        ("loud", "true", True),
        ("loud", "0", False),
        ("style", "candy", "candy"),
        ("scale", "4", 4),
    ],
)
def test_strings_become_what_the_signature_says(name: str, text: Any, value: Any) -> None:
    assert values(**{name: text})[name] == value


@pytest.mark.parametrize(
    ("name", "text", "told"),
    [
        ("threshold", "1.5", "from 0 to 1"),
        ("threshold", "-0.1", "from 0 to 1"),
        ("threshold", "nan", "from 0 to 1"),
        ("threshold", "inf", "from 0 to 1"),
        ("threshold", "much", "'much'"),
        ("threshold", "", "''"),
        ("threshold", [0.5], "threshold"),
        ("size", "1.5", "'1.5'"),
        ("size", "9" * 400, "64 bits"),
        ("loud", "perhaps", "'perhaps'"),
        ("style", "van gogh", "'mosaic'"),
        ("scale", "5", "2 or 3 or 4"),
        ("rate", "0", "above 0"),
        ("pause", "0", "number above 0; seconds"),
        ("speed", "nan", "finite"),
        ("rate", "10", "below 10"),
    ],
)
def test_a_value_that_does_not_fit_is_refused_with_its_range(name: str, text: Any, told: str) -> None:
    with pytest.raises(BadParameter) as refusal:
        values(**{name: text})

    said = f"{refusal.value.message} {refusal.value.hint}"
    assert repr(name) in said
    assert told in said
    assert len(said) < 400


def test_an_unknown_parameter_is_refused_and_the_known_ones_are_named() -> None:
    with pytest.raises(BadParameter) as refusal:
        values(treshold="0.5")

    assert "'treshold'" in refusal.value.message
    assert "threshold" in refusal.value.hint


def test_a_parameter_without_default_is_required() -> None:
    class Strict(MAXModelWrapper):
        def _predict(self, x: Any, *, word: str) -> Any:
            return x

    with pytest.raises(BadParameter, match="missing parameter 'word'"):
        bind(parameters_of(Strict), {})


def test_two_hooks_may_share_a_parameter_but_not_disagree_about_it() -> None:
    class Shares(MAXModelWrapper):
        def _pre_process(self, x: Any, *, size: int = 1) -> Any:
            return x

        def _predict(self, x: Any, *, size: int = 1) -> Any:
            return x

    class Disagrees(Shares):
        def _post_process(self, x: Any, *, size: int = 2) -> Any:
            return x

    bound = bind(parameters_of(Shares), {"size": "3"})
    assert bound["_pre_process"] == bound["_predict_batch"] == {"size": 3}
    with pytest.raises(BadModel, match="'size'"):
        parameters_of(Disagrees)


def test_a_type_that_no_request_can_carry_is_the_authors_error() -> None:
    class Odd(MAXModelWrapper):
        def _predict(self, x: Any, *, thing: complex = 1j) -> Any:
            return x

    with pytest.raises(BadModel, match="'thing'"):
        parameters_of(Odd)


def test_an_unannotated_parameter_has_the_type_of_its_default() -> None:
    class Plain(MAXModelWrapper):
        def _predict(self, x, *, chars=100):  # type: ignore[no-untyped-def]
            return x

    assert bind(parameters_of(Plain), {"chars": "7"})["_predict_batch"] == {"chars": 7}


class Frame(MAXModelWrapper):
    def _predict(self, x: Any) -> Any:
        return x

    def _post_process(
        self,
        x: Any,
        *,
        wood: Annotated[UploadedImage, Meta(description="what it is made of")] | None = None,
        width: int = 3,
    ) -> Any:
        return x


def test_a_parameter_annotated_as_an_image_is_an_uploaded_picture() -> None:
    wood, width = parameters_of(Frame)

    assert (wood.is_picture, width.is_picture) == (True, False)
    assert wood.schema == {"type": "file", "description": "what it is made of"}
    assert not wood.required


def test_a_picture_goes_to_its_hook_and_is_none_where_none_was_sent() -> None:
    picture = Image.new("RGB", (2, 1))

    assert bind(parameters_of(Frame), {"wood": picture})["_post_process"] == {"wood": picture, "width": 3}
    assert bind(parameters_of(Frame), {})["_post_process"]["wood"] is None


def test_a_text_in_place_of_a_picture_is_refused() -> None:
    with pytest.raises(BadParameter, match=r"'wood': 'oak\.png': not an uploaded picture"):
        bind(parameters_of(Frame), {"wood": "oak.png"})


def test_a_picture_cannot_decide_which_inputs_share_a_batch() -> None:
    class Sorts(MAXModelWrapper):
        def _predict_batch(self, xs: Any, *, wood: UploadedImage | None = None) -> Any:
            return xs

    with pytest.raises(BadModel, match="'wood'"):
        parameters_of(Sorts)


class Style(enum.Enum):
    MOSAIC = "mosaic"
    CANDY = "candy"


class Point(Struct):
    x: int = 0


def hook(argument: Any = ..., default: Any = ...) -> type[MAXModelWrapper]:
    """A model whose hook takes `k`, annotated as `argument`, with this default."""

    def _predict(self: Any, x: Any, *, k: Any) -> Any:
        return k

    _predict.__annotations__ = {} if argument is ... else {"k": argument}
    _predict.__kwdefaults__ = {} if default is ... else {"k": default}
    return type("Model", (MAXModelWrapper,), {"_predict": _predict})


@pytest.mark.parametrize(
    ("argument", "default", "told", "text", "value"),
    [
        (Style, Style.CANDY, "candy", "mosaic", Style.MOSAIC),
        (Style | None, Style.CANDY, "candy", "mosaic", Style.MOSAIC),
        (..., Style.CANDY, "candy", "mosaic", Style.MOSAIC),
        (datetime.date, datetime.date(2024, 2, 29), "2024-02-29", "2025-01-01", datetime.date(2025, 1, 1)),
        (set[int], {3}, [3], "1,2", {1, 2}),
        (tuple[int, int], (1, 2), [1, 2], "3,4", (3, 4)),
    ],
)
def test_choices_and_dates_are_described_without_references_and_as_json(
    argument: Any, default: Any, told: Any, text: str, value: Any
) -> None:
    [parameter] = parameters_of(hook(argument, default))
    described = json.dumps(parameter_schema(parameter))

    assert "$ref" not in described
    assert json.loads(described)["default"] == told
    assert "mosaic" in described or not isinstance(default, Style)
    assert bind([parameter], {})["_predict_batch"] == {"k": default}
    assert bind([parameter], {"k": text})["_predict_batch"] == {"k": value}


def test_an_object_is_no_parameter() -> None:
    with pytest.raises(BadModel, match=r"'k'.*Point is an object"):
        parameters_of(hook(Point))


@pytest.mark.parametrize(
    ("argument", "default"),
    [
        (Probability, 7),
        (Probability, "0.5"),
        (int, None),
        (int, 1.5),
        (Style, "fresco"),
        (Literal["a", "b"], "c"),
        (float, float("nan")),
    ],
)
def test_a_default_that_no_request_could_send_is_the_authors_error(argument: Any, default: Any) -> None:
    with pytest.raises(BadModel, match=r"'k' of .* has the default"):
        parameters_of(hook(argument, default))


@pytest.mark.parametrize(
    ("argument", "default"), [(..., None), (int | None, None), (Probability, 1), (float, 2), (list[str], [])]
)
def test_a_default_that_fits_is_kept(argument: Any, default: Any) -> None:
    [parameter] = parameters_of(hook(argument, default))

    assert bind([parameter], {})["_predict_batch"] == {"k": default}


@pytest.mark.parametrize(
    ("task", "name"),
    [(ImageClassification(labels=["a"]), "image"), (TextClassification(labels=["a"]), "text")],
)
def test_a_parameter_cannot_have_the_name_of_the_input(task: Any, name: str) -> None:
    namespace: dict[str, Any] = {}
    exec(f"def _predict(self, x, *, {name}=1): return x", namespace)
    model = type("Model", (MAXModelWrapper,), {"_predict": namespace["_predict"], "task": task})

    with pytest.raises(BadModel, match=f"'{name}' has the name of the input of task {task.name}"):
        parameters_of(model)


class Forgot(MAXModelWrapper):
    def _predict(self, x: Any) -> Any:
        return x

    def _post_process(self, x: Any, threshold: float = 0.7) -> Any:
        return x


def test_an_argument_that_is_not_keyword_only_is_no_parameter_and_the_author_is_told() -> None:
    class New(Forgot):
        task = ImageClassification(labels=["a"])

    with pytest.raises(BadModel, match=r"_post_process: .*must be keyword-only") as error:
        parameters_of(New)
    assert error.value.hint == "write: *, threshold"
    assert parameters_of(Forgot) == ()  # old style: what it passes to itself is its own affair


def test_hooks_that_are_derived_static_or_of_a_class_may_be_as_they_are() -> None:
    class Static(MAXModelWrapper):
        task = ImageClassification(labels=["a"])

        @staticmethod
        def _pre_process(x: Any, *, size: int = 1) -> Any:
            return x

        @classmethod
        def _post_process(cls, x: Any) -> Any:
            return x

        def _predict_batch(self, xs: Any) -> Any:
            return xs

    assert [parameter.name for parameter in parameters_of(Static)] == ["size"]
