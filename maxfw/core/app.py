"""`MAXApp`, the application object of model repositories since 2019."""

from __future__ import annotations

import importlib
from pathlib import Path
from typing import Any

from flask import Flask, Response, current_app, request
from flask_restx import Api
from werkzeug.exceptions import HTTPException, InternalServerError, MethodNotAllowed

from maxfw.core.answers import OldStyleJSON, json_response
from maxfw.core.api import MAX_API
from maxfw.core.config_file import apply_config, load_config_file
from maxfw.core.default_config import API_DESC, API_TITLE, API_VERSION
from maxfw.settings import load_settings, or_exit
from maxfw.web.guards import allow_origins

__all__ = ["API_DESC", "API_TITLE", "API_VERSION", "MAX_API", "MAXApp"]

MEGABYTE = 1_000_000
CORS_NOTE = "NOTE: MAX Model Server is currently allowing cross-origin requests - (CORS ENABLED)"


class MAXApp:
    """A model served over HTTP: Swagger UI at `/`, handlers under `/model`, `./static` at the root.

    `app` is the Flask application, `api` the flask-restx one.
    The folder that counts, for `config.py` and `static/`, is the current one at construction.
    """

    def __init__(self, title: str = API_TITLE, desc: str = API_DESC, version: str = API_VERSION) -> None:
        with or_exit():  # there is no command of ours around an app.py that could say it
            settings = load_settings()
        folder = Path.cwd()
        self.app = _flask_in(folder)
        # Flask 3.1 refuses form fields of more than 500 kB, 2019's did not; the body's own limit still counts.
        self.app.config["MAX_FORM_MEMORY_SIZE"] = int(settings.max_old_body_mb * MEGABYTE)
        if (config := load_config_file(folder)) is not None:
            apply_config(self.app.config, config)
        self.api = _OldStyleApi(self.app, title=title, description=desc, version=version)
        self._namespace = MAX_API.for_app()
        # Without the namespace "default", which would be a heading with nothing below it in the Swagger UI.
        self.api.namespaces.clear()
        self.api.add_namespace(self._namespace)
        if settings.cors:
            allow_origins(self.app, settings.cors)
            print(CORS_NOTE, flush=True)

    def add_api(self, api: type, route: str) -> None:
        """Answer requests for `/model` + `route` with the handler class `api`, in this app only."""
        self._namespace.add_resource(api, route)

    def mount_static(self, route: str) -> None:
        """Answer requests for `route` with `static/index.html`."""
        self.app.add_url_rule(route, f"index_at_{route}", lambda: self.app.send_static_file("index.html"))

    def run(self, host: str = "0.0.0.0", port: int = 5000) -> None:
        """Serve until told to stop. The operator's settings of host and port come before the arguments."""
        # By name: the ways to run stand above the web, and an old app.py runs itself. The one upward step.
        importlib.import_module("maxfw.server").run_old_app(self.app, host, port)


class _OldStyleFlask(Flask):
    """A Flask application that takes new routes at any time."""

    json_provider_class = OldStyleJSON

    def _check_setup_finished(self, f_name: str) -> None:
        # Flask refuses routes after the first request, because several processes might then differ.
        # Here every process runs the whole app.py, and 2019's Flask allowed it.
        return


class _OldStyleApi(Api):
    """A flask-restx API that shows routes added late, and tells the caller nothing of an error inside."""

    def __init__(self, app: Flask, **kwargs: Any) -> None:
        super().__init__(app, **kwargs)
        self.representation("application/json")(json_response)

    def register_resource(self, namespace: Any, resource: type, *urls: str, **kwargs: Any) -> str:
        # The Swagger description is made once, at the first request for it.
        self.__dict__.pop("__schema__", None)
        self._schema = self._refresolver = None
        return str(super().register_resource(namespace, resource, *urls, **kwargs))

    def _should_use_fr_error_handler(self) -> Any:
        refused = request.routing_exception
        if not isinstance(refused, MethodNotAllowed):
            return super()._should_use_fr_error_handler()
        # flask-restx asks about one of the methods that do work here, whichever comes first: if that is GET,
        # which `static/` answers anywhere, its 405 would be HTML in this process and JSON in the next.
        adapter = current_app.create_url_adapter(request)
        assert adapter is not None
        methods = refused.valid_methods or ()
        return any(self.owns_endpoint(adapter.match(method=method)[0]) for method in methods)

    def handle_error(self, e: Exception) -> Response:
        handled = (HTTPException, *self._own_and_child_error_handlers)
        if hasattr(e, "data") and not isinstance(e, handled) and not self._propagate_exceptions():
            # flask-restx answers with `data` of any exception, which is for HTTP errors to carry.
            hidden = InternalServerError(original_exception=e)
            hidden.data = {"message": "Internal Server Error"}  # type: ignore[attr-defined]
            e = hidden
        response: Response = super().handle_error(e)
        return response


def _flask_in(folder: Path) -> Flask:
    """A Flask application at home in `folder`, whatever the title: a title may be the name of a module."""
    return _OldStyleFlask(
        __name__,
        root_path=str(folder),
        instance_path=str(folder / "instance"),
        static_folder=str(folder / "static"),
        static_url_path="",
    )
