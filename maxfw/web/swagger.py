"""Task and signatures → the Swagger 2.0 that flask-restx publishes."""

from __future__ import annotations

from typing import Any

import msgspec
from flask_restx import Namespace

from maxfw.model.parameters import Parameter
from maxfw.tasks.base import Label, Task


class ErrorAnswer(msgspec.Struct):
    """The answer to a request that failed."""

    status: str
    code: str
    message: str
    hint: str
    request_id: str


class MetadataAnswer(msgspec.Struct):
    """What the model is, and within which limits it answers."""

    id: str
    name: str
    description: str
    type: str
    source: str
    license: str
    task: str
    limits: dict[str, Any]
    version: str


class LabelsAnswer(msgspec.Struct):
    """What the model can name."""

    count: int
    labels: list[Label]


def models_of(namespace: Namespace, types: list[Any]) -> dict[str, Any]:
    """Register typed structs with a namespace → flask-restx models by name."""
    _, components = msgspec.json.schema_components(types, ref_template="#/definitions/{name}")
    return {name: namespace.schema_model(name, swagger2(schema)) for name, schema in components.items()}


def predict_documentation(
    task: Task, parameters: tuple[Parameter, ...], models: dict[str, Any], limits: dict[str, Any]
) -> dict[str, Any]:
    """Arguments for `@namespace.doc` that describe `/model/predict` of a model; `limits` as in its metadata."""
    place = "formData" if task.files else "query"
    params: dict[str, Any] = {
        field.name: {
            "in": "formData",
            "type": "file",
            "required": True,
            "description": field.description + limits_in_words(limits.get(field.name, {})),
        }
        for field in task.files
    }
    for parameter in parameters:
        params[parameter.name] = {"in": place, "required": parameter.required, **parameter_schema(parameter)}
    documentation: dict[str, Any] = {"id": "predict", "params": params, "produces": list(task.produces)}
    if not task.files:
        of_each = "; ".join(f"{name}{limits_in_words(limit)}" for name, limit in limits.items())
        documentation["description"] = f"Limits: {of_each}."
    if task.files:
        documentation["consumes"] = ["multipart/form-data"]
    if task.body is not None:
        documentation["expect"] = [models[task.body.__name__]]
    return documentation


def limits_in_words(limits: dict[str, Any]) -> str:
    """`{"bytes": 1000, "formats": […]}` → `, at most 1000 bytes`; what is no number is said elsewhere."""
    numbers = [
        f"{value:g} {unit.replace('_', ' ')}"
        for unit, value in limits.items()
        if isinstance(value, int | float)
    ]
    return f", at most {', '.join(numbers)}" if numbers else ""


def parameter_schema(parameter: Parameter) -> dict[str, Any]:
    """One parameter in Swagger's words: type, range, choices, default, description."""
    schema: dict[str, Any] = swagger2(parameter.schema)
    for option in schema.pop("anyOf", []):
        if option.get("type") != "null":
            schema = {**option, **schema}
    schema.setdefault("type", "integer" if _all_integers(schema.get("enum", [])) else "string")
    if schema["type"] == "array":
        schema["collectionFormat"] = "csv"
    return schema


def swagger2(schema: Any) -> Any:
    """JSON Schema 2020-12, as msgspec writes it → the dialect of Swagger 2.0."""
    if isinstance(schema, list):
        return [swagger2(item) for item in schema]
    if not isinstance(schema, dict):
        return schema
    converted: dict[str, Any] = {
        key: swagger2(value) for key, value in schema.items() if key != "contentEncoding"
    }
    if schema.get("contentEncoding") == "base64":
        converted["format"] = "byte"
    for exclusive, limit in (("exclusiveMinimum", "minimum"), ("exclusiveMaximum", "maximum")):
        if exclusive in converted and not isinstance(converted[exclusive], bool):
            converted[limit], converted[exclusive] = converted[exclusive], True
    return converted


def _all_integers(choices: list[Any]) -> bool:
    return bool(choices) and all(isinstance(choice, int) for choice in choices)
