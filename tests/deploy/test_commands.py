"""`maxfw fetch` and `maxfw build` where no engine is needed: weights, and one line for what cannot be done."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from maxfw.catalog import find, load_class
from maxfw.deploy.probe import is_ready
from maxfw.settings import Settings

Maxfw = Callable[..., Any]
NO_ENGINE = {"DOCKER_HOST": "unix:///no/such/socket"}


def one_error(done: Any) -> str:
    assert done.returncode == 2, done.stdout + done.stderr
    assert "Traceback" not in done.stderr
    line: str = done.stderr.splitlines()[-1]
    assert line.startswith("Error: ")
    return line


def test_no_engine_is_one_line(maxfw: Maxfw) -> None:
    done = maxfw("build", "object_detector", **NO_ENGINE)

    assert "no container engine answers: No such file or directory" in one_error(done)
    assert done.stderr.count("\n") == 1


def test_an_argument_that_is_none_is_one_line(maxfw: Maxfw) -> None:
    assert "'model_bucket' is not NAME=VALUE" in one_error(
        maxfw("build", "object_detector", "--build-arg", "model_bucket")
    )


def test_no_such_model_is_one_line(maxfw: Maxfw) -> None:
    assert "no model 'nowhere'" in one_error(maxfw("build", "nowhere"))
    assert "no model 'nowhere'" in one_error(maxfw("deploy", "kubernetes", "nowhere"))


@pytest.mark.mirror
def test_weights_and_samples_are_put_into_a_folder_that_serves_without_a_network(
    maxfw: Maxfw, tmp_path: Path
) -> None:
    done = maxfw("fetch", "object_detector", "--to", tmp_path / "weights")
    again = maxfw("fetch", "object_detector", "--to", tmp_path / "weights")

    assert done.returncode == again.returncode == 0, done.stderr
    assets = load_class(find("object_detector")).assets
    for asset in assets:
        file = tmp_path / "weights" / asset.sha256[:16] / asset.name
        assert hashlib.sha256(file.read_bytes()).hexdigest() == asset.sha256
        assert file.stat().st_mode & 0o777 == 0o644
    tested = maxfw(
        "test", "object_detector", MAXFW_ASSETS_DIR=str(tmp_path / "weights"), MAXFW_ASSETS_MIRROR=""
    )
    assert tested.returncode == 0, tested.stdout + tested.stderr


def test_weights_that_cannot_be_had_are_one_line(maxfw: Maxfw, tmp_path: Path) -> None:
    nothing = {"MAXFW_ASSETS_MIRROR": "", "MAXFW_ASSETS_DIR": str(tmp_path)}

    assert "could not be had" in one_error(maxfw("fetch", "object_detector", **nothing))


def test_a_folder_that_cannot_be_written_is_one_line(maxfw: Maxfw, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("", encoding="utf-8")

    assert "file" in one_error(maxfw("fetch", "text_sentiment_classifier", "--to", tmp_path / "file"))


def test_a_probe_finds_nobody_where_nobody_is(free_port: int) -> None:
    assert not is_ready(Settings(port=free_port))
