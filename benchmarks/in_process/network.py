"""A network that gains from batches: four wide layers, whose weights must be read from memory once for each run.

Its weights are drawn from a seed, since what it says does not matter here; what it costs does. It is written once,
into `benchmarks/.cache`.
"""

from __future__ import annotations

import itertools

import numpy as np
import onnx
import work
from onnx import TensorProto, helper, numpy_helper

WIDTHS = (work.FEATURES, 3072, 3072, 3072, 3072, 2)
SEED = 7


def network() -> onnx.ModelProto:
    """float32 (n, 256) → float32 (n, 2), two probabilities; n is free."""
    random = np.random.default_rng(SEED)
    nodes, weights, value = [], [], "x"
    for layer, (rows, columns) in enumerate(itertools.pairwise(WIDTHS)):
        spread = np.float32(np.sqrt(2 / rows) / (8 if layer == 0 else 1))
        drawn = random.standard_normal((rows, columns), dtype=np.float32) * spread
        weights.append(numpy_helper.from_array(drawn, f"weights{layer}"))
        nodes.append(helper.make_node("MatMul", [value, f"weights{layer}"], [f"sum{layer}"]))
        value = f"sum{layer}"
        if layer < len(WIDTHS) - 2:
            nodes.append(helper.make_node("Relu", [value], [f"layer{layer}"]))
            value = f"layer{layer}"
    nodes.append(helper.make_node("Softmax", [value], ["probabilities"], axis=1))
    first = helper.make_tensor_value_info("x", TensorProto.FLOAT, ["n", WIDTHS[0]])
    last = helper.make_tensor_value_info("probabilities", TensorProto.FLOAT, ["n", WIDTHS[-1]])
    graph = helper.make_graph(nodes, "mlp", [first], [last], weights)
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)


def main() -> None:
    """Write the network, unless it is there."""
    if not work.MLP.exists():
        work.CACHE.mkdir(exist_ok=True)
        part = work.MLP.with_suffix(".part")
        onnx.save(network(), part)
        part.rename(work.MLP)


if __name__ == "__main__":
    main()
