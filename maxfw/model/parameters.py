"""Parameters are signatures: the keyword-only arguments of a model's hooks are what a request may set.

Swagger, the command line and the client learn them from here. An argument annotated as a PIL image is a second
picture that a request may upload.
"""

from __future__ import annotations

import inspect
import math
import types
import typing
from collections.abc import Collection, Mapping, Sequence
from typing import Annotated, Any, Literal, Union

import msgspec
from msgspec import Meta, Struct
from PIL import Image

from maxfw.errors import BadModel, BadParameter, quoted
from maxfw.model.model import MAXModelWrapper, validate, writes_single
from maxfw.tasks.base import Task

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
        schema = _without_references(msgspec.json.schema(self.type))
        choices = [choice for choice in schema.get("anyOf", []) if choice.get("type") != "null"]
        if len(choices) == 1:  # `float | None`: who does not want it leaves it out
            schema = choices[0]
        if not self.required and self.default is not None:
            schema["default"] = msgspec.to_builtins(self.default)
        return schema

    @property
    def description(self) -> str:
        """What the annotation says about it."""
        return str(self.schema.get("description", ""))


def parameters_of(model_class: type[MAXModelWrapper]) -> tuple[Parameter, ...]:
    """The parameters of a model, in the order of its hooks.

    Raises:
        BadModel: the class declares nothing that can be served, an annotation or a default cannot be used, two
            hooks declare one name differently, or a parameter has the name of a field of the task's input.
    """
    validate(model_class)
    found: dict[str, Parameter] = {}
    for hook in HOOKS:
        # A derived batch method takes whatever the author's `_predict` declares.
        single = hook == "_predict_batch" and writes_single(model_class)
        name = "_predict" if single else hook
        function = getattr(model_class, name)
        if model_class.task is not None:
            _check_positional(inspect.getattr_static(model_class, name), function)
        for parameter in _declared(function, hook):
            known = found.setdefault(parameter.name, parameter)
            if known is not parameter:
                if (known.type, known.default) != (parameter.type, parameter.default):
                    raise BadModel(
                        f"{model_class.__name__} declares parameter {parameter.name!r} in two ways"
                    )
                merged = (*known.hooks, hook)
                found[parameter.name] = msgspec.structs.replace(known, hooks=merged)
    if model_class.task is not None:
        _check_names(found, model_class.task)
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
            raise BadParameter(
                f"unknown parameter {quoted(name)}", hint=f"the parameters of this model: {names}"
            )
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
    return BadParameter(f"parameter {parameter.name!r}: {quoted(value)}: {why}", hint=_expectation(parameter))


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


def _check_positional(written: Any, function: Any) -> None:
    """A request sets keyword-only arguments; one that lacks the `*` would silently keep its default."""
    taken = 1 if isinstance(written, staticmethod | classmethod) else 2  # with `self`
    named = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
    names = [name for name, value in inspect.signature(function).parameters.items() if value.kind in named]
    if extra := names[taken:]:
        raise BadModel(
            f"{function.__qualname__}: arguments of hooks after the first must be keyword-only",
            hint=f"write: *, {', '.join(extra)}",
        )


def _check_names(names: Collection[str], task: Task) -> None:
    fields = {field.name for field in task.files}
    if task.body is not None:
        fields |= {field.name for field in msgspec.structs.fields(task.body)}
    for name in names:
        if name in fields:
            raise BadModel(
                f"parameter {name!r} has the name of the input of task {task.name}",
                hint="rename the parameter",
            )


def _check_type(parameter: Parameter, where: str) -> None:
    named = f"parameter {parameter.name!r} of {where}"
    if parameter.is_picture:
        if parameter.hooks == ("_predict_batch",):
            # Its parameters decide which inputs share a batch, and no two uploads are the same.
            raise BadModel(f"{named} is a picture", hint="take it in _pre_process or _post_process")
        return
    try:
        _without_references(msgspec.json.schema(parameter.type))
    except TypeError as error:
        raise BadModel(f"{named} has no usable type: {error}") from error
    # None stands for "not given" where nothing else is said.
    if parameter.required or (parameter.default is None and parameter.type is str):
        return
    try:
        default = msgspec.convert(msgspec.to_builtins(parameter.default), parameter.type)
    except (msgspec.ValidationError, TypeError, RecursionError) as error:
        raise BadModel(f"{named} has the default {parameter.default!r:.80}: {error}") from error
    if isinstance(default, float) and not math.isfinite(default):
        raise BadModel(f"{named} has the default {default}: not a finite number")


def _without_references(schema: dict[str, Any]) -> dict[str, Any]:
    """A schema in one piece, as Swagger wants it: choices of an Enum stand where they are used.

    Raises:
        TypeError: it has objects in it, which no form and no URL can carry.
    """
    definitions = schema.pop("$defs", {})
    for name, definition in definitions.items():
        if "enum" not in definition:
            raise TypeError(f"{name} is an object, which no form and no URL can carry")

    def inlined(node: Any) -> Any:
        if isinstance(node, list):
            return [inlined(item) for item in node]
        if not isinstance(node, dict):
            return node
        node = {key: inlined(value) for key, value in node.items()}
        if reference := node.pop("$ref", ""):
            return {**definitions[reference.removeprefix("#/$defs/")], **node}
        return node

    plain: dict[str, Any] = inlined(schema)
    return plain


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
