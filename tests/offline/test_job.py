"""Many inputs through one model: bounded, in order, and no error ends it."""

from __future__ import annotations

import io
import itertools
import json
import os
import signal
import threading
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from maxfw.errors import BadInput
from maxfw.model import MAXModelWrapper
from maxfw.offline import Answering, Job, Order, Results, Summary, run
from maxfw.offline.answering import Line, settings_for_jobs
from maxfw.offline.job import EndNow
from maxfw.predictor import Predictor
from maxfw.settings import Settings
from maxfw.web.app import create_app
from tests.conftest import Colours, Loudness


@pytest.fixture
def out(tmp_path: Path) -> Path:
    return tmp_path / "results.jsonl"


def text(number: int) -> Job:
    return Job(f"text {number}", body={"text": ["A" * (number % 7) + "b" * (number % 5 + 1)]})


def do(
    model: MAXModelWrapper,
    settings: Settings,
    out: Path,
    jobs: Iterator[Job],
    *,
    save_images: Path | None = None,
    **options: object,
) -> Summary:
    predictor = Predictor(model, settings_for_jobs(settings))
    results = Results(out, Order({}))
    try:
        return run(Answering(predictor, {}, save_images=save_images), results, jobs, **options)
    finally:
        results.close()
        predictor.close()


def lines_of(out: Path) -> list[dict[str, object]]:
    return [json.loads(line) for line in out.read_text().splitlines()]


def test_the_lines_are_in_the_order_of_the_inputs_and_equal_to_the_server_s(
    loudness: Loudness, settings: Settings, out: Path
) -> None:
    client = create_app(loudness, settings).test_client()

    summary = do(loudness, settings, out, map(text, range(500)))

    assert summary.answered == 500
    for number, line in enumerate(lines_of(out)):
        assert line.pop("name") == f"text {number}"
        assert line == client.post("/model/predict", json=text(number).body).json


def test_an_error_is_a_line_as_the_server_would_answer_and_not_an_end(
    loudness: Loudness, settings: Settings, out: Path
) -> None:
    client = create_app(loudness, settings).test_client()
    bad = [
        Job("nothing"),
        Job("empty", body={"text": []}),
        Job("number", body={"text": 7}),
        Job("odd parameter", body={"text": ["x"]}, values={"factor": "7"}),
    ]
    jobs = [text(1), *bad, text(2)]

    summary = do(loudness, settings, out, iter(jobs))

    lines = lines_of(out)
    assert [line["name"] for line in lines] == [job.name for job in jobs]
    assert [line["status"] for line in lines] == ["ok", *["error"] * 4, "ok"]
    for job, line in zip(bad, lines[1:5], strict=True):
        online = client.post("/model/predict", json=job.body, query_string=job.values).json
        assert line == {**{key: online[key] for key in line if key != "name"}, "name": job.name}
    assert summary.errors == {"bad_input": 3, "bad_parameter": 1}


def test_a_model_that_fails_for_one_input_fails_for_that_one(settings: Settings, out: Path) -> None:
    class Picky(Loudness):
        def _predict_batch(self, batch, *, factor: float = 1.0):
            if any(x[0] == 1 for x in batch):
                raise RuntimeError("shouted at")
            return super()._predict_batch(batch)

    jobs = [Job(str(n), body={"text": ["LOUD" if n == 17 else "quiet"]}) for n in range(40)]

    summary = do(Picky(), settings, out, iter(jobs))

    assert [line["name"] for line in lines_of(out) if line["status"] != "ok"] == ["17"]
    assert summary.errors == {"model_failed": 1}


def test_only_a_window_of_the_inputs_is_in_memory(settings: Settings, out: Path) -> None:
    """The model stands still until nothing more is read; what was read by then is the most that can be held."""
    released, taken = threading.Event(), itertools.count()
    most = [0]

    class Slow(Loudness):
        def _predict_batch(self, batch, *, factor: float = 1.0):
            released.wait(10)
            return super()._predict_batch(batch)

    def jobs() -> Iterator[Job]:
        for number in range(1000):
            most[0] = next(taken) + 1 - written[0]
            if not released.is_set() and most[0] >= 30:
                released.set()
            held.append(most[0])
            yield text(number)

    written, held = [0], []

    def on_line(line: Line) -> None:
        written[0] += 1

    summary = do(Slow(), settings, out, jobs(), on_line=on_line)

    assert summary.answered == 1000
    assert max(held) <= 4 * Slow.max_batch_size + 2 * 16


def test_large_pictures_wait_outside_when_the_budget_is_spent(settings: Settings, tmp_path: Path) -> None:
    """With a budget of less than one picture, one is with the model at a time, but for those being decoded just then."""
    png = io.BytesIO()
    Image.new("RGB", (400, 400)).save(png, "PNG")
    (tmp_path / "a.png").write_bytes(png.getvalue())
    together = []

    class Counting(Colours):
        max_batch_size = 16

        def _predict_batch(self, batch):
            together.append(len(batch))
            return [x / (x.sum() + 1e-6) for x in batch]

    jobs = (Job(str(n), files={"image": str(tmp_path / "a.png")}) for n in range(60))

    summary = do(Counting(), settings, tmp_path / "out.jsonl", jobs, budget=1)

    assert summary.answered == 60
    assert max(together) <= min(16, (os.cpu_count() or 1) + 2) + 1


def test_answers_are_drawn_under_the_numbers_of_their_lines(
    colours: Colours, settings: Settings, tmp_path: Path
) -> None:
    Image.new("RGB", (40, 30), (200, 30, 40)).save(tmp_path / "a b.png")
    jobs = [Job("one/a b.png", files={"image": str(tmp_path / "a b.png")})] * 2
    jobs.insert(1, Job("gone.png", files={"image": str(tmp_path / "gone.png")}))

    do(colours, settings, tmp_path / "out.jsonl", iter(jobs), save_images=tmp_path / "drawn")

    drawn = sorted(path.name for path in (tmp_path / "drawn").iterdir())
    assert drawn == ["000001-a_b.png", "000003-a_b.png"]
    assert np.asarray(Image.open(tmp_path / "drawn" / drawn[0])).size


def test_inputs_that_can_no_longer_be_listed_end_the_job_and_say_why(
    loudness: Loudness, settings: Settings, out: Path
) -> None:
    def jobs() -> Iterator[Job]:
        yield text(1)
        raise BadInput("cannot read the folder")

    with pytest.raises(BadInput, match="cannot read the folder"):
        do(loudness, settings, out, jobs())


def test_an_interrupt_ends_it_with_what_was_begun(settings: Settings, out: Path) -> None:
    import _thread

    class Interrupting(Loudness):
        def _predict_batch(self, batch, *, factor: float = 1.0):
            if not interrupted.is_set():
                interrupted.set()
                _thread.interrupt_main()
            return super()._predict_batch(batch)

    interrupted = threading.Event()

    with pytest.raises(KeyboardInterrupt):
        do(Interrupting(), settings, out, map(text, itertools.count()))

    names = [line["name"] for line in lines_of(out)]
    assert names == [f"text {number}" for number in range(len(names))]


def test_the_summary_knows_the_slowest_and_the_rate() -> None:
    summary = Summary(seconds=2.0)
    for number in range(20):
        summary.add(Line(b"", str(number), "" if number % 4 else "bad_input", float(number * 7 % 20)))

    assert sorted(summary.slowest, reverse=True)[0] == (19.0, "17")
    assert len(summary.slowest) == 5
    assert (summary.answered, summary.failed, summary.rate) == (15, 5, 10.0)


def test_a_second_interrupt_ends_it_though_the_model_never_returns(settings: Settings, out: Path) -> None:
    def interrupt() -> None:
        signal.pthread_kill(threading.main_thread().ident, signal.SIGINT)

    class Stuck(Loudness):
        def _predict_batch(self, batch, *, factor: float = 1.0):
            if next(calls) != 3:
                return super()._predict_batch(batch)
            interrupt()
            assert interrupted.wait(60)
            interrupt()
            released.wait(60)
            return super()._predict_batch(batch)

    calls, interrupted, released = itertools.count(), threading.Event(), threading.Event()
    predictor = Predictor(Stuck(), settings_for_jobs(settings))
    results = Results(out, Order({}))
    jobs = map(text, itertools.count())
    try:
        with pytest.raises(EndNow):
            run(Answering(predictor, {}), results, jobs, on_interrupt=interrupted.set)
        results.close()
        written = out.read_bytes()
    finally:
        released.set()
        predictor.close()

    assert written == out.read_bytes()
    assert [line["name"] for line in lines_of(out)] == [f"text {n}" for n in range(written.count(b"\n"))]
