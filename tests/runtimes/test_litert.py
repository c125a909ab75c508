"""LiteRT: graphs that are fixed, and an interpreter that many threads may ask."""

from __future__ import annotations

import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("ai_edge_litert")

from maxfw.runtimes import LiteRTRuntime

HERE = Path(__file__).parent


def test_a_graph_fixed_at_one_input_says_so() -> None:
    runtime = LiteRTRuntime(HERE / "tiny_one_at_a_time.tflite")

    with pytest.raises(ValueError, match=r"the graph is fixed at 1 in its first dimension"):
        runtime.run([np.zeros((3, 4), np.float32)])

    assert runtime.run([np.zeros((1, 4), np.float32)])[0].shape == (1, 3)


def test_an_empty_batch_is_refused_and_the_next_one_answered() -> None:
    runtime = LiteRTRuntime(HERE / "tiny.tflite")

    with pytest.raises(ValueError, match=r"empty shape \(0, 4\)"):
        runtime.run([np.zeros((0, 4), np.float32)])

    assert runtime.run([np.zeros((2, 4), np.float32)])[0].shape == (2, 3)


def test_threads_that_ask_at_once_each_get_their_own_answer() -> None:
    runtime = LiteRTRuntime(HERE / "tiny.tflite")
    inputs = [np.full((1 + i % 3, 4), i / 50, np.float32) for i in range(200)]
    alone = [runtime.run([x])[0] for x in inputs]

    with ThreadPoolExecutor(8) as pool:
        together = list(pool.map(lambda x: runtime.run([x])[0], inputs))

    for one, other in zip(alone, together, strict=True):
        np.testing.assert_array_equal(one, other)


def test_the_quantisation_of_an_8_bit_output_is_known() -> None:
    mirror = os.environ.get("MAXFW_ASSETS_MIRROR", "")
    file = Path(mirror, "vision/image_classifier_mobilenet_v2/mobilenet_v2_1.0_224_quant.tflite")
    if not (mirror and file.is_file()):
        if os.environ.get("MAXFW_REQUIRE_MIRROR") == "1":
            pytest.fail(f"{file.name} is not in the mirror")
        pytest.skip(f"needs {file.name} of the mirror")
    [output] = LiteRTRuntime(file).outputs

    assert (output.dtype, output.shape) == (np.uint8, (1, 1001))
    assert output.quantisation == pytest.approx((0.0988925, 58))


def test_nothing_but_litert_s_own_line_is_printed() -> None:
    program = f"from maxfw.runtimes import LiteRTRuntime; LiteRTRuntime({str(HERE / 'tiny.tflite')!r})"

    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)

    # LiteRT offers Python no way to silence this line.
    assert done.stdout + done.stderr in ("", "INFO: Created TensorFlow Lite XNNPACK delegate for CPU.\n")
