"""`config.py` of the folder that an old app is started in."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from types import ModuleType

from flask import Config

MODULE = "config"


def load_config_file(folder: Path) -> ModuleType | None:
    """The module of `folder`'s config.py, also for `from config import …` from now on; None without the file.

    A `config` that was imported from this very file is used as it is. One from elsewhere (a second app in the
    process, a library) keeps serving those who already hold it, but the name is this folder's from now on.
    """
    file = folder / "config.py"
    if not file.is_file():
        return None
    known = sys.modules.get(MODULE)
    if known is not None and _is_from(known, file):
        return known
    # By its path: the folder need not be on sys.path, and another folder's config.py may be before it there.
    spec = importlib.util.spec_from_file_location(MODULE, file)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[MODULE] = module
    try:
        spec.loader.exec_module(module)
    except BaseException:
        _put_back(known)
        raise
    return module


def apply_config(config: Config, module: ModuleType) -> None:
    """Load the capitals of `module`, and give flask-restx what was written for flask_restplus."""
    config.from_object(module)
    for name in [name for name in config if name.startswith("RESTPLUS_")]:
        config.setdefault("RESTX_" + name.removeprefix("RESTPLUS_"), config[name])
    if config["DEBUG"] and config["PROPAGATE_EXCEPTIONS"] is None:
        # There is no interactive debugger in production: what was not caught is answered 500, and logged.
        config["PROPAGATE_EXCEPTIONS"] = False


def _is_from(module: ModuleType, file: Path) -> bool:
    origin = getattr(module, "__file__", None)
    return origin is not None and Path(origin).exists() and Path(origin).samefile(file)


def _put_back(known: ModuleType | None) -> None:
    if known is None:
        sys.modules.pop(MODULE, None)
    else:
        sys.modules[MODULE] = known
