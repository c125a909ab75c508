"""Whether the process lives and whether it can answer."""

from __future__ import annotations

from flask import Blueprint, Flask, Response, jsonify

from maxfw.predictor import Predictor


def install(app: Flask, predictor: Predictor | None) -> None:
    """Add `/health`, `/health/live` and `/health/ready`; an old-style app has no predictor."""
    health = Blueprint("health", __name__)

    # A thread that has ended never comes back: whoever watches over the process should replace it.
    @health.get("/health/live")
    @health.get("/health")
    @health.get("/health/ready")
    def health_of_the_model() -> tuple[Response, int]:
        if predictor is not None and not predictor.batcher.is_alive():
            return jsonify(status="error", reason="the model's thread has ended"), 503
        return jsonify(status="ok"), 200

    app.register_blueprint(health)
