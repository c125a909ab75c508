"""textgenrnn's network in numpy: two LSTMs over the last 40 characters, and attention over what they said.

The network and its weights are Max Woolf's (https://github.com/minimaxir/textgenrnn, MIT); this is its arithmetic.
"""

import numpy as np

LENGTH = 40  # characters that the network reads; there may be fewer, zeros stand before them
UNITS = 128


def _sigmoid(x):
    return 1 / (1 + np.exp(-x))


class Lstm:
    """One layer, read from the file's CuDNN layout: four gates in the order input, forget, cell, output."""

    def __init__(self, layer):
        kernel, recurrent, bias = (
            np.asarray(layer[f"{name}:0"], dtype=np.float64)
            for name in ("kernel", "recurrent_kernel", "bias")
        )
        gates = [slice(UNITS * number, UNITS * (number + 1)) for number in range(4)]
        self.kernel = np.hstack(
            [kernel[:, gate].T.reshape(kernel[:, gate].shape, order="F") for gate in gates]
        )
        self.recurrent = np.hstack([recurrent[:, gate].T for gate in gates])
        self.bias = bias[: 4 * UNITS] + bias[4 * UNITS :]

    def run(self, inputs):
        """float64 (n, steps, m) → what it says at each step, (n, steps, 128)."""
        ahead = inputs @ self.kernel + self.bias
        hidden = cell = np.zeros((len(inputs), UNITS))
        said = np.empty((len(inputs), inputs.shape[1], UNITS))
        for step in range(inputs.shape[1]):
            taken, kept, new, shown = np.split(ahead[:, step] + hidden @ self.recurrent, 4, axis=1)
            cell = _sigmoid(kept) * cell + _sigmoid(taken) * np.tanh(new)
            hidden = _sigmoid(shown) * np.tanh(cell)
            said[:, step] = hidden
        return said


class Network:
    """Character ids in, the logits of the next character out; float64, so that a batch answers like single inputs."""

    def __init__(self, weights):
        """`weights` is the opened HDF5 file."""
        self.embedding = np.asarray(weights["embedding/embedding/embeddings:0"], dtype=np.float64)
        self.layers = [Lstm(weights[f"{name}/{name}"]) for name in ("rnn_1", "rnn_2")]
        self.attention = np.asarray(weights["attention/attention/attention_W:0"], dtype=np.float64)
        self.kernel = np.asarray(weights["output/output/kernel:0"], dtype=np.float64)
        self.bias = np.asarray(weights["output/output/bias:0"], dtype=np.float64)

    def logits(self, ids):
        """int (n, 40) → float64 (n, 465)."""
        seen = self.embedding[ids]
        first = self.layers[0].run(seen)
        both = np.concatenate([seen, first, self.layers[1].run(first)], axis=2)
        weights = np.exp(both @ self.attention)
        summed = (both * weights).sum(axis=1) / weights.sum(axis=1)
        return summed @ self.kernel + self.bias
