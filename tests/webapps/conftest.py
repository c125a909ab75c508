"""The web applications as modules, in front of models that answer without a socket."""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import httpx
import pytest
from flask import Flask

from maxfw.client import Client

WEBAPPS = Path(__file__).resolve().parents[2] / "webapps"
OWN = {"X-Max-App": "1"}


@pytest.fixture
def webapp(monkeypatch: pytest.MonkeyPatch) -> Callable[[str], ModuleType]:
    """Import `webapps/NAME/app.py` as Python would where it is run."""

    def load(name: str) -> ModuleType:
        monkeypatch.syspath_prepend(str(WEBAPPS / name))
        spec = importlib.util.spec_from_file_location(f"webapp_{name}", WEBAPPS / name / "app.py")
        assert spec is not None
        assert spec.loader is not None
        module = importlib.util.module_from_spec(spec)
        sys.modules[spec.name] = module
        spec.loader.exec_module(module)
        return module

    return load


@pytest.fixture
def asking() -> Callable[[Flask], Client]:
    """A client of an app, without a socket."""
    return lambda app: Client("http://model", retries=0, transport=httpx.WSGITransport(app=app))


@pytest.fixture
def away() -> Client:
    """A client of a model that is not there."""

    def refuse(request: httpx.Request) -> httpx.Response:
        raise httpx.ConnectError("refused", request=request)

    return Client("http://model", retries=0, transport=httpx.MockTransport(refuse))
