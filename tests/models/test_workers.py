"""Two processes and thirty-two clients at once: everybody gets the answer that a lonely request gets."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx
import pytest

from maxfw.catalog import find, load_class
from maxfw.contract import Sample, difference, samples_of

pytestmark = pytest.mark.mirror

CLIENTS, EACH = 32, 2


@pytest.mark.parametrize(
    "name",
    [
        "object_detector",  # LiteRT
        "face_detector",  # ONNX, in batches
        "audio_classifier",  # a sound
        pytest.param("facial_age_estimator", marks=pytest.mark.pytorch),
        pytest.param("facial_emotion_classifier", marks=pytest.mark.tensorflow),
    ],
)
def test_two_workers_answer_thirty_two_clients_like_one_alone(
    name: str, start: Callable[..., Any], free_port: int
) -> None:
    task = load_class(find(name)).task
    assert task is not None
    samples = samples_of(find(name), task)
    server = start("-m", "maxfw", "serve", name, "--workers", "2", "--port", str(free_port), port=free_port)
    url = f"http://127.0.0.1:{free_port}"
    alone = [ask(url, sample) for sample in samples]
    for sample, answer in zip(samples, alone, strict=True):
        assert difference(dict(sample.answer), answer, sample.tolerance) == ""
    before = processor_time(server.pid)
    together = threading.Barrier(CLIENTS)

    def answers(client: int) -> list[tuple[int, dict[str, Any]]]:
        order = [(client + number) % len(samples) for number in range(EACH)]
        together.wait(60)
        return [(at, ask(url, samples[at])) for at in order]

    with ThreadPoolExecutor(CLIENTS) as pool:
        got = [pair for pairs in pool.map(answers, range(CLIENTS)) for pair in pairs]

    assert len(got) == CLIENTS * EACH
    assert [problem for at, answer in got if (problem := difference(alone[at], answer, {}))] == []
    after = processor_time(server.pid)
    assert len(after) == 2
    assert all(after[worker] > before[worker] for worker in after)


def ask(url: str, sample: Sample) -> dict[str, Any]:
    """The answer to a sample, as JSON; while workers load, a request waits for them."""
    files = {name: (upload.filename, upload.blob) for name, upload in sample.inputs.files.items()}
    values = {name: str(value) for name, value in sample.parameters.items()}
    response = httpx.post(url + "/model/predict", files=files, data=values, timeout=60)
    assert response.status_code == 200, response.text
    answer: dict[str, Any] = response.json()
    return answer


def processor_time(supervisor: int) -> dict[int, int]:
    """The ticks that each worker of a supervisor has used."""
    workers = Path(f"/proc/{supervisor}/task/{supervisor}/children").read_text(encoding="ascii").split()
    ticks = {}
    for worker in map(int, workers):
        fields = Path(f"/proc/{worker}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
        ticks[worker] = int(fields[11]) + int(fields[12])
    return ticks
