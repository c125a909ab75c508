"""Old-style apps of our own writing, each in a fresh interpreter whose current folder is the app's."""

from __future__ import annotations

import base64
import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent.parent
APPS = HERE / "apps"

HISTORICAL_SETTINGS = ("CORS_ENABLE", "MAXFW_CORS")


@dataclass
class Answer:
    status: int
    headers: dict[str, str]
    body: bytes = field(repr=False)

    @property
    def json(self) -> Any:
        return json.loads(self.body, parse_constant=_refuse_constant)

    @property
    def text(self) -> str:
        return self.body.decode()


def _refuse_constant(name: str) -> None:
    raise AssertionError(f"{name} is not JSON")


class OldApp:
    """A running app; call it with a method, a path and the keywords of a request."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process
        first = self._read()
        self.printed: str = first["printed"]
        self.run: list[Any] = first["run"]
        self.title: str = first["title"]

    def __call__(self, method: str, path: str, **keywords: Any) -> Answer:
        files = keywords.pop("files", {})
        keywords["files"] = {
            name: (filename, base64.b64encode(content).decode(), mimetype)
            for name, (filename, content, mimetype) in files.items()
        }
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps({"method": method, "path": path, **keywords}) + "\n")
        self._process.stdin.flush()
        answer = self._read()
        return Answer(answer["status"], answer["headers"], base64.b64decode(answer["body"]))

    def _read(self) -> Any:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            assert self._process.stderr is not None
            raise AssertionError(
                f"the app ended with code {self._process.wait()}:\n{self._process.stderr.read()}"
            )
        return json.loads(line)


def environment(**more: str) -> dict[str, str]:
    """This process's, less what would change an app's answers."""
    kept = {name: value for name, value in os.environ.items() if name not in HISTORICAL_SETTINGS}
    return {**kept, "PYTHONPATH": str(ROOT), "PYTHONDONTWRITEBYTECODE": "1", **more}


@pytest.fixture(scope="session")
def start_app() -> Iterator[Callable[..., OldApp]]:
    """Start the app in a folder (a path, or the name of one of ours) with more environment variables."""
    processes = []

    def start(folder: str | Path, **more: str) -> OldApp:
        process = subprocess.Popen(
            # Nothing that maxfw does for an old app may warn.
            [sys.executable, "-W", "error", str(HERE / "session.py")],
            cwd=APPS / folder,
            env=environment(**more),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        processes.append(process)
        return OldApp(process)

    yield start
    for process in processes:
        process.communicate()


def _one_per_session(name: str) -> Any:
    @pytest.fixture(scope="session", name=name)
    def app(start_app: Callable[..., OldApp]) -> OldApp:
        return start_app(name)

    return app


animal_finder = _one_per_session("animal_finder")
body_parts = _one_per_session("body_parts")
clip_watcher = _one_per_session("clip_watcher")
film_recommender = _one_per_session("film_recommender")
paragraph_reader = _one_per_session("paragraph_reader")
tone_generator = _one_per_session("tone_generator")


@pytest.fixture
def python(tmp_path: Path) -> Callable[..., Any]:
    """Run a script in a fresh interpreter, in `folder` (an empty one); gives what it printed last, as JSON."""

    def run(script: str, folder: Path = tmp_path, **more: str) -> Any:
        done = subprocess.run(
            [sys.executable, "-W", "error", "-c", script],
            cwd=folder,
            env=environment(**more),
            capture_output=True,
            text=True,
            timeout=120,
        )
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout.splitlines()[-1])

    return run
