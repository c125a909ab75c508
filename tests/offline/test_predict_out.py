"""`maxfw predict … --out`, as a process that is killed."""

from __future__ import annotations

import contextlib
import json
import os
import random
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner, Result
from PIL import Image

from maxfw.catalog import find, load_model
from maxfw.cli import main
from maxfw.settings import Settings
from maxfw.web.app import create_app

ROOT = Path(__file__).resolve().parents[2]
MODEL = '''"""The share of red, green and blue."""
import numpy as np
from maxfw.model import MAXModelWrapper
from maxfw.tasks import ImageClassification


class Shares(MAXModelWrapper):
    task = ImageClassification(labels=["red", "green", "blue"])

    def _pre_process(self, image, *, stretch: float = 1.0):
        return np.asarray(image, dtype=np.float32).mean(axis=(0, 1)) ** stretch

    def _predict_batch(self, batch):
        colours = np.stack(batch)
        return colours / (colours.sum(axis=1, keepdims=True) + 1e-6)
'''


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    Path("shares.py").write_text(MODEL)
    return tmp_path


def make_pictures(count: int, folder: str = "in") -> None:
    Path(folder).mkdir()
    rng = np.random.default_rng(count)
    for number in range(count):
        picture = Image.fromarray(rng.integers(0, 255, (8, 8, 3), dtype=np.uint8))
        picture.save(f"{folder}/{number:05d}.{'png' if number % 2 else 'jpg'}")
    Path(f"{folder}/{count // 2:05d}-broken.png").write_bytes(b"no picture")


def job(*words: str) -> Result:
    return CliRunner().invoke(main, ["predict", "./shares.py", *words])


def lines_of(path: str = "out.jsonl") -> list[dict[str, object]]:
    return [json.loads(line) for line in Path(path).read_text().splitlines()]


@contextlib.contextmanager
def started(*words: str) -> Iterator[subprocess.Popen[str]]:
    """The command as a process of its own, which may hang, but not for more than a minute."""
    process = subprocess.Popen(
        [sys.executable, "-m", "maxfw", "predict", *words],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stderr=subprocess.PIPE,
        text=True,
    )
    timer = threading.Timer(60, process.kill)
    timer.start()
    try:
        with process:
            yield process
    finally:
        timer.cancel()


def kill_when_it_has(lines: int) -> None:
    """Start the job, and kill it as soon as its file has so many lines more."""
    out = Path("out.jsonl")
    size = out.stat().st_size if out.exists() else 0
    process = subprocess.Popen(
        [sys.executable, "-m", "maxfw", "predict", "./shares.py", "in", "--out", "out.jsonl"],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stderr=subprocess.DEVNULL,
    )
    deadline = time.monotonic() + 60
    while not out.exists() or out.stat().st_size < size + 200 * lines:
        assert process.poll() is None, "it ended before it could be killed"
        assert time.monotonic() < deadline
        time.sleep(0.002)
    process.send_signal(signal.SIGKILL)
    assert process.wait() == -signal.SIGKILL


@pytest.mark.slow
def test_killed_three_times_it_answers_everything_once_as_the_server_does(
    here: Path, settings: Settings
) -> None:
    make_pictures(2000)
    for _ in range(3):
        kill_when_it_has(random.randint(20, 400))

    result = job("in", "--out", "out.jsonl")

    assert result.exit_code == 0, result.output
    lines = lines_of()
    files = sorted(Path("in").iterdir())
    assert [line["name"] for line in lines] == [str(file) for file in files]
    assert [line["name"] for line in lines if line["status"] == "error"] == ["in/01000-broken.png"]
    client = create_app(load_model(find("./shares.py")), settings).test_client()
    for line, file in zip(lines, files, strict=True):
        online = client.post("/model/predict", data={"image": (file.open("rb"), file.name)}).json
        del line["name"]
        assert line == {key: online[key] for key in line}


def test_the_same_command_again_does_nothing(here: Path) -> None:
    make_pictures(3)
    job("in", "--out", "out.jsonl")
    before = Path("out.jsonl").read_bytes()

    again = job("in", "--out", "out.jsonl")

    assert "0 answered, 4 were there before" in again.stderr
    assert Path("out.jsonl").read_bytes() == before


def test_it_says_what_it_did(here: Path) -> None:
    make_pictures(3)

    result = job("in", "--out", "out.jsonl", "--stretch", "2", "--save-images", "drawn")

    assert result.stdout == ""
    assert "3 answered, 1 errors (1 bad_input)" in result.stderr
    assert "inputs/s" in result.stderr
    assert "slowest: in/" in result.stderr
    assert len(list(Path("drawn").iterdir())) == 3


def test_a_line_may_set_parameters_of_its_own(here: Path) -> None:
    make_pictures(1)
    Path("list.jsonl").write_text(
        '{"image": "in/00000.jpg"}\n{"image": "in/00000.jpg", "stretch": 9}\n{"image": "in/00000.jpg", "x": 1}\n'
    )

    job("list.jsonl", "--out", "out.jsonl", "--stretch", "2")

    first, second, third = lines_of()
    assert first["predictions"] != second["predictions"]
    assert third["code"] == "bad_parameter"


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["in", "--out", "out.jsonl", "--size", "3"], "unknown parameter 'size'"),
        (["in", "--out", "out.jsonl", "--stretch", "much"], "stretch"),
        (["in", "--out", "out.jsonl", "--json"], "neither --json"),
        (["in", "--save-images", "drawn"], "need --out"),
        (
            ["in", "--out", "out.jsonl", "--save-images", "shares.py/x"],
            "cannot save pictures in 'shares.py/x'",
        ),
        (["in", "--out", "no/where.jsonl"], "cannot write 'no/where.jsonl'"),
        (["none.csv", "--out", "out.jsonl"], "no such file: 'none.csv'"),
        (["on", "--out", "out.jsonl"], "no such file: 'on'"),
        (["in/*.gif", "--out", "out.jsonl"], "there is no input in 'in/*.gif'"),
        (["in", "--out", "out.jsonl", "--save-images", "in/"], "'in' is what the job writes itself"),
        (["in", "--out", "/dev/null"], "cannot write '/dev/null'"),
        (["in", "--out", "."], "cannot write '.': it is a folder"),
        (["in", "--out", "in"], "'in' is what the job writes itself"),
        (["shares.py", "--out", "/"], "cannot write '/': it is a folder"),
    ],
)
def test_what_cannot_begin_is_one_line(here: Path, words: list[str], told: str) -> None:
    make_pictures(1)

    result = job(*words)

    assert result.exit_code == 2
    assert result.stdout == ""
    assert told in result.stderr
    assert result.stderr.count("\n") == 1
    assert not Path("out.jsonl").exists()


def test_a_pipe_a_socket_or_a_device_is_an_error_and_waited_for_by_nobody(here: Path) -> None:
    make_pictures(1)
    os.mkfifo("in/pipe.jpg")
    os.symlink("/dev/zero", "in/zero.jpg")
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind("in/socket.jpg")

    with started("./shares.py", "in", "--out", "out.jsonl") as process:
        process.communicate()

    told = {line["name"]: line["message"] for line in lines_of() if line["status"] == "error"}
    assert "it is a pipe" in told["in/pipe.jpg"]
    assert "it is a socket" in told["in/socket.jpg"]
    assert "it is a device" in told["in/zero.jpg"]
    assert len(told) == 4
    assert lines_of()[1]["status"] == "ok"


def test_a_pipe_alone_is_one_line(here: Path) -> None:
    os.mkfifo("pipe.jpg")

    with started("./shares.py", "pipe.jpg") as process:
        _, told = process.communicate()

    assert process.returncode == 2
    assert told == "Error: cannot read 'pipe.jpg': it is a pipe (name a file)\n"


def test_a_second_ctrl_c_ends_a_process_whose_model_never_returns(here: Path) -> None:
    make_pictures(200)
    stuck = MODEL.replace("import numpy", "import sys, time\nimport numpy")
    Path("stuck.py").write_text(
        stuck.replace(
            "        colours =",
            "        print('it began', file=sys.stderr, flush=True)\n        time.sleep(1000)\n        colours =",
        )
    )

    with started("./stuck.py", "in", "--out", "out.jsonl") as process:
        assert "it began" in process.stderr.readline()
        process.send_signal(signal.SIGINT)
        assert "stopping" in process.stderr.readline()
        process.send_signal(signal.SIGINT)
        _, told = process.communicate()

    assert process.returncode == 1
    assert "the same command goes on from here" in told


def test_that_nobody_can_count_the_inputs_ends_nothing(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    make_pictures(3)
    scandir = os.scandir

    def shut(folder: str) -> object:
        if threading.current_thread().name.endswith("(_count)"):
            asked.set()
            raise PermissionError(13, "Permission denied")
        return scandir(folder)

    asked = threading.Event()
    monkeypatch.setattr("maxfw.offline.walk.os.scandir", shut)
    monkeypatch.setenv("FORCE_COLOR", "1")  # as at a terminal

    result = job("in", "--out", "out.jsonl")

    assert asked.wait(10)
    assert result.exit_code == 0
    assert "3 answered" in result.stderr


def test_a_picture_that_cannot_be_saved_stops_the_job_and_the_same_command_goes_on(here: Path) -> None:
    make_pictures(4)
    words = ["in", "--out", "out.jsonl", "--save-images", "drawn"]
    Path("drawn/000002-00001.png").mkdir(parents=True)

    stopped = job(*words)

    assert stopped.exit_code == 2
    assert "cannot write 'drawn/000002-00001.png'" in stopped.stderr
    assert "make room, then give the same command again" in stopped.stderr
    assert [line["name"] for line in lines_of()] in ([], ["in/00000.jpg"])
    assert not list(Path("drawn").glob("000002*.new"))

    Path("drawn/000002-00001.png").rmdir()
    assert job(*words).exit_code == 0
    assert [line["status"] for line in lines_of()] == ["ok", "ok", "error", "ok", "ok"]
    assert len(list(Path("drawn").iterdir())) == 4


def test_what_goes_to_a_closed_stderr_does_not_go_into_the_results(here: Path) -> None:
    make_pictures(3)
    Path("loud.py").write_text(
        MODEL.replace("        colours =", "        os.write(2, b'noise')\n        colours =")
    )
    Path("loud.py").write_text(Path("loud.py").read_text().replace("import numpy", "import os\nimport numpy"))
    command = f"{sys.executable} -m maxfw predict ./loud.py in --out out.jsonl <&- >&- 2>&-"

    done = subprocess.run(command, shell=True, env={**os.environ, "PYTHONPATH": str(ROOT)}, timeout=60)

    assert done.returncode == 0
    assert [line["status"] for line in lines_of()] == ["ok", "error", "ok", "ok"]


def test_a_job_that_answers_nothing_has_failed(here: Path) -> None:
    make_pictures(1)

    first = job("in/*broken.png", "--out", "out.jsonl")
    again = job("in/*broken.png", "none.jpg", "--out", "all.jsonl")

    assert (first.exit_code, again.exit_code) == (1, 1)
    assert "0 answered, 1 errors (1 bad_input)" in first.stderr
    assert job("in/*broken.png", "--out", "out.jsonl").exit_code == 1
    assert job("in", "--out", "some.jsonl").exit_code == 0


def test_the_same_job_may_be_written_in_another_way(here: Path) -> None:
    make_pictures(1)

    assert job("in", "--out", "out.jsonl", "--stretch", "0.5").exit_code == 0
    again = job("./in/", "--out", "./out.jsonl", "--stretch=0.50")
    other = job("in", "--out", "out.jsonl", "--stretch", "0.51")

    assert "2 were there before" in again.stderr
    assert other.exit_code == 2
    assert "another job" in other.stderr


def test_another_picture_under_the_path_of_a_parameter_is_another_job(here: Path) -> None:
    make_pictures(1)
    tinted = MODEL.replace("import numpy", "from maxfw.model import UploadedImage\nimport numpy")
    Path("tinted.py").write_text(
        tinted.replace("stretch: float = 1.0", "tint: UploadedImage").replace("** stretch", "")
    )
    shutil.copy("in/00000.jpg", "tint.jpg")
    words = ["predict", "./tinted.py", "in", "--out", "out.jsonl", "--tint"]

    assert CliRunner().invoke(main, [*words, "tint.jpg"]).exit_code == 0
    assert CliRunner().invoke(main, [*words, "in/00000.jpg"]).exit_code == 0
    Image.new("RGB", (8, 8)).save("tint.jpg")
    other = CliRunner().invoke(main, [*words, "tint.jpg"])

    assert other.exit_code == 2
    assert "another job" in other.stderr


def test_lines_that_were_there_are_not_drawn_later_and_it_says_so(here: Path) -> None:
    make_pictures(2)
    job("in", "--out", "out.jsonl")
    job("in", "--out", "drawn.jsonl", "--save-images", "drawn")

    later = job("in", "--out", "out.jsonl", "--save-images", "drawn")
    again = job("in", "--out", "drawn.jsonl", "--save-images", "drawn/")

    assert "of the 3 lines that were there" in later.stderr
    assert "not drawn" in later.stderr
    assert "not drawn" not in again.stderr


def test_the_page_says_how_to_ask_again_for_what_failed(here: Path) -> None:
    page = (ROOT / "docs/how-to/jobs.md").read_text()
    command = next(line for line in page.splitlines() if line.startswith("python -c"))
    make_pictures(2)
    job("in", "none.jpg", "--out", "results.jsonl")
    shutil.copy("in/00000.jpg", "in/00001-broken.png")

    subprocess.run(command.replace("python", sys.executable, 1), shell=True, check=True)
    again = job("again.jsonl", "--out", "again-results.jsonl")

    assert "1 answered, 1 errors" in again.stderr
    told = [(line["name"], line["status"]) for line in lines_of("again-results.jsonl")]
    assert told == [("in/00001-broken.png", "ok"), ("none.jpg", "error")]


def test_a_folder_without_a_file_for_the_results_is_told_of_it(here: Path) -> None:
    make_pictures(1)

    assert "--out" in job("in").stderr


@pytest.mark.long
def test_memory_stays_where_it_was_however_many_inputs_there_are(here: Path) -> None:
    """20,000 pictures need no more memory than 2,000."""

    def peak_kb(count: int) -> int:
        make_pictures(count, f"in{count}")
        words = [
            sys.executable,
            "-m",
            "maxfw",
            "predict",
            "./shares.py",
            f"in{count}",
            "--out",
            f"{count}.jsonl",
        ]
        process = subprocess.Popen(
            words, env={**os.environ, "PYTHONPATH": str(ROOT)}, stderr=subprocess.DEVNULL
        )
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        assert process.returncode == 0
        shutil.rmtree(f"in{count}")
        return usage.ru_maxrss

    small, large = peak_kb(2000), peak_kb(20_000)

    assert len(lines_of("20000.jsonl")) == 20_001
    assert large < small * 1.1
