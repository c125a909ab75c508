"""Real pages in the system's Chromium, in front of real servers; the browser reaches 127.0.0.1 and nothing else."""

from __future__ import annotations

import importlib.util
import os
import shutil
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

if importlib.util.find_spec("playwright") is None:  # `make test-browser` has it
    collect_ignore_glob = ["test_*.py"]

ROOT = Path(__file__).resolve().parents[2]
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
ARGUMENTS = [
    "--no-sandbox",
    "--use-fake-device-for-media-stream",
    "--use-fake-ui-for-media-stream",
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
]
PATIENCE_MS = 20_000

Served = Callable[..., str]
Open = Callable[..., "Page"]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    here = Path(__file__).parent
    for item in items:
        if here in item.path.parents:
            item.add_marker(pytest.mark.browser)


@pytest.fixture(scope="session")
def run_server(
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Callable[..., tuple[str, subprocess.Popen[bytes]]]]:
    """Start a program that takes `--port`; answers its URL and process. All are ended with the session."""
    started: list[subprocess.Popen[bytes]] = []
    logs = tmp_path_factory.mktemp("logs")

    def run(*arguments: str, cwd: Path | None = None) -> tuple[str, subprocess.Popen[bytes]]:
        port = free_port()
        log = logs / f"{port}.log"
        environment = {**os.environ, "PYTHONPATH": str(ROOT), "MAXFW_OFFLINE": "1", "PYTHONUNBUFFERED": "1"}
        with log.open("wb") as output:
            command = [sys.executable, *arguments, "--port", str(port)]
            process = subprocess.Popen(command, cwd=cwd, env=environment, stdout=output, stderr=output)
        started.append(process)
        wait_for(port, process, log)
        return f"http://127.0.0.1:{port}", process

    yield run
    for process in started:
        process.terminate()
    for process in started:
        process.wait(20)


@pytest.fixture(scope="session")
def served(run_server: Callable[..., tuple[str, subprocess.Popen[bytes]]]) -> Served:
    """The URL of a model's server, started when it is first asked for."""
    urls: dict[str, str] = {}

    def url_of(model: str) -> str:
        if model not in urls:
            urls[model], _ = run_server("-m", "maxfw", "serve", model)
        return urls[model]

    return url_of


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    from playwright.sync_api import sync_playwright

    assert CHROMIUM, "no Chromium on this machine: apt-get install chromium"
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        yield chromium
        chromium.close()


@pytest.fixture
def open_page(browser: Browser) -> Iterator[Open]:
    """Open a URL as a new visitor; at the end, no page may have asked another host, or broken a policy or itself."""
    opened = []
    wrong: list[str] = []

    def run(url: str, *, wait: bool = True, **options: object) -> Page:
        context = browser.new_context(**{"viewport": {"width": 1280, "height": 900}, **options})
        context.grant_permissions(["clipboard-read", "clipboard-write"])
        opened.append(context)
        page = context.new_page()
        page.set_default_timeout(PATIENCE_MS)
        page.on("pageerror", lambda error: wrong.append(f"script error: {error}"))
        page.on(
            "console",
            lambda message: "Content Security Policy" in message.text and wrong.append(message.text),
        )
        page.on("request", lambda request: foreign(request.url) and wrong.append(f"asked {request.url}"))
        if wait:
            page.goto(url)
        return page

    yield run
    for context in opened:
        context.close()
    assert wrong == []


def foreign(url: str) -> bool:
    return not url.startswith(("http://127.0.0.1:", "blob:http://127.0.0.1:", "data:"))


@pytest.fixture(scope="session")
def photo() -> Callable[[str], Path]:
    """A public photo of the mirror, by its name."""
    from maxfw.assets import fetch
    from maxfw.contract import sample_asset

    def path_of(name: str) -> Path:
        assets = sorted(ROOT.glob(f"models/*/samples/{name}.asset"))
        return fetch(sample_asset(assets[0]))

    return path_of


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def wait_for(port: int, process: subprocess.Popen[bytes], log: Path) -> None:
    import time

    deadline = time.monotonic() + 90
    while time.monotonic() < deadline:
        assert process.poll() is None, log.read_text()
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
            return
        except OSError:
            time.sleep(0.05)
    raise AssertionError(f"nothing listens on {port}: {log.read_text()}")


AXE = """async () => (await axe.run(document, {runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'best-practice']})).violations
  .filter(({impact}) => impact === 'serious' || impact === 'critical')
  .map(({id, nodes}) => id + ': ' + nodes.map((node) => node.html.slice(0, 160) + ' ' + (node.any[0]?.message ?? '')).join(' | '))"""


def barriers(page: Page) -> list[str]:
    """What axe-core finds that is serious or critical."""
    folder = importlib.util.find_spec("axe_playwright_python")
    assert folder is not None
    assert folder.origin is not None
    page.evaluate((Path(folder.origin).parent / "axe.min.js").read_text(encoding="utf-8"))
    found: list[str] = page.evaluate(AXE)
    return found
