"""A job on Ray: the file of a job on one machine, byte for byte, whoever is killed meanwhile."""

from __future__ import annotations

import json
import signal
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from maxfw.cli import main
from maxfw.errors import BadInput
from tests.on_ray.conftest import png, wait_until

pytestmark = [pytest.mark.ray, pytest.mark.slow]

Maxfw = Callable[..., subprocess.Popen[str]]

TEXTS = 4000  # whose lines are more than a node keeps in memory until they are written


@pytest.fixture(scope="module")
def texts(models: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, bytes]:
    """A list of texts, and what a job here writes about them."""
    folder = tmp_path_factory.mktemp("texts")
    listed, results = folder / "texts.jsonl", folder / "results.jsonl"
    listed.write_text("".join(json.dumps("A" * (n % 7) + "b" * (n % 97)) + "\n" for n in range(TEXTS)))
    done = CliRunner().invoke(
        main, ["predict", str(models / "listening.py"), str(listed), "--out", str(results)]
    )
    assert done.exit_code == 0, done.output
    return listed, results.read_bytes()


@pytest.fixture
def job(cluster: Any, models: Path, texts: tuple[Path, bytes]) -> list[str | Path]:
    """The same job on the cluster."""
    for seen in (models / "nodes").iterdir():
        seen.unlink()
    asked = ["predict", models / "listening.py", texts[0], "--out", "results.jsonl"]
    return [*asked, "--engine", "ray", "--address", cluster.address, "--replicas", "2"]


def lines_of(path: Path) -> int:
    return path.read_bytes().count(b"\n") if path.exists() else 0


def test_a_killed_job_goes_on_with_the_same_command(
    maxfw: Maxfw, job: list[str], texts: tuple[Path, bytes], tmp_path: Path
) -> None:
    results = tmp_path / "results.jsonl"
    killed = maxfw(*job)
    wait_until(lambda: lines_of(results) > 200 or killed.poll() is not None)
    killed.send_signal(signal.SIGKILL)
    killed.wait()
    before = lines_of(results)
    assert 200 < before < TEXTS

    again = maxfw(*job)
    _, told = again.communicate(timeout=120)

    assert again.returncode == 0, told
    assert f"{before} were there before" in told
    assert results.read_bytes() == texts[1]


def test_a_node_that_dies_costs_a_job_nothing_but_time(
    maxfw: Maxfw, job: list[str], texts: tuple[Path, bytes], models: Path, tmp_path: Path, cluster: Any
) -> None:
    results, seen = tmp_path / "results.jsonl", models / "nodes"
    running = maxfw(*job)
    wait_until(lambda: len(list(seen.iterdir())) == 2 or running.poll() is not None)
    before = lines_of(results)
    wait_until(lambda: lines_of(results) > before + 300 or running.poll() is not None)
    assert running.poll() is None, running.communicate()

    cluster.nodes.remove_node(cluster.worker, allow_graceful=False)
    try:
        at_death = lines_of(results)
        _, told = running.communicate(timeout=120)
    finally:
        cluster.worker = cluster.nodes.add_node(**cluster.small)

    assert running.returncode == 0, told
    assert at_death < TEXTS
    assert "is lost" in told
    assert results.read_bytes() == texts[1]


def test_an_input_that_replicas_die_of_ends_the_job_in_a_line(
    maxfw: Maxfw, job: list[str], tmp_path: Path
) -> None:
    listed = tmp_path / "texts.jsonl"
    listed.write_text('"a"\n' * 128 + '"the end"\n')

    ended = maxfw(*job[:2], listed, *job[3:])
    _, told = ended.communicate(timeout=120)

    assert ended.returncode == 2, told
    [line] = [line for line in told.splitlines() if line.startswith("Error: ")]
    assert f"lost again and again, behind line {lines_of(tmp_path / 'results.jsonl')}" in line
    assert "Traceback" not in line


@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # many, of Ray's own settings
def test_a_job_over_the_nodes_writes_what_a_job_here_writes_wherever_it_goes_on(
    cluster: Any, models: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    for number in range(300):
        path = Path(f"in/{number % 3}/{number:03d}.png")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(png((number % 256, 90, 20)))
    Path("in/1/broken.png").write_bytes(b"no picture")
    job = ["predict", str(models / "shares.py"), "in", "--stretch", "2"]
    here = CliRunner().invoke(main, [*job, "--out", "here.jsonl"])
    assert here.exit_code == 0, here.output
    wanted = Path("here.jsonl").read_bytes()

    run_job(models, {"stretch": "2"})
    assert Path("there.jsonl").read_bytes() == wanted

    for size in (len(wanted) // 3, len(wanted) - 1):
        Path("there.jsonl").write_bytes(wanted[:size])
        summary = run_job(models, {"stretch": "2"})
        assert Path("there.jsonl").read_bytes() == wanted
        assert summary.before == wanted[:size].count(b"\n")


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_a_picture_that_cannot_be_saved_on_a_node_ends_the_job_as_here(
    cluster: Any, models: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("in").mkdir()
    for number in range(3):
        Path(f"in/{number}.png").write_bytes(png((number, 90, 20)))
    Path("drawn/000002-1.new").mkdir(parents=True)

    with pytest.raises(BadInput, match=r"cannot write .*000002-1.png.*Is a directory"):
        run_job(models, {}, save_images=str(tmp_path / "drawn"))

    assert b"internal_error" not in Path("there.jsonl").read_bytes()
    Path("drawn/000002-1.new").rmdir()
    assert run_job(models, {}, save_images=str(tmp_path / "drawn")).failed == 0
    assert Path("there.jsonl").read_bytes().count(b"\n") == 3


def run_job(models: Path, values: dict[str, Any], *, save_images: str = "") -> Any:
    """The part of `maxfw predict --engine ray` behind the connection, which this process has already."""
    from maxfw.catalog import find, load_class
    from maxfw.offline import Listing, Order, Results
    from maxfw.offline.answering import settings_for_jobs
    from maxfw.offline.on_ray import Where, run_on_ray
    from maxfw.settings import load_settings

    model, settings = str(models / "shares.py"), settings_for_jobs(load_settings())
    listing = Listing.of(["in"], load_class(find(model)), settings)
    results = Results(Path("there.jsonl"), Order.of({}))
    try:
        before, _ = results.continue_behind(listing)
        where = Where(
            model=model, settings=settings, values=values, save_images=save_images, cpus=0.5, actors=2
        )
        return run_on_ray(where, listing.absolute(), results, before=before)
    finally:
        results.close()
