"""The age network of face-api.js in PyTorch, its weights as published for TensorFlow.js.

It is a small Xception (Chollet, *Xception: Deep Learning with Depthwise Separable Convolutions*, 2017). The second
thing it was trained for, to tell women from men, is left out.
"""

import json
import math

import numpy as np

from maxfw.runtimes.base import import_framework

# Before TensorFlow halves an even side, it pads it on the right and below, not on the left and above.
END = (0, 1, 0, 1)


def read_shard(manifest, shard):
    """A manifest of TensorFlow.js, JSON, and its one file of weights, bytes → float32 arrays by name."""
    weights, start = {}, 0
    for entry in json.loads(manifest)[0]["weights"]:
        stored = entry.get("quantization", {"dtype": entry["dtype"], "scale": 1, "min": 0})
        values = np.frombuffer(shard, stored["dtype"], math.prod(entry["shape"]), start)
        start += values.nbytes
        real = values.astype(np.float32) * np.float32(stored["scale"]) + np.float32(stored["min"])
        weights[entry["name"]] = real.reshape(entry["shape"])
    return weights


def age_network(weights):
    """A `torch.nn.Module`: faces, float32 (n, 3, 112, 112), mean removed, /256 → years, float32 (n,)."""
    torch = import_framework("torch", extra="pytorch", needs="torch")
    functional = torch.nn.functional
    # TensorFlow keeps height, width, in, out; a depthwise filter has its one output last.
    order = {"depthwise_filter": (2, 3, 0, 1), "filters": (3, 2, 0, 1), "pointwise_filter": (3, 2, 0, 1)}
    tensors = {}
    for name, array in weights.items():
        axes = order.get(name.rsplit("/", 1)[-1])
        tensors[name] = torch.from_numpy(np.ascontiguousarray(array.transpose(axes) if axes else array))

    def convolved(x, name, stride):
        return functional.conv2d(x, tensors[f"{name}/filters"], tensors[f"{name}/bias"], stride)

    def separated(x, name):
        x = functional.conv2d(x, tensors[f"{name}/depthwise_filter"], padding=1, groups=x.shape[1])
        return functional.conv2d(x, tensors[f"{name}/pointwise_filter"], tensors[f"{name}/bias"])

    def reduced(x, name, *, first=torch.relu):
        deep = separated(first(x), f"{name}/separable_conv0")
        deep = separated(torch.relu(deep), f"{name}/separable_conv1")
        deep = functional.pad(deep, END, value=-math.inf)
        return functional.max_pool2d(deep, 3, 2) + convolved(x, f"{name}/expansion_conv", 2)

    def repeated(x, name):
        deep = x
        for part in range(3):
            deep = separated(torch.relu(deep), f"{name}/separable_conv{part}")
        return x + deep

    class AgeNetwork(torch.nn.Module):
        def forward(self, faces):
            x = functional.pad(faces, END).contiguous(
                memory_format=torch.channels_last
            )  # pooling is slow otherwise
            x = torch.relu(convolved(x, "entry_flow/conv_in", 2))
            x = reduced(x, "entry_flow/reduction_block_0", first=torch.nn.Identity())
            x = reduced(x, "entry_flow/reduction_block_1")
            x = repeated(x, "middle_flow/main_block_0")
            x = repeated(x, "middle_flow/main_block_1")
            x = reduced(x, "exit_flow/reduction_block")
            x = torch.relu(separated(x, "exit_flow/separable_conv"))
            return x.mean(dim=(2, 3)) @ tensors["fc/age/weights"][:, 0] + tensors["fc/age/bias"]

    return AgeNetwork()
