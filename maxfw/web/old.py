"""What an old-style app gets for free: health routes, the playground and a bounded body."""

from __future__ import annotations

from pathlib import Path

from flask import Flask

from maxfw.settings import Settings
from maxfw.web import health, pages
from maxfw.web.guards import BoundedRequest


def prepare(app: Flask, settings: Settings) -> None:
    """Make an old-style app fit for production, without changing what its own routes answer."""
    if app.config.get("MAX_CONTENT_LENGTH") is None:
        app.config["MAX_CONTENT_LENGTH"] = int(settings.max_old_body_mb * 1_000_000)
    # Its forms are bounded as a whole; werkzeug's limit for a single text field would be new to it.
    app.config["MAX_FORM_MEMORY_SIZE"] = app.config["MAX_CONTENT_LENGTH"]
    app.request_class = BoundedRequest
    taken = {rule.rule for rule in app.url_map.iter_rules()}
    if "/health" not in taken:
        health.install(app, None)
    if not any(rule == "/app" or rule.startswith("/app/") for rule in taken) and not _has_app_folder(app):
        app.register_blueprint(pages.playground(None))


def _has_app_folder(app: Flask) -> bool:
    """Whether the app's own static files already stand at `/app/`."""
    return app.static_folder is not None and (Path(app.static_folder) / "app").exists()
