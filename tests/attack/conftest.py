"""The servers that are attacked; each is started once and serves all cases that leave it whole."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from target import ROOT, Ask, Target, start

import models


@pytest.fixture(scope="session")
def serve_for_all(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[..., Target]]:
    """Serve a model until the end of the session."""
    started: list[Target] = []

    def run(name: str, source: str | None, ask: Ask, *options: str, **environment: str) -> Target:
        place = tmp_path_factory.mktemp(name)
        folder = models.write(place / name, source) if source is not None else place / name
        if source is None:
            shutil.copytree(ROOT / "tests/compat/apps/animal_finder", folder)
        started.append(start(folder, ask, place, *options, environment=environment))
        return started[-1]

    yield run
    for target in started:
        target.end()


@pytest.fixture(scope="session")
def text_server(serve_for_all: Callable[..., Target]) -> Target:
    """A model that reads texts; a client has 1 s to send its request."""
    return serve_for_all("text", models.TEXT, models.text(), "--body-timeout-s", "1")


@pytest.fixture(scope="session")
def picture_server(serve_for_all: Callable[..., Target]) -> Target:
    """A model that looks at pictures."""
    return serve_for_all("picture", models.PICTURE, models.picture())


@pytest.fixture(scope="session")
def sound_server(serve_for_all: Callable[..., Target]) -> Target:
    """A model that listens."""
    return serve_for_all("sound", models.SOUND, models.clip())


@pytest.fixture(scope="session")
def old_server(serve_for_all: Callable[..., Target]) -> Target:
    """A repository of 2019, with static files."""
    return serve_for_all("old", None, models.picture())


@pytest.fixture
def serve(tmp_path: Path) -> Iterator[Callable[..., Target]]:
    """Serve a model for one test; it notes what it ran in `runs` beside its folder."""
    started: list[Target] = []

    def run(
        source: str, ask: Ask, *options: str, warm: bool = False, until_ready: bool = True, **environment: str
    ) -> Target:
        folder = models.write(tmp_path / "model", source)
        environment.setdefault("RUNS_FILE", str(tmp_path / "runs"))
        started.append(
            start(
                folder, ask, tmp_path, *options, warm=warm, until_ready=until_ready, environment=environment
            )
        )
        return started[-1]

    yield run
    for target in started:
        target.end()
