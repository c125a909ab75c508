"""One `MAX_API` for everybody, and yet no app that answers another app's routes."""

from __future__ import annotations

from typing import Any
from weakref import ref

from flask_restx import Namespace


class SharedNamespace(Namespace):
    """A namespace whose routes and models reach every app, before or after the app was made.

    Each app answers for a namespace of its own (`for_app`), so that what is added to one app stays there.
    """

    def __init__(self, name: str, description: str) -> None:
        super().__init__(name, description=description)
        self._of_apps: list[ref[Namespace]] = []

    def for_app(self) -> Namespace:
        """A namespace of the same name with the routes and models so far, and those to come."""
        own = Namespace(self.name, description=self.description, authorizations=self.authorizations)
        own.models = dict(self.models)
        own.error_handlers = self.error_handlers
        own.decorators = self.decorators
        for route in self.resources:
            own.add_resource(route.resource, *route.urls, route_doc=route.route_doc, **route.kwargs)
        self._of_apps.append(ref(own))
        return own

    def add_resource(self, resource: type, *urls: str, **kwargs: Any) -> None:
        super().add_resource(resource, *urls, **kwargs)
        for own in self._living():
            own.add_resource(resource, *urls, **kwargs)

    def add_model(self, name: str, definition: Any) -> Any:
        """Declare a model. An app that knows another by this name keeps it: two apps may use one name."""
        super().add_model(name, definition)
        for own in self._living():
            if name not in own.models:
                own.add_model(name, definition)
        return definition

    def _living(self) -> list[Namespace]:
        """The namespaces of the apps that are still there, in the order they were made."""
        living = [(known, own) for known in self._of_apps if (own := known()) is not None]
        self._of_apps = [known for known, _ in living]
        return [own for _, own in living]
