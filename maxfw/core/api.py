"""The namespace and the classes that the handlers of old model repositories are made of."""

from __future__ import annotations

from typing import Any

from flask_restx import Resource, fields

from maxfw.core.namespace import SharedNamespace

__all__ = [
    "MAXAPI",
    "MAX_API",
    "METADATA_SCHEMA",
    "CustomMAXAPI",
    "MetadataAPI",
    "PredictAPI",
    "Resource",
    "fields",
]

MAX_API = SharedNamespace("model", description="Model information and inference operations")

METADATA_SCHEMA = MAX_API.model(
    "ModelMetadata",
    {
        "id": fields.String(required=True, description="Model identifier"),
        "name": fields.String(required=True, description="Model name"),
        "description": fields.String(required=True, description="Model description"),
        "type": fields.String(required=True, description="Model type"),
        "source": fields.String(required=True, description="Model source"),
        "license": fields.String(required=False, description="Model license"),
    },
)


class MAXAPI(Resource):
    """What every handler derives from."""


class MetadataAPI(MAXAPI):
    """`GET /model/metadata`, and `/model/labels` in many repositories."""

    def get(self) -> Any:
        """To be implemented."""
        raise NotImplementedError


class PredictAPI(MAXAPI):
    """`POST /model/predict`."""

    def post(self) -> Any:
        """To be implemented."""
        raise NotImplementedError


class CustomMAXAPI(MAXAPI):
    """A handler of any verbs."""
