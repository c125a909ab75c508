"""What an old-style app gets for free: health, metrics, the playground, a log, API keys and a bounded body."""

from __future__ import annotations

from pathlib import Path

from flask import Flask

from maxfw.settings import Settings
from maxfw.web import health, pages
from maxfw.web.door import Door
from maxfw.web.guards import BoundedRequest
from maxfw.web.metrics import Metrics


def prepare(app: Flask, settings: Settings) -> None:
    """Make an old-style app fit for production, without changing what its own routes answer."""
    if app.config.get("MAX_CONTENT_LENGTH") is None:
        app.config["MAX_CONTENT_LENGTH"] = int(settings.max_old_body_mb * 1_000_000)
    # Its forms are bounded as a whole; werkzeug's limit for a single text field would be new to it.
    app.config["MAX_FORM_MEMORY_SIZE"] = app.config["MAX_CONTENT_LENGTH"]
    app.request_class = BoundedRequest
    metrics = Metrics()
    Door(app, settings, metrics, old_style=True)
    taken = {rule.rule for rule in app.url_map.iter_rules()}
    if "/health" not in taken:
        health.install(app, health.Health(None, settings))
    if "/metrics" not in taken:
        metrics.install(app, {"id": app.config.get("MAX_MODEL_ID", "")})
    if not any(rule == "/app" or rule.startswith("/app/") for rule in taken) and not _has_app_folder(app):
        app.register_blueprint(pages.playground(None))


def _has_app_folder(app: Flask) -> bool:
    """Whether the app's own static files already stand at `/app/`."""
    return app.static_folder is not None and (Path(app.static_folder) / "app").exists()
