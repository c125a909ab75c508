"""TensorFlow: names of tensors and signatures, and files that carry code."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import numpy as np
import pytest

from maxfw.errors import BadModel
from maxfw.runtimes import TFKerasRuntime

pytestmark = [
    pytest.mark.tensorflow,
    pytest.mark.skipif(importlib.util.find_spec("tensorflow") is None, reason="tensorflow is not installed"),
    # Keras warns about its own variables while it saves.
    pytest.mark.filterwarnings(
        "ignore:__array__ implementation doesn't accept a copy keyword:DeprecationWarning"
    ),
]


@pytest.fixture
def frozen(tmp_path: Path) -> Path:
    """A frozen graph with two inputs and two outputs: sum and difference."""
    import tensorflow as tf

    graph = tf.Graph()
    with graph.as_default():
        a = tf.compat.v1.placeholder(tf.float32, (None,), name="a")
        b = tf.compat.v1.placeholder(tf.float32, (None,), name="b")
        tf.add(a, b, name="sum")
        tf.subtract(a, b, name="difference")
    path = tmp_path / "graph.pb"
    path.write_bytes(graph.as_graph_def().SerializeToString())
    return path


def test_tensors_of_a_frozen_graph_come_in_the_order_in_which_they_are_named(frozen: Path) -> None:
    runtime = TFKerasRuntime(frozen, inputs=["b:0", "a:0"], outputs=["difference:0", "sum:0"])

    difference, total = runtime.run([np.array([1], np.float32), np.array([5], np.float32)])

    assert [spec.name for spec in runtime.outputs] == ["difference:0", "sum:0"]
    assert (difference.tolist(), total.tolist()) == ([4], [6])


def test_a_frozen_graph_without_names_is_refused_with_the_way_out(frozen: Path) -> None:
    with pytest.raises(BadModel, match="only a frozen graph") as refusal:
        TFKerasRuntime(frozen)

    assert "inputs=" in refusal.value.hint


def test_a_tensor_that_the_frozen_graph_does_not_have_is_a_bad_model(frozen: Path) -> None:
    with pytest.raises(BadModel, match="nowhere"):
        TFKerasRuntime(frozen, inputs=["nowhere:0"], outputs=["sum:0"])


def test_a_signature_that_the_saved_model_does_not_have_is_refused_with_those_it_has(tmp_path: Path) -> None:
    import tensorflow as tf

    module = tf.Module()
    module.double = tf.function(
        lambda x: {"y": 2 * x}, input_signature=[tf.TensorSpec((None,), tf.float32, "x")]
    )
    tf.saved_model.save(module, str(tmp_path / "saved"), signatures={"double": module.double})

    with pytest.raises(BadModel, match=r"no signature 'serving_default', only \['double'\]"):
        TFKerasRuntime(tmp_path / "saved")
    runtime = TFKerasRuntime(tmp_path / "saved", signature="double")

    assert runtime.run({"x": np.array([3], np.float32)})[0].tolist() == [6]


@pytest.mark.parametrize("suffix", ["keras", "h5"])
def test_a_keras_file_that_carries_python_code_is_refused(tmp_path: Path, suffix: str) -> None:
    import tensorflow as tf

    path = tmp_path / f"code.{suffix}"
    tf.keras.Sequential([tf.keras.Input((2,)), tf.keras.layers.Lambda(lambda x: x * 2)]).save(path)

    with pytest.raises(BadModel, match="Lambda"):
        TFKerasRuntime(path)


def test_inputs_and_outputs_of_a_keras_model_keep_their_names(tmp_path: Path) -> None:
    import tensorflow as tf

    left, right = tf.keras.Input((2,), name="left"), tf.keras.Input((3,), name="aright")
    answers = {"wide": tf.keras.layers.Dense(4)(left), "narrow": tf.keras.layers.Dense(1)(right)}
    model = tf.keras.Model({"left": left, "aright": right}, answers)
    model.save(tmp_path / "two.keras")
    given = {"left": np.ones((2, 2), np.float32), "aright": np.ones((2, 3), np.float32)}

    runtime = TFKerasRuntime(tmp_path / "two.keras")
    answered = dict(zip([spec.name for spec in runtime.outputs], runtime.run(given), strict=True))

    assert answered.keys() == answers.keys()
    for name, tensor in model(given).items():
        np.testing.assert_allclose(answered[name], tensor.numpy(), atol=1e-6)
