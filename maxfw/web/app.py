"""A model → a Flask application."""

from __future__ import annotations

from flask import Flask
from flask_restx import Api

import maxfw
from maxfw.catalog import card
from maxfw.model import MAXModelWrapper
from maxfw.predictor import Predictor
from maxfw.settings import Settings, load_settings
from maxfw.web import api as resources
from maxfw.web import errors, guards, health, pages
from maxfw.web.door import Door
from maxfw.web.metrics import Metrics

SWAGGER_SETTINGS = {
    "SWAGGER_UI_DOC_EXPANSION": "list",
    "RESTX_MASK_SWAGGER": False,
    # A struct inside another is only described if all are.
    "RESTX_INCLUDE_ALL_MODELS": True,
    "PROPAGATE_EXCEPTIONS": False,
}


def create_app(model: MAXModelWrapper, settings: Settings | None = None) -> Flask:
    """A loaded model → its REST API: Swagger UI at `/`, the playground at `/app/`, `/model/*`, `/health`, `/metrics`.

    The predictor behind it is `app.extensions["maxfw"]`; close it when the app is done.

    Raises:
        BadModel: the model breaks the contract.
    """
    settings = settings or load_settings()
    metrics = Metrics()
    predictor = Predictor(model, settings, observe=metrics.observe)
    description = card(type(model))
    app = Flask("maxfw.web", static_folder=None)
    app.config.update(SWAGGER_SETTINGS)
    app.extensions["maxfw"] = predictor
    guards.install(app, predictor.body_limit)
    Door(app, settings, metrics, old_style=False)
    api = Api(
        app, title=description["name"], description=description["description"], version=maxfw.__version__
    )
    resources.add_resources(app, api, predictor)
    errors.install(app)
    health.install(app, health.Health(predictor, settings))
    metrics.install(app, description)
    pages.install(app, api, predictor)
    if settings.cors:
        guards.allow_origins(app, settings.cors)
    return app
