"""`flask_restplus`, the name that model folders of 2019 import, as another name of `flask_restx`.

The aliases are the very module objects of flask_restx: a second copy of `fields` would break `isinstance`.
They are made when somebody asks for them, so that `import maxfw.model` stays free of Flask, and only where
the real flask_restplus is not installed.
"""

from __future__ import annotations

import importlib
import pkgutil
import sys
from collections.abc import Sequence
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec, PathFinder
from types import ModuleType

OLD_NAME = "flask_restplus"
NEW_NAME = "flask_restx"


def alias_flask_restplus(*, now: bool = False) -> None:
    """Make `import flask_restplus`, and its submodules, give flask_restx's; does nothing the second time.

    With `now`, flask_restx is imported and aliased at once; without it, on the first import of the old name.
    """
    if not any(isinstance(finder, _OldNameFinder) for finder in sys.meta_path):
        # At the end: whoever has the real flask_restplus gets the real one.
        sys.meta_path.append(_OldNameFinder())
    if now and PathFinder.find_spec(OLD_NAME) is None:
        importlib.import_module(OLD_NAME)


class _OldNameFinder(MetaPathFinder):
    """Answers for the old top name only; its submodules are in `sys.modules` once it is loaded."""

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        return ModuleSpec(fullname, _AliasLoader()) if fullname == OLD_NAME else None


class _AliasLoader(Loader):
    """Puts flask_restx where the import system takes its result from.

    The import system writes its spec onto the module it created. That is a throw-away module here
    (`create_module` is not overridden), so flask_restx keeps its own `__spec__` and `__name__`.
    """

    def exec_module(self, module: ModuleType) -> None:
        package = importlib.import_module(NEW_NAME)
        for found in pkgutil.walk_packages(package.__path__, NEW_NAME + "."):
            submodule = importlib.import_module(found.name)
            sys.modules[OLD_NAME + found.name.removeprefix(NEW_NAME)] = submodule
        sys.modules[OLD_NAME] = package
