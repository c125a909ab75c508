"""Names: makes up a first name, or goes on with its beginning."""

from pathlib import Path
from typing import Annotated, Literal

import numpy as np
from msgspec import Meta

from maxfw.errors import BadInput
from maxfw.model import MAXModelWrapper
from maxfw.sampling import RandomSeed, Temperature, chosen
from maxfw.tasks.text_generation import TextGeneration

from . import network

WEIGHTS = Path(__file__).parent / "names.npz"
LONGEST = 15  # letters; the longest name of the training has as many
Gender = Annotated[Literal["any", "female", "male"], Meta(description="whose name it shall be")]


class ModelWrapper(MAXModelWrapper):
    """A GRU over letters, in numpy, trained by `train.py` beside this file."""

    MODEL_META_DATA = {
        "id": "max-name-generator",
        "name": "Name Generator",
        "description": "Makes up first names, for girls, for boys, or beginning as you like. Trained on names of the "
        "United States; many that it makes up exist.",
        "type": "Text Generation",
        "source": "trained by train.py in this folder, see README.md",
        "license": "Apache-2.0",
    }
    task = TextGeneration()
    max_batch_size = 32

    def __init__(self, path=None):
        self.net = network.Network(Path(path or WEIGHTS.parent) / WEIGHTS.name)

    def _pre_process(self, seed):
        """A Seed → its letters, int64 (n,), and how many letters may follow."""
        begun = seed.seed_text.strip().lower()
        if unknown := set(begun) - set(network.LETTERS):
            raise BadInput(
                f"a name cannot begin with {seed.seed_text[:20]!r}: {min(unknown)!r} is no letter from a to z",
                hint="send the first letters of a name, or an empty text for any name",
            )
        if len(begun) >= LONGEST:
            raise BadInput(f"the beginning has {len(begun)} letters", hint=f"send fewer than {LONGEST}")
        letters = [network.LETTERS.index(letter) + 1 for letter in begun]
        return np.array(letters, dtype=np.int64), min(seed.chars, LONGEST - len(begun))

    def _predict_batch(
        self, batch, *, gender: Gender = "any", temperature: Temperature = 0.8, seed: RandomSeed | None = None
    ):
        """n × (letters, most) → n texts; each has its own chance, so that it does not matter who shares a batch."""
        return [self._one(letters, most, gender, temperature, seed) for letters, most in batch]

    def _one(self, letters, most, gender, temperature, seed):
        chance = np.random.default_rng(seed)
        state = self.net.begin([network.GENDERS.index(gender)])
        for letter in [network.EDGE, *letters]:
            state, logits = self.net.step(state, np.array([letter]))
        said = ""
        while len(said) < most:
            if not len(letters) + len(said):
                logits[0, network.EDGE] = -np.inf  # an empty name is none
            one = chosen(logits[0], chance, temperature)
            if one == network.EDGE:
                break
            letter = network.LETTERS[one - 1]
            said += letter if len(letters) + len(said) else letter.upper()
            state, logits = self.net.step(state, np.array([one]))
        return said
