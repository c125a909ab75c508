"""The network in numpy: a GRU over letters (Cho and others, 2014), told the gender with every letter."""

import numpy as np

LETTERS = "abcdefghijklmnopqrstuvwxyz"
EDGE = 0  # begins and ends a name; the letters are 1 to 26
GENDERS = ("any", "female", "male")
UNITS, WIDTH = 160, 24


def _sigmoid(x):
    return 1 / (1 + np.exp(-x))


class Network:
    """Letters in, the logits of the next letter out; float64, so that a batch answers like single inputs."""

    def __init__(self, path):
        with np.load(path) as arrays:
            self.arrays = {name: arrays[name].astype(np.float64) for name in arrays.files}

    def begin(self, genders):
        """int (n,) → the state before the first letter."""
        return np.zeros((len(genders), UNITS)), np.asarray(genders)

    def step(self, state, letters):
        """The state and the letters just said, int (n,) → the next state, and float64 (n, 27)."""
        hidden, genders = state
        arrays = self.arrays
        seen = arrays["letters.weight"][letters] + arrays["genders.weight"][genders]
        ahead = seen @ arrays["cell.weight_ih"].T + arrays["cell.bias_ih"]
        back = hidden @ arrays["cell.weight_hh"].T + arrays["cell.bias_hh"]
        reset = _sigmoid(ahead[:, :UNITS] + back[:, :UNITS])
        kept = _sigmoid(ahead[:, UNITS : 2 * UNITS] + back[:, UNITS : 2 * UNITS])
        new = np.tanh(ahead[:, 2 * UNITS :] + reset * back[:, 2 * UNITS :])
        hidden = (1 - kept) * new + kept * hidden
        return (hidden, genders), hidden @ arrays["last.weight"].T + arrays["last.bias"]
