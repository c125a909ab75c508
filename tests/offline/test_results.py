"""The results file: nothing lost, nothing doubled, nobody else's file touched."""

from __future__ import annotations

import errno
import json
import os
from pathlib import Path

import pytest

from maxfw.errors import BadInput
from maxfw.offline import Job, Order, Results

JOBS = [Job(f"{number}.jpg") for number in range(5)]
ASKED = Order({"model": "max-colours"})


def line(name: str) -> bytes:
    return json.dumps({"name": name, "status": "ok"}).encode() + b"\n"


WHOLE = b"".join(line(job.name) for job in JOBS)


@pytest.fixture
def out(tmp_path: Path) -> Path:
    return tmp_path / "results.jsonl"


def finish(out: Path) -> int:
    """Go on as the next run does → how many lines were there."""
    results = Results(out, ASKED)
    try:
        done, left = results.continue_behind(JOBS)
        results.append(b"".join(line(job.name) for job in left))
        return done
    finally:
        results.close()


def test_however_many_bytes_were_written_the_next_run_completes_them(
    out: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        "maxfw.offline.results.os.fsync", lambda file: None
    )  # several hundred would take seconds
    for size in range(len(WHOLE) + 1):
        out.unlink(missing_ok=True)
        finish(out)
        out.write_bytes(WHOLE[:size])

        done = finish(out)

        assert out.read_bytes() == WHOLE
        assert done == WHOLE[:size].count(b"\n")


def test_what_a_failing_machine_has_spoilt_is_done_again(out: Path) -> None:
    finish(out)
    two = len(line("0.jpg")) * 2
    out.write_bytes(WHOLE[:two] + bytes(30) + b"\n" + bytes(10))

    assert finish(out) == 2
    assert out.read_bytes() == WHOLE


@pytest.mark.parametrize("damage", [b'{"name": "1.jp\n', bytes(30) + b"\n", b"\n"])
def test_good_lines_behind_a_damaged_one_are_not_thrown_away(out: Path, damage: bytes) -> None:
    finish(out)
    lines = WHOLE.splitlines(keepends=True)
    damaged = b"".join([lines[0], damage, *lines[2:]])
    out.write_bytes(damaged)

    with pytest.raises(BadInput, match=r"line 2 of .* is damaged, and good lines follow it") as error:
        finish(out)

    assert f"truncate -s {len(lines[0])} " in error.value.hint
    assert out.read_bytes() == damaged


def test_a_file_of_somebody_else_is_not_touched(out: Path) -> None:
    out.write_bytes(WHOLE)

    with pytest.raises(BadInput, match="no job has written it"):
        Results(out, ASKED)

    assert out.read_bytes() == WHOLE


def test_the_answers_to_another_job_are_not_mixed_with_these(out: Path) -> None:
    finish(out)

    with pytest.raises(BadInput, match="max-colours"):
        Results(out, Order({"model": "max-other"}))

    assert out.read_bytes() == WHOLE


def test_inputs_that_have_changed_are_noticed(out: Path) -> None:
    finish(out)
    results = Results(out, ASKED)
    try:
        with pytest.raises(BadInput, match=r"line 1 .* about '0.jpg', and the inputs now have 'new.jpg'"):
            results.continue_behind([Job("new.jpg"), *JOBS])
        with pytest.raises(BadInput, match="have no input there"):
            results.continue_behind(JOBS[:3])
    finally:
        results.close()

    assert out.read_bytes() == WHOLE


def test_two_jobs_do_not_write_one_file(out: Path) -> None:
    first = Results(out, ASKED)
    try:
        with pytest.raises(BadInput, match="another job writes"):
            Results(out, ASKED)
    finally:
        first.close()

    assert finish(out) == 0


def test_a_place_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="cannot write"):
        Results(tmp_path / "none" / "results.jsonl", ASKED)


def test_a_full_disk_is_said(out: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(file: int, content: bytes) -> int:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    results = Results(out, ASKED)
    monkeypatch.setattr("maxfw.offline.results.os.write", full)

    with pytest.raises(BadInput, match="No space left"):
        results.append(WHOLE)


@pytest.mark.parametrize(
    "place", ["/dev/null", "/dev/stdout", "/dev/fd/1", "/proc/self/fd/1", "-", ".", "pipe"]
)
def test_what_is_no_file_of_its_own_holds_no_results(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, place: str
) -> None:
    monkeypatch.chdir(tmp_path)
    os.mkfifo("pipe")

    with pytest.raises(BadInput, match=r"cannot write .*it is"):
        Results(Path(place), ASKED)

    assert [path.name for path in tmp_path.iterdir()] == ["pipe"]
    assert not Path(place + ".job").exists()


def test_lines_reach_the_disk_once_a_second(out: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    now, synced = [0.0], []
    monkeypatch.setattr("maxfw.offline.results.os.fsync", lambda file: synced.append(now[0]))
    results = Results(out, ASKED, clock=lambda: now[0])
    synced.clear()  # that of the file beside it

    for second in (0.1, 0.9, 1.1, 1.2, 2.0, 2.2):
        now[0] = second
        results.append(line("0.jpg"))
    results.close()

    assert synced == [1.1, 2.2, 2.2]


def start(out: Path, *lists: Path) -> None:
    """Begin a job over lists, or go on with it."""
    results = Results(out, Order.of({}, map(str, lists)))
    results.append(line("0.jpg"))
    results.close()


def test_rows_may_be_added_to_a_list(out: Path, tmp_path: Path) -> None:
    rows = tmp_path / "x.jsonl"
    for content in ("", "1\n", "1\n2", "1\n2\n3\n"):
        rows.write_text(content)
        start(out, rows)
        noted = json.loads(out.with_name(f"{out.name}.job").read_bytes())["lists"][str(rows)]
        assert noted["bytes"] == len(content)


@pytest.mark.parametrize("content", ["0\n2", "1\n", "1\n23", "1\n23\n", "\n1\n2", ""])
def test_a_list_that_has_changed_otherwise_is_refused(out: Path, tmp_path: Path, content: str) -> None:
    rows = tmp_path / "x.jsonl"
    rows.write_text("1\n")
    start(out, rows)
    rows.write_text("1\n2")
    start(out, rows)
    before = out.read_bytes()

    rows.write_text(content)

    with pytest.raises(BadInput, match=r"x\.jsonl' has changed since the job began"):
        start(out, rows)
    assert out.read_bytes() == before


def test_what_was_asked_and_is_damaged_is_said(out: Path) -> None:
    finish(out)
    out.with_name(out.name + ".job").write_bytes(b"{")

    with pytest.raises(BadInput, match=r"cannot read .*\.job'"):
        finish(out)
