"""What a run found, as it is kept in `benchmarks/results/`, and where it was found."""

from __future__ import annotations

import datetime
import os
import platform
import subprocess
from importlib.metadata import version
from pathlib import Path
from typing import Any, TypeVar

import msgspec
import psutil

from benchmarks.load import Load
from benchmarks.servers import HERE, ROOT

FOLDER = HERE / "results"
LIBRARIES = (
    *("granian", "flask", "flask-restx", "fastapi", "uvicorn", "litserve", "bentoml", "gunicorn"),
    *("ai-edge-litert", "onnxruntime", "numpy", "pillow", "msgspec"),
)


class Slice(msgspec.Struct, frozen=True):
    """A server under load for some seconds."""

    round: int
    task: str
    server: str
    connections: int
    load: Load
    server_cpu_s: float
    others_share: float
    """Processor that neither the server nor wrk took, of all there is: other people's work."""

    @property
    def per_second(self) -> float:
        """Right answers a second, as they were counted."""
        return self.load.per_second

    @property
    def per_second_deducted(self) -> float:
        """Right answers for each second in which wrk had not taken processor from the server."""
        cpus = os.cpu_count() or 1
        return self.per_second * self.load.seconds / (self.load.seconds - self.load.wrk_cpu_s / cpus)


class Start(msgspec.Struct, frozen=True):
    """A start of a server: seconds to its first answer, and what it weighs while idle."""

    round: int
    task: str
    server: str
    workers: int
    cold_start_s: float
    memory_mb: float
    idle_share: float | None = None
    """Of one core."""


class Limit(msgspec.Struct, frozen=True):
    """The loop without a server."""

    round: int
    task: str
    processes: int
    batch: int
    inputs_s: float
    batch_ms: float


class Place(msgspec.Struct, frozen=True):
    """The machine and the versions."""

    when: str
    commit: str
    processor: str
    cpus: int
    memory_gb: float
    system: str
    python: str
    load_average: float
    versions: dict[str, str]


class Comparison(msgspec.Struct):
    """All that `compare` found."""

    place: Place
    rounds: int
    slices: list[Slice] = []
    starts: list[Start] = []
    limits: list[Limit] = []
    failures: list[str] = []


class Bar(msgspec.Struct, frozen=True):
    """Something that must be so: what, how much, and how much it is."""

    what: str
    required: str
    found: str
    met: bool


class Scenario(msgspec.Struct, frozen=True):
    """What a scenario found."""

    name: str
    place: Place
    told: str
    bars: list[Bar]


def place() -> Place:
    """Here and now."""
    model = next(
        (line.partition(":")[2].strip() for line in _lines("/proc/cpuinfo") if line.startswith("model name")),
        platform.processor(),
    )
    commit = subprocess.run(
        ["git", "describe", "--always", "--dirty"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    return Place(
        when=datetime.datetime.now(datetime.UTC).strftime("%Y-%m-%d %H:%M UTC"),
        commit=commit.stdout.strip() or "unknown",
        processor=model,
        cpus=os.cpu_count() or 1,
        memory_gb=psutil.virtual_memory().total / 1e9,
        system=f"{platform.system()} {platform.release()}",
        python=platform.python_version(),
        load_average=os.getloadavg()[0],
        versions={name: version(name) for name in LIBRARIES},
    )


def save(name: str, found: Any) -> Path:
    """Keep what a command found, in place of what it found before."""
    FOLDER.mkdir(exist_ok=True)
    file = FOLDER / f"{name}.json"
    file.write_bytes(msgspec.json.format(msgspec.json.encode(found), indent=1) + b"\n")
    return file


Kept = TypeVar("Kept")


def load(name: str, kind: type[Kept]) -> Kept | None:
    """What a command found the last time, or None."""
    file = FOLDER / f"{name}.json"
    return msgspec.json.decode(file.read_bytes(), type=kind) if file.is_file() else None


def _lines(path: str) -> list[str]:
    file = Path(path)
    return file.read_text(encoding="utf-8").splitlines() if file.is_file() else []
