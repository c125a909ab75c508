"""The resources of a new-style model: metadata, labels, predict."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import flask
import msgspec
from flask import Flask, Response
from flask_restx import Api, Namespace, Resource

import maxfw
from maxfw.catalog import card
from maxfw.errors import NotFound
from maxfw.predictor import Predictor
from maxfw.web import swagger
from maxfw.web.errors import CALLER
from maxfw.web.guards import request_limits
from maxfw.web.predict import Predict
from maxfw.web.reading import Received


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

        @namespace.doc(**swagger.predict_documentation(task, predictor.parameters, models, predictor.limits))
        @namespace.response(200, "The answer", models[task.answer.__name__])
        @namespace.response(400, "The input or a parameter is not acceptable", models["ErrorAnswer"])
        @namespace.response(413, "The input exceeds a limit", models["ErrorAnswer"])
        @namespace.response(415, "The input is in a format that is not accepted", models["ErrorAnswer"])
        @namespace.response(503, "Busy: try again after Retry-After seconds", models["ErrorAnswer"])
        def post(self) -> Response:
            raise NotImplementedError  # `_predict_view` stands in its place

    return Predict


def _predict_view(predictor: Predictor) -> Callable[[], Response]:
    line = Predict(predictor)

    def predict() -> Response:
        request = flask.request
        caller = request.environ[CALLER]
        accept = request.headers.get("Accept", "")
        received = Received(
            request.headers.get("Content-Type", ""),
            request.get_data(cache=False),
            request.query_string.decode("latin-1"),
            accept,
            request.headers.get("Content-Encoding", ""),
        )
        encoded = line.end(*line.begin(received, caller), accept)
        response = Response(encoded.content, content_type=encoded.media_type)
        response.headers["Server-Timing"] = caller.server_timing()
        return response

    return predict


def _json(content: Any) -> Response:
    return Response(msgspec.json.encode(content), content_type="application/json")
