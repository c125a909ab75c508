"""What is sent to the engine: the folder's files, and nothing else."""

from __future__ import annotations

import io
import os
import subprocess
import sys
import tarfile
from collections.abc import Callable
from pathlib import Path

import pytest

from maxfw.catalog import ModelFolder
from maxfw.deploy.context import digest, maxfw_files, model_files, tar
from maxfw.errors import BadModel

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def folder(tmp_path: Path, write_model: Callable[..., Path]) -> Path:
    return write_model(tmp_path / "mine")


def test_hidden_files_and_caches_stay_at_home(folder: Path) -> None:
    for name in (".env", ".git/config", "samples/.netrc", "__pycache__/model.pyc", "samples/one.json"):
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_text("x", encoding="utf-8")

    assert set(model_files(ModelFolder(folder))) == {"model.py", "requirements.txt", "samples/one.json"}


def test_a_dockerignore_is_kept_to(folder: Path) -> None:
    (folder / ".dockerignore").write_text("# big\ndata\n!data/keep.txt\n", encoding="utf-8")
    (folder / "data").mkdir()
    for name in ("big.bin", "keep.txt"):
        (folder / "data" / name).write_text("x", encoding="utf-8")

    assert set(model_files(ModelFolder(folder))) == {"model.py", "requirements.txt", "data/keep.txt"}


def test_a_link_out_of_the_folder_is_refused_and_one_within_it_is_its_file(
    folder: Path, tmp_path: Path
) -> None:
    (folder / "again.py").symlink_to("model.py")
    packed = io.BytesIO()
    tar(model_files(ModelFolder(folder)), packed)
    with tarfile.open(fileobj=packed) as archive:
        assert archive.getmember("again.py").isreg()

    (tmp_path / "secret").write_text("x", encoding="utf-8")
    (folder / "weights").symlink_to(tmp_path / "secret")
    with pytest.raises(BadModel, match=r"is a link to .*secret"):
        model_files(ModelFolder(folder))


def test_the_same_files_make_the_same_bytes_that_everybody_can_read(folder: Path) -> None:
    packed = []
    for time_ns in (0, 10**18):
        os.utime(folder / "model.py", ns=(time_ns, time_ns))
        (folder / "model.py").chmod(0o600)
        packed.append(io.BytesIO())
        tar(model_files(ModelFolder(folder)), packed[-1])

    assert packed[0].getvalue() == packed[1].getvalue()
    with tarfile.open(fileobj=packed[0]) as archive:
        assert {member.mode for member in archive} == {0o644}
        assert {(member.uid, member.gid) for member in archive} == {(0, 0)}


def test_a_model_that_is_one_file_brings_it_as_model_py(folder: Path) -> None:
    single = folder.parent / "one.py"
    single.write_bytes((folder / "model.py").read_bytes())

    assert model_files(ModelFolder(single)) == {"model.py": single}


def test_a_checkout_sends_what_the_package_is_built_from() -> None:
    files = maxfw_files()

    assert {"setup.py", "maxfw/cli/build.py", "skeleton/Dockerfile", "Dockerfile"} <= set(files)
    assert not [name for name in files if name.startswith(("tests", "docs", ".", "benchmarks"))]
    assert digest(files) == digest(maxfw_files())


@pytest.mark.slow
def test_an_installed_maxfw_sends_a_wheel_that_holds_what_it_came_from(tmp_path: Path) -> None:
    pip = [sys.executable, "-m", "pip", "--quiet", "--disable-pip-version-check"]
    subprocess.run(
        [*pip, "wheel", "--no-deps", "--no-build-isolation", "--wheel-dir", tmp_path, ROOT], check=True
    )
    [wheel] = tmp_path.glob("maxfw-*.whl")
    subprocess.run(
        [*pip, "install", "--no-deps", "--no-compile", "--target", tmp_path / "first", wheel], check=True
    )
    program = (
        "import pathlib; from maxfw.deploy.context import maxfw_files\n"
        "files = maxfw_files(); assert files.pop('Dockerfile').is_file(); [(name, blob)] = files.items()\n"
        f"pathlib.Path({str(tmp_path)!r}, 'again').mkdir(); pathlib.Path({str(tmp_path)!r}, 'again', name).write_bytes(blob)"
    )
    subprocess.run(
        [sys.executable, "-P", "-c", program],
        check=True,
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(tmp_path / "first")},
    )
    [again] = (tmp_path / "again").glob("*.whl")
    subprocess.run(
        [*pip, "install", "--no-deps", "--no-compile", "--target", tmp_path / "second", again], check=True
    )

    def files(folder: Path) -> dict[str, bytes]:
        return {
            str(path.relative_to(folder)): path.read_bytes()
            for path in folder.rglob("*")
            if path.is_file() and path.suffix != ".pyc" and path.name not in ("RECORD", "direct_url.json")
        }

    assert files(tmp_path / "first") == files(tmp_path / "second")
    assert "maxfw/Dockerfile.base" in files(tmp_path / "second")
