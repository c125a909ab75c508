"""Recurrent networks of Keras 2, read from their HDF5 files and run in numpy.

The gates are those of S. Hochreiter and J. Schmidhuber, "Long Short-Term Memory" (1997), as Keras 2 computes them: its
hard sigmoid is 0.2 x + 0.5, cut off at 0 and 1, where that of Keras 3 has another slope.
"""

import json

import numpy as np

from maxfw.errors import BadModel, MissingExtra

ACTIVATIONS = {"tanh": np.tanh, "linear": lambda x: x}


class Network:
    """The layers of a Sequential model: LSTM, Dense, and Dropout, which does nothing when a model is used."""

    def __init__(self, path):
        try:
            import h5py
        except ImportError as error:
            raise MissingExtra("hdf5", needs="h5py") from error
        with h5py.File(path, "r") as file:
            config = json.loads(file.attrs["model_config"])["config"]
            layers = config["layers"] if isinstance(config, dict) else config
            self.hours = layers[0]["config"]["batch_input_shape"][1]
            self.layers = [_layer(layer, file["model_weights"]) for layer in layers]

    def run(self, rows):
        """Scaled rows, float32 (n, hours, 15), oldest first → forecasts, scaled, float32 (n, m)."""
        for layer in self.layers:
            rows = layer(rows)
        return rows


def _layer(layer, weights):
    """The description of a layer and the file's weights → a function of arrays."""
    kind, config = layer["class_name"], layer["config"]
    if kind == "Dropout":
        return lambda x: x
    stored = weights[config["name"]][config["name"]]
    parts = [stored[name][...] for name in ("kernel:0", "recurrent_kernel:0", "bias:0") if name in stored]
    known = ("activation", "recurrent_activation", "use_bias", "go_backwards", "stateful")
    chosen = {name: config[name] for name in known if name in config}
    if kind == "Dense" and chosen == {"activation": "linear", "use_bias": True}:
        return lambda x: x @ parts[0] + parts[1]
    plain = {
        "recurrent_activation": "hard_sigmoid",
        "use_bias": True,
        "go_backwards": False,
        "stateful": False,
    }
    if kind == "LSTM" and chosen == {"activation": chosen.get("activation"), **plain}:
        activation, whole = ACTIVATIONS[chosen["activation"]], config["return_sequences"]
        return lambda x: lstm(x, *parts, activation=activation, whole=whole)
    raise BadModel(f"layer {config['name']!r} is a {kind} with {chosen}, which is not computed here")


def lstm(rows, kernel, recurrent, bias, *, activation, whole):
    """float32 (n, t, k) → the state after each row, float32 (n, t, units), or after the last one, (n, units)."""
    units = recurrent.shape[0]
    state = cell = np.zeros((len(rows), units), np.float32)
    given = rows @ kernel + bias
    states = []
    for hour in range(rows.shape[1]):
        gates = given[:, hour] + state @ recurrent
        let_in, keep, candidate, let_out = np.split(gates, 4, axis=1)
        cell = hard_sigmoid(keep) * cell + hard_sigmoid(let_in) * activation(candidate)
        state = hard_sigmoid(let_out) * activation(cell)
        states.append(state)
    return np.stack(states, axis=1) if whole else state


def hard_sigmoid(x):
    """That of Keras 2."""
    return np.clip(np.float32(0.2) * x + np.float32(0.5), np.float32(0), np.float32(1))
