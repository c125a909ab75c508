"""The blocks of the pages that people copy from are run, in order, in an empty folder.

- `sh`: real commands. `maxfw serve …` and `make serve` start a real server on a free port, to which the page's later
  `http://localhost:5000` leads.
- `python` after a line like "`hello/model.py`:" is written into that file; any other is run as a program.
- `json` is what the command before it prints: the same keys, texts and lengths; numbers may differ a little.
- `text` are lines that the command before it prints; numbers may differ.
"""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import socket
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import pytest

ROOT = Path(__file__).resolve().parents[2]
PAGES = ["README.md", "docs/tutorial.md", "docs/how-to/parameters.md", "docs/how-to/client.md"]

# Lines that stand in the pages and are not run here, by their beginning; each with the reason.
NOT_RUN = {
    "make test": "it is what runs these tests",
    "pip install ": "what is tested is installed already, and a test changes no environment",
}
STARTS_A_SERVER = ("maxfw serve", "make serve")

# Lines that are run where there is a container engine, in a test of their own.
NEEDS_AN_ENGINE = ("maxfw build", "docker ")

# How far a shown number may be from the one that comes back: retrained weights, other processors.
NUMBERS_MAY_DIFFER = 0.1

BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.DOTALL | re.MULTILINE)
FILE_NAME = re.compile(r"`([\w./]+\.py)`:\s*\Z")

Start = Callable[..., subprocess.Popen[str]]


class Block(NamedTuple):
    """A fenced block: its language, its text, the line where it begins, the file it is to be written to."""

    language: str
    text: str
    line: int
    file: str = ""


def blocks_of(page: str) -> list[Block]:
    """The fenced blocks of a page, in order."""
    found = []
    for match in BLOCK.finditer(page):
        named = FILE_NAME.search(page[: match.start()])
        line = page.count("\n", 0, match.start()) + 1
        found.append(Block(match[1], match[2], line, named[1] if named else ""))
    return found


def commands_of(block: str) -> list[str]:
    """The commands of a shell block, those that go over several lines joined."""
    joined = block.replace("\\\n", " ")
    return [line.strip() for line in joined.splitlines() if line.strip() and not line.startswith("#")]


class Reader:
    """Somebody who does what a page says, in an empty folder."""

    def __init__(self, folder: Path, start: Start, *, has_engine: bool = False) -> None:
        self._has_engine = has_engine
        self.folder = folder / "work"
        self.folder.mkdir()
        self._start = start
        self._port = 5000
        self._printed = ""
        programs = folder / "bin"
        programs.mkdir()
        for name, arguments in (("maxfw", "-m maxfw "), ("python", "")):
            program = programs / name
            program.write_text(f'#!/bin/sh\nexec {shlex.quote(sys.executable)} {arguments}"$@"\n')
            program.chmod(0o755)
        self._environment = {
            **os.environ,
            "PATH": f"{programs}{os.pathsep}{os.environ['PATH']}",
            "PYTHONPATH": str(ROOT),
            "NO_COLOR": "1",
        }

    def do(self, block: Block) -> None:
        """Do what a block says, or compare what it shows."""
        if block.language == "sh":
            for command in commands_of(block.text):
                self._command(command)
        elif block.language == "python" and block.file:
            (self.folder / block.file).parent.mkdir(exist_ok=True)
            (self.folder / block.file).write_text(block.text, encoding="utf-8")
        elif block.language == "python":
            self._run([sys.executable, "-c", self._with_port(block.text)])
        elif block.language == "json":
            assert not difference(json.loads(block.text), json.loads(self._printed))
        elif block.language == "text":
            printed = {without_numbers(line) for line in self._printed.splitlines()}
            assert {without_numbers(line) for line in block.text.splitlines()} <= printed
        else:
            assert block.language == "diff", f"nobody knows what to do with {block.language}"

    def _command(self, command: str) -> None:
        if command.startswith(tuple(NOT_RUN)):
            return
        if command.startswith(NEEDS_AN_ENGINE) and not self._has_engine:
            return
        if command.startswith("docker run"):
            self._port = _free_port()
            command = command.replace(" 5000:5000 ", f" 127.0.0.1:{self._port}:5000 ")
        if command.startswith(STARTS_A_SERVER):
            self._serve(shlex.split(command)[2:])
        else:
            self._run(["bash", "-c", self._with_port(command)])

    def _serve(self, arguments: list[str]) -> None:
        self._port = _free_port()
        command = ["-m", "maxfw", "serve", *arguments]
        self._start(*command, port=self._port, cwd=self.folder, MAXFW_PORT=str(self._port))

    def _run(self, command: list[str]) -> None:
        done = subprocess.run(
            command, cwd=self.folder, env=self._environment, capture_output=True, text=True, timeout=600
        )
        assert done.returncode == 0, f"{command}: {done.stdout}{done.stderr}"
        self._printed = done.stdout

    def _with_port(self, text: str) -> str:
        return text.replace("localhost:5000", f"localhost:{self._port}")


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def difference(shown: Any, real: Any, where: str = "answer") -> str:
    """The first place where an answer is not as a page shows it; empty if there is none."""
    if isinstance(shown, dict) and isinstance(real, dict):
        if list(shown) != list(real):
            return f"{where} has the fields {list(real)}, not {list(shown)}"
        pairs = [(f"{where}.{key}", shown[key], real[key]) for key in shown if key != "request_id"]
    elif isinstance(shown, list) and isinstance(real, list):
        if len(shown) != len(real):
            return f"{where} has {len(real)} entries, not {len(shown)}"
        pairs = [(f"{where}[{i}]", *pair) for i, pair in enumerate(zip(shown, real, strict=True))]
    elif isinstance(shown, str) and isinstance(real, str):
        return (
            "" if without_numbers(shown) == without_numbers(real) else f"{where} is {real!r}, not {shown!r}"
        )
    elif isinstance(shown, int | float) and isinstance(real, int | float):
        near = abs(shown - real) <= NUMBERS_MAY_DIFFER
        return "" if near else f"{where} is {real}, not about {shown}"
    else:
        return f"{where} is {real!r}, not {shown!r}"
    return next((found for place, a, b in pairs if (found := difference(a, b, place))), "")


def without_numbers(text: str) -> str:
    """A text with `#` in the place of every number."""
    return re.sub(r"\d+(\.\d+)?", "#", text.strip())


@pytest.mark.slow
@pytest.mark.parametrize("page", PAGES)
def test_who_does_what_a_page_says_sees_what_it_shows(page: str, tmp_path: Path, start: Start) -> None:
    if shutil.which("curl") is None:
        pytest.skip("needs the program curl")
    if page in ("README.md", "docs/how-to/client.md"):
        pytest.importorskip("httpx", reason="needs maxfw[client]")
    read(page, Reader(tmp_path, start))


@pytest.mark.docker
def test_the_tutorial_leads_from_a_folder_to_a_container_that_answers(tmp_path: Path, start: Start) -> None:
    docker = pytest.importorskip("docker", reason="needs the extra maxfw[docker]")
    try:
        docker.from_env().close()
        subprocess.run(["docker", "info"], check=True, capture_output=True)
    except (docker.errors.DockerException, OSError, subprocess.CalledProcessError) as error:
        pytest.skip(f"needs a running container engine: {error}")

    try:
        read("docs/tutorial.md", Reader(tmp_path, start, has_engine=True))
    finally:
        subprocess.run(["docker", "rm", "--force", "day-or-night"], check=False, capture_output=True)


def read(page: str, reader: Reader) -> None:
    """Have a reader do all that a page says."""
    for block in blocks_of((ROOT / page).read_text(encoding="utf-8")):
        try:
            reader.do(block)
        except (AssertionError, ValueError) as error:
            raise AssertionError(f"{page}, line {block.line}: {error}") from error


def test_every_line_that_is_not_run_stands_in_a_page() -> None:
    commands = [
        command
        for page in PAGES
        for block in blocks_of((ROOT / page).read_text(encoding="utf-8"))
        if block.language == "sh"
        for command in commands_of(block.text)
    ]

    unused = [start for start in NOT_RUN if not any(command.startswith(start) for command in commands)]

    assert not unused


def test_the_hello_world_is_at_most_six_lines() -> None:
    blocks = blocks_of((ROOT / "README.md").read_text(encoding="utf-8"))

    [hello] = [block.text for block in blocks if block.file == "hello/model.py"]

    assert len(hello.splitlines()) <= 6


@pytest.mark.parametrize(
    ("shown", "real"),
    [
        ({"a": 1}, {"a": 1, "b": 2}),
        ([1, 2], [1]),
        ({"label": "dog"}, {"label": "cat"}),
        ([0.9], [0.1]),
        ([0.9], ["0.9"]),
        ({"a": []}, {"a": None}),
    ],
)
def test_another_answer_than_the_one_shown_is_noticed(shown: Any, real: Any) -> None:
    assert difference(shown, real)
