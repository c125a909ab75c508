"""An old app with a TensorFlow model: each process that serves loaded the model itself, once."""

from __future__ import annotations

import importlib.util
import signal
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import pytest

APP = Path(__file__).resolve().parent / "apps" / "tensorflow_model"

pytestmark = [
    pytest.mark.slow,
    pytest.mark.tensorflow,
    pytest.mark.skipif(importlib.util.find_spec("tensorflow") is None, reason="needs maxfw[tensorflow]"),
]


@pytest.mark.parametrize("workers", [1, 2])
def test_each_process_that_serves_loaded_the_model_itself_and_once(workers, start, free_port, tmp_path):
    loads_file = tmp_path / "loads"
    process = start(
        "app.py",
        port=free_port,
        cwd=APP,
        MAXFW_HOST="127.0.0.1",
        MAXFW_PORT=str(free_port),
        MAXFW_WORKERS=str(workers),
        LOADS_FILE=str(loads_file),
        PYTHONDONTWRITEBYTECODE="1",
        TF_CPP_MIN_LOG_LEVEL="3",
        CUDA_VISIBLE_DEVICES="",
    )
    url = f"http://127.0.0.1:{free_port}/model/predict"

    def ask(number: int) -> httpx.Response:
        # A connection each: kept-alive ones stay with the process that took them.
        return httpx.post(url, json={"numbers": [number, number + 0.5]}, timeout=120)

    serving: set[int] = set()
    answers = []
    for _ in range(20):
        with ThreadPoolExecutor(4) as pool:
            answers += list(pool.map(ask, range(8)))
        serving = {answer.json()["pid"] for answer in answers}
        if len(serving) == workers:
            break
    loads = Counter(int(line) for line in loads_file.read_text().split())
    process.send_signal(signal.SIGTERM)

    assert {answer.status_code for answer in answers} == {200}
    for index, answer in enumerate(answers):
        number = index % 8
        assert answer.json()["predictions"] == pytest.approx([2 * number + 1, 2 * number + 2])
        assert answer.json()["loaded_in"] == answer.json()["pid"]
    assert len(serving) == workers
    assert {pid: loads[pid] for pid in serving} == dict.fromkeys(serving, 1)
    assert process.wait(60) == 0
