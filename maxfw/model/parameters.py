"""Parameters are signatures: the keyword-only arguments of a model's hooks are what a request may set.

Swagger, the command line and the client learn them from here. An argument annotated as a PIL image is a second
picture that a request may upload.
"""

from __future__ import annotations

import inspect
import math
import types
import typing
from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Literal, Union

import msgspec
from msgspec import Meta, Struct
from PIL import Image

from maxfw.errors import BadModel, BadParameter
from maxfw.model.model import MAXModelWrapper, writes_single

Probability = Annotated[float, Meta(ge=0, le=1, description="how sure the model must be, 0…1")]

#: A picture that is uploaded beside the input of the task; a hook gets it as a PIL image, RGB and upright.
UploadedImage = Annotated[Image.Image, Meta(description="a picture: JPEG, PNG, WebP, GIF, BMP or TIFF")]

HOOKS = ("_pre_process", "_predict_batch", "_post_process")


class Parameter(Struct, frozen=True):
    """One parameter: the hooks that take it, its type as annotated, and its default."""

    name: str
    hooks: tuple[str, ...]
    type: Any
    default: Any
    required: bool

    @property
    def is_picture(self) -> bool:
        """Whether its value is an uploaded picture."""
        return Image.Image in _alternatives(self.type)

    @property
    def schema(self) -> dict[str, Any]:
        """The JSON Schema of the type: type, range, choices, description; a picture is of Swagger's type `file`."""
        if self.is_picture:
            return {"type": "file", "description": _picture_description(self.type)}
        schema = msgspec.json.schema(self.type)
        if not self.required and self.default is not None:
            schema["default"] = self.default
        return schema

    @property
    def description(self) -> str:
        """What the annotation says about it."""
        return str(self.schema.get("description", ""))


def parameters_of(model_class: type[MAXModelWrapper]) -> tuple[Parameter, ...]:
    """The parameters of a model, in the order of its hooks.

    Raises:
        BadModel: an annotation cannot be used, or two hooks declare one name differently.
    """
    found: dict[str, Parameter] = {}
    for hook in HOOKS:
        # A derived batch method takes whatever the author's `_predict` declares.
        single = hook == "_predict_batch" and writes_single(model_class)
        function = getattr(model_class, "_predict" if single else hook)
        for parameter in _declared(function, hook):
            known = found.setdefault(parameter.name, parameter)
            if known is not parameter:
                if (known.type, known.default) != (parameter.type, parameter.default):
                    raise BadModel(
                        f"{model_class.__name__} declares parameter {parameter.name!r} in two ways"
                    )
                merged = (*known.hooks, hook)
                found[parameter.name] = msgspec.structs.replace(known, hooks=merged)
    return tuple(found.values())


def bind(parameters: Sequence[Parameter], values: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """A request's values, mostly strings → checked keyword arguments for each hook.

    Raises:
        BadParameter: unknown, missing, unreadable or out of range; names the parameter, the value and the range.
    """
    known = {parameter.name: parameter for parameter in parameters}
    for name in values:
        if name not in known:
            names = ", ".join(known) or "none"
            raise BadParameter(f"unknown parameter {name!r}", hint=f"the parameters of this model: {names}")
    arguments: dict[str, dict[str, Any]] = {hook: {} for hook in HOOKS}
    for parameter in parameters:
        if parameter.name in values:
            value = convert(parameter, values[parameter.name])
        elif parameter.required:
            raise BadParameter(f"missing parameter {parameter.name!r}", hint=_expectation(parameter))
        else:
            value = parameter.default
        for hook in parameter.hooks:
            arguments[hook][parameter.name] = value
    return arguments


def convert(parameter: Parameter, value: Any) -> Any:
    """One value, mostly a string → the parameter's type.

    Raises:
        BadParameter: it does not fit.
    """
    if parameter.is_picture:
        if not isinstance(value, Image.Image):
            raise _refusal(parameter, value, "not an uploaded picture")
        return value
    try:
        converted = msgspec.convert(_readable(value, parameter.type), parameter.type, strict=False)
    except (msgspec.ValidationError, RecursionError) as error:
        raise _refusal(parameter, value, str(error)) from None
    if isinstance(converted, float) and not math.isfinite(converted):
        raise _refusal(parameter, value, "not a finite number")
    if isinstance(converted, int) and abs(converted) >= 2**63:
        raise _refusal(parameter, value, "has more than 64 bits")
    return converted


def _refusal(parameter: Parameter, value: Any, why: str) -> BadParameter:
    shown = repr(value) if len(repr(value)) <= 80 else repr(value)[:77] + "…"
    return BadParameter(f"parameter {parameter.name!r}: {shown}: {why}", hint=_expectation(parameter))


def _expectation(parameter: Parameter) -> str:
    """`threshold: number from 0 to 1; how sure the model must be`."""
    schema = parameter.schema
    kind = " or ".join(repr(choice) for choice in schema.get("enum", [])) or schema.get("type", "value")
    ends = [
        f"{word} {schema[key]}"
        for key, word in (
            ("minimum", "from"),
            ("exclusiveMinimum", "above"),
            ("maximum", "to"),
            ("exclusiveMaximum", "below"),
        )
        if key in schema
    ]
    sentence = " ".join([f"{parameter.name}: {kind}", *ends])
    return f"{sentence}; {parameter.description}" if parameter.description else sentence


def _declared(function: Any, hook: str) -> list[Parameter]:
    signature = inspect.signature(function)
    try:
        annotations = typing.get_type_hints(function, include_extras=True)
    except Exception as error:
        raise BadModel(f"the annotations of {function.__qualname__} cannot be read: {error}") from error
    declared = []
    for name, argument in signature.parameters.items():
        if argument.kind is not inspect.Parameter.KEYWORD_ONLY:
            continue
        required = argument.default is inspect.Parameter.empty
        kind = annotations.get(name, str if required or argument.default is None else type(argument.default))
        parameter = Parameter(name, (hook,), kind, None if required else argument.default, required)
        _check_type(parameter, function.__qualname__)
        declared.append(parameter)
    return declared


def _check_type(parameter: Parameter, where: str) -> None:
    if parameter.is_picture:
        if parameter.hooks == ("_predict_batch",):
            # Its parameters decide which inputs share a batch, and no two uploads are the same.
            raise BadModel(
                f"parameter {parameter.name!r} of {where} is a picture",
                hint="take it in _pre_process or _post_process",
            )
        return
    try:
        msgspec.json.schema(parameter.type)
    except TypeError as error:
        raise BadModel(f"parameter {parameter.name!r} of {where} has no usable type: {error}") from error


def _picture_description(kind: Any) -> str:
    """The outermost description of a type: `Annotated[UploadedImage, Meta(description="…")] | None`."""
    if typing.get_origin(kind) is Annotated:
        said = [note.description for note in kind.__metadata__ if isinstance(note, Meta)]
        return next((text for text in reversed(said) if text), "")
    return "".join(_picture_description(option) for option in typing.get_args(kind))


def _readable(value: Any, kind: Any) -> Any:
    """What people write in forms and URLs: `"a,b"` for a list, `"yes"` for a truth."""
    if not isinstance(value, str):
        return value
    kinds = _alternatives(kind)
    if bool in kinds:
        return {"yes": True, "on": True, "no": False, "off": False}.get(value.strip().lower(), value)
    if any(
        typing.get_origin(option) in (list, tuple, set) or option in (list, tuple, set) for option in kinds
    ):
        return [part.strip() for part in value.split(",")] if value.strip() else []
    if str not in kinds and not any(typing.get_origin(option) is Literal for option in kinds):
        return value.strip()
    return value


def _alternatives(kind: Any) -> list[Any]:
    if typing.get_origin(kind) is Annotated:
        return _alternatives(typing.get_args(kind)[0])
    if typing.get_origin(kind) in (Union, types.UnionType):
        return [option for part in typing.get_args(kind) for option in _alternatives(part)]
    return [kind]
