"""The resources of a new-style model: metadata, labels, predict."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

import flask
import msgspec
from flask import Flask, Request, Response
from flask_restx import Api, Namespace, Resource

import maxfw
from maxfw.catalog import card
from maxfw.errors import BadInput, NotFound, UnsupportedMedia, quoted
from maxfw.predictor import Predictor
from maxfw.settings import Settings
from maxfw.tasks.base import Inputs, Task, Upload
from maxfw.tasks.values import decode_json
from maxfw.web import swagger
from maxfw.web.errors import CALLER
from maxfw.web.guards import request_limits

MULTIPART = "multipart/form-data"
FORM = "application/x-www-form-urlencoded"


def add_resources(app: Flask, api: Api, predictor: Predictor) -> None:
    """Mount `/model/metadata`, `/model/labels` and `/model/predict`."""
    namespace = Namespace("model", description="Model information and inference operations")
    task = predictor.task
    types: list[Any] = [task.answer, swagger.ErrorAnswer, swagger.LabelsAnswer, swagger.MetadataAnswer]
    models = swagger.models_of(namespace, [*types, task.body] if task.body else types)
    namespace.add_resource(_metadata_resource(namespace, models, predictor), "/metadata")
    namespace.add_resource(_labels_resource(namespace, models, predictor), "/labels")
    namespace.add_resource(_predict_resource(namespace, models, predictor), "/predict")
    api.add_namespace(namespace, path="/model")
    # flask-restx describes this route, and has no part in answering it.
    app.view_functions["model_predict"] = _predict_view(predictor)


def _metadata_resource(namespace: Namespace, models: dict[str, Any], predictor: Predictor) -> type[Resource]:
    metadata = swagger.MetadataAnswer(
        **card(type(predictor.model)),
        task=predictor.task.name,
        limits={**predictor.limits, "request": request_limits(predictor.settings)},
        version=maxfw.__version__,
    )

    class Metadata(Resource):
        """What the model is, what it takes and within which limits."""

        @namespace.doc("get_metadata")
        @namespace.response(200, "The card", models["MetadataAnswer"])
        def get(self) -> Response:
            return _json(metadata)

    return Metadata


def _labels_resource(namespace: Namespace, models: dict[str, Any], predictor: Predictor) -> type[Resource]:
    labels = [label for label in predictor.labels if label.name != "???"]

    class Labels(Resource):
        """What the model can name."""

        @namespace.doc("get_labels")
        @namespace.response(200, "The labels", models["LabelsAnswer"])
        @namespace.response(404, "This model has no labels", models["ErrorAnswer"])
        def get(self) -> Response:
            if not labels:
                raise NotFound("this model has no labels")
            return _json(swagger.LabelsAnswer(len(labels), labels))

    return Labels


def _predict_resource(namespace: Namespace, models: dict[str, Any], predictor: Predictor) -> type[Resource]:
    task = predictor.task

    class Predict(Resource):
        """Ask the model."""

        @namespace.doc(**swagger.predict_documentation(task, predictor.parameters, models))
        @namespace.response(200, "The answer", models[task.answer.__name__])
        @namespace.response(400, "The input or a parameter is not acceptable", models["ErrorAnswer"])
        @namespace.response(413, "The input exceeds a limit", models["ErrorAnswer"])
        @namespace.response(415, "The input is in a format that is not accepted", models["ErrorAnswer"])
        @namespace.response(503, "Busy: try again after Retry-After seconds", models["ErrorAnswer"])
        def post(self) -> Response:
            raise NotImplementedError  # `_predict_view` stands in its place

    return Predict


def _predict_view(predictor: Predictor) -> Callable[[], Response]:
    task, settings, pictures = predictor.task, predictor.settings, predictor.pictures

    def predict() -> Response:
        request = flask.request
        caller = request.environ[CALLER]
        inputs, values = read_request(request, task, settings, pictures)
        answer = predictor.answer(inputs, values, caller)
        encoded = task.encode(answer, request.headers.get("Accept", ""))
        caller.lap("encode")
        response = Response(encoded.content, content_type=encoded.media_type)
        response.headers["Server-Timing"] = caller.server_timing()
        return response

    return predict


def read_request(
    request: Request, task: Task, settings: Settings, pictures: Sequence[str] = ()
) -> tuple[Inputs, dict[str, Any]]:
    """A request → the inputs of the task and the values of parameters (the URL's win over the body's).

    `pictures` are the parameters that are files too.

    Raises:
        BadInput: a field is sent twice, unknown or malformed.
        UnsupportedMedia: the body is of another media type than the task takes.
    """
    if request.headers.get("Content-Encoding", "identity").lower() != "identity":
        raise UnsupportedMedia("the body is compressed in an unknown way", hint="gzip and deflate are known")
    query = _once(request.args.items(multi=True), "URL parameter")
    if task.body is not None:
        body = _json_body(request, settings)
        own = task.body.__struct_fields__
        inputs = Inputs(body={name: value for name, value in body.items() if name in own})
        return inputs, {name: value for name, value in body.items() if name not in own} | query
    _check_form(request, task)
    uploads = _once(request.files.items(multi=True), "file field")
    known = {field.name for field in task.files} | set(pictures)
    if unknown := [name for name in uploads if name not in known]:
        raise BadInput(
            f"unknown file field {quoted(unknown[0])}", hint=f"this model takes {', '.join(sorted(known))}"
        )
    files = {
        name: Upload(upload.stream.read(), upload.filename or "", upload.mimetype)
        for name, upload in uploads.items()
    }
    # A browser sends a file field that was left empty as a file without name and content.
    for name in set(pictures) & files.keys():
        if not files[name].filename and not files[name].blob:
            del files[name]
    form = _once(request.form.items(multi=True), "form field")
    if misplaced := [name for name in form if name in known]:
        raise BadInput(
            f"field {misplaced[0]!r} is text, not a file",
            hint=f"with curl, put @ before the file's name: -F {misplaced[0]}=@{task.files[0].example}",
        )
    return Inputs(files=files), form | query


def _json(content: Any) -> Response:
    return Response(msgspec.json.encode(content), content_type="application/json")


def _once(pairs: Iterable[tuple[str, Any]], what: str) -> dict[str, Any]:
    values: dict[str, Any] = {}
    for name, value in pairs:
        if name in values:
            raise BadInput(f"{what} {quoted(name)} is sent twice", hint="send it once")
        values[name] = value
    return values


def _json_body(request: Request, settings: Settings) -> dict[str, Any]:
    mimetype = request.mimetype
    if mimetype != "application/json" and not mimetype.endswith("+json"):
        raise UnsupportedMedia(
            f"the body is {quoted(mimetype or 'of no stated type')}, not JSON",
            hint="send JSON with the header 'Content-Type: application/json'",
        )
    return decode_json(request.get_data(cache=False), max_depth=settings.max_json_depth)


def _check_form(request: Request, task: Task) -> None:
    if task.files and request.mimetype not in (MULTIPART, FORM, ""):
        field = task.files[0]
        raise UnsupportedMedia(
            f"the body is {quoted(request.mimetype)}, not a multipart form",
            hint=f"send {field.description} as a form field: curl -F {field.name}=@{field.example}",
        )
