"""Makes the tiny model that every runtime must run, in every format, from the same numbers.

    y = softmax(relu(x @ W + b))      x float32 (n, 4) → y float32 (n, 3)

Run in an environment with TensorFlow and onnx to renew the files beside this script; the tests make the other
formats themselves.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

W = np.array([[0.5, -1.0, 0.25], [1.5, 0.75, -0.5], [-0.25, 2.0, 1.0], [0.1, -0.3, 0.7]], dtype=np.float32)
B = np.array([0.1, -0.2, 0.3], dtype=np.float32)


def expected(x: np.ndarray) -> np.ndarray:
    """The answer by numpy alone: float32 (n, 4) → (n, 3)."""
    hidden = np.maximum(x @ W + B, 0)
    powers = np.exp(hidden - hidden.max(axis=1, keepdims=True))
    return powers / powers.sum(axis=1, keepdims=True)


def tensorflow_function(batch: int | None = None) -> Any:
    """A traced TensorFlow function for any batch, or for `batch` inputs."""
    import tensorflow as tf

    @tf.function(input_signature=[tf.TensorSpec((batch, 4), tf.float32, name="x")])
    def answer(x):
        return {"y": tf.nn.softmax(tf.nn.relu(x @ tf.constant(W) + tf.constant(B)))}

    return answer


def write_litert(path: Path, batch: int | None = None) -> None:
    import tensorflow as tf

    function = tensorflow_function(batch).get_concrete_function()
    path.write_bytes(tf.lite.TFLiteConverter.from_concrete_functions([function]).convert())


def write_onnx(path: Path) -> None:
    import onnx
    from onnx import TensorProto, helper, numpy_helper

    nodes = [
        helper.make_node("Gemm", ["x", "W", "b"], ["linear"]),
        helper.make_node("Relu", ["linear"], ["hidden"]),
        helper.make_node("Softmax", ["hidden"], ["y"], axis=1),
    ]
    graph = helper.make_graph(
        nodes,
        "tiny",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, ["n", 4])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, ["n", 3])],
        [numpy_helper.from_array(W, "W"), numpy_helper.from_array(B, "b")],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8)
    onnx.checker.check_model(model)
    onnx.save(model, path)


def write_saved_model(folder: Path) -> None:
    import tensorflow as tf

    module = tf.Module()
    module.answer = tensorflow_function()
    tf.saved_model.save(module, str(folder), signatures={"serving_default": module.answer})


def write_keras(path: Path) -> None:
    """A `.keras` or `.h5` file, by the suffix."""
    import tensorflow as tf

    layers = tf.keras.layers
    model = tf.keras.Sequential(
        [tf.keras.Input((4,), name="x"), layers.Dense(3, activation="relu"), layers.Softmax(name="y")]
    )
    model.layers[0].set_weights([W, B])
    model.save(path)


def write_frozen(path: Path) -> None:
    """A frozen graph of TensorFlow 1: from the tensor `x:0` to `y:0`."""
    import tensorflow as tf

    graph = tf.Graph()
    with graph.as_default():
        x = tf.compat.v1.placeholder(tf.float32, (None, 4), name="x")
        tf.nn.softmax(tf.nn.relu(x @ tf.constant(W) + tf.constant(B)), name="y")
    path.write_bytes(graph.as_graph_def().SerializeToString())


def torch_module() -> Any:
    import torch

    linear = torch.nn.Linear(4, 3)
    with torch.no_grad():
        linear.weight.copy_(torch.tensor(W.T.copy()))
        linear.bias.copy_(torch.tensor(B))
    return torch.nn.Sequential(linear, torch.nn.ReLU(), torch.nn.Softmax(dim=1))


def write_exported(path: Path) -> None:
    import torch

    program = torch.export.export(
        torch_module().eval(), (torch.zeros(2, 4),), dynamic_shapes=({0: torch.export.Dim("n")},)
    )
    torch.export.save(program, path)


if __name__ == "__main__":
    here = Path(__file__).parent
    write_litert(here / "tiny.tflite")
    write_litert(here / "tiny_one_at_a_time.tflite", batch=1)
    write_onnx(here / "tiny.onnx")
