"""News titles: goes on with the title of a technology story, character by character."""

import json

import numpy as np

from maxfw.assets import Asset
from maxfw.model import MAXModelWrapper
from maxfw.runtimes.hdf5 import opened
from maxfw.sampling import RandomSeed, Temperature, chosen
from maxfw.tasks.text_generation import TextGeneration

from . import network

PINNED = "https://raw.githubusercontent.com/minimaxir/textgenrnn/ee8b9e806d109c25566581f358a4a72b6f03929a"
EDGE = "<s>"  # begins and ends every title


class ModelWrapper(MAXModelWrapper):
    """textgenrnn: two LSTMs with attention over the last 40 characters, in numpy with the original weights."""

    MODEL_META_DATA = {
        "id": "max-news-text-generator",
        "name": "News Text Generator",
        "description": "Goes on with the title of a technology story, as Hacker News has them. It invents; nothing that "
        "it says is news. It often repeats a title of its training word for word.",
        "type": "Text Generation",
        "source": "https://github.com/minimaxir/textgenrnn",
        "license": "MIT",
    }
    task = TextGeneration(window=network.LENGTH)
    assets = [
        Asset(
            "hacker_news.hdf5",
            url=f"{PINNED}/weights/hacker_news.hdf5",
            sha256="5fd62ea139f0afb8375b95df4f1c1eaca4a0e0cc409cec873a5f91bd8b25c777",
            licence="MIT",
            size=1_874_468,
        ),
        Asset(
            "vocab.json",
            url=f"{PINNED}/textgenrnn/textgenrnn_vocab.json",
            sha256="f9c6c0db9b07fb57da023d32df66e16a488d086c138e15706307bb5177c2be74",
            licence="MIT",
            size=5_079,
        ),
    ]
    max_batch_size = 8

    def __init__(self, path=None):
        with opened(self.asset("hacker_news.hdf5", path)) as weights:
            self.net = network.Network(weights)
        self.ids = json.loads(self.asset("vocab.json", path).read_text(encoding="utf-8"))
        self.characters = {number: character for character, number in self.ids.items()}

    def _pre_process(self, seed):
        """A Seed → the ids of its last 40 characters, int64 (n,), and how many characters are wanted.

        Characters that the network never saw are passed over.
        """
        known = [self.ids[character] for character in seed.seed_text if character in self.ids]
        return np.array([self.ids[EDGE], *known][-network.LENGTH :]), seed.chars

    def _predict_batch(self, batch, *, temperature: Temperature = 0.5, seed: RandomSeed | None = None):
        """n × (ids, chars) → n texts; each has its own chance, so that it does not matter who shares a batch."""
        windows = np.zeros((len(batch), network.LENGTH), dtype=np.int64)
        for window, (ids, _) in zip(windows, batch, strict=True):
            window[-len(ids) :] = ids
        chances = [np.random.default_rng(seed) for _ in batch]
        said = [[] for _ in batch]
        going = list(range(len(batch)))
        while going:
            for place, logits in zip(list(going), self.net.logits(windows[going]), strict=True):
                logits[0] = -np.inf  # the padding is no character
                one = chosen(logits, chances[place], temperature)
                if one == self.ids[EDGE]:
                    going.remove(place)
                    continue
                said[place].append(self.characters[one])
                windows[place] = np.append(windows[place][1:], one)
                if len(said[place]) == batch[place][1]:
                    going.remove(place)
        return ["".join(characters) for characters in said]
