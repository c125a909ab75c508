"""Train the adapter: public sentences → `sentiment.npz`, `metrics.json`.

The encoder stays as it is; low-rank changes of its queries and values, and one linear layer, are learned. Needs PyTorch.
"""

import random
import re
from pathlib import Path

import numpy as np

from maxfw.assets import fetch
from maxfw.catalog import ModelFolder, find, load_beside, load_module
from maxfw.training import run

HERE = ModelFolder(Path(__file__).resolve().parent)
serving, measuring = load_module(HERE), load_beside(HERE, "evaluate")
encoder, corpora, lora = (
    serving.encoder,
    measuring.corpora,
    load_beside(find("word_embedding_generator"), "lora"),
)

SEED, BATCH, TOKENS, RANK = 1, 32, 64, 8
SOFTENED = 0.02  # labels are 0.02 and 0.98: some of them are wrong
# How many sentences of each corpus are read; those of UCI twice.
TAKEN = {
    "UCI sentences": 5000,
    "rt-polarity": 8000,
    "GoEmotions": 6000,
    "pros and cons": 3000,
    "product reviews": 3000,
}
SHINGLE = 8  # words in a row that training and held-out texts must not share


def words(text):
    """The words of a text, small, by which training and held-out texts are compared."""
    return tuple(re.findall(r"\w+", text.lower()))


def shingles(text):
    """Each eight words in a row."""
    return {text[at : at + SHINGLE] for at in range(len(text) - SHINGLE + 1)}


def training_rows(chance):
    """`(text, label)` of the sentences to learn from; none equals a held-out text or shares eight words in a row with one."""
    divided = corpora.load()
    measured = [words(text) for corpus in divided.values() for text, _ in corpus.validation + corpus.held_out]
    same, parts = set(measured), {part for text in measured for part in shingles(text)}
    rows = []
    for name, corpus in divided.items():
        clear = [
            (text, label)
            for text, label in corpus.training
            if label != 0.5 and words(text) not in same and parts.isdisjoint(shingles(words(text)))
        ]
        chance.shuffle(clear)
        rows += clear[: TAKEN[name]] * (2 if name == "UCI sentences" else 1)
    return rows


def train(options):
    """Write `sentiment.npz`."""
    chance = random.Random(options.seed)
    base = encoder.Encoder(*map(fetch, encoder.ASSETS))
    torch = base.torch
    torch.set_num_threads(1)
    adapter = lora.Adapter(base, ["self.query", "self.value"], rank=RANK, seed=options.seed)
    weight, bias = adapter.add("Wh", 2 * encoder.WIDTH, 1), adapter.add("bh", 1)
    rows = [(base.windows(text, TOKENS)[0], label) for text, label in training_rows(chance)]
    print(f"{len(rows):,} sentences, {sum(p.numel() for p in adapter.parameters()):,} parameters", flush=True)

    def loss_of(batch):
        ids, kinds, there = lora.padded(torch, [row for row, _ in batch])
        hidden = base.hidden(ids, kinds, there, low_rank=adapter.low_rank, drop=0.1)
        mean = (hidden * there[..., None]).sum(1) / there.sum(1, keepdim=True)
        logits = (torch.cat([mean, hidden[:, 0]], dim=1) @ weight + bias)[:, 0]
        labels = torch.tensor([label * (1 - 2 * SOFTENED) + SOFTENED for _, label in batch])
        return torch.nn.functional.binary_cross_entropy_with_logits(logits, labels)

    batches = lora.alike(rows, BATCH, chance, lambda row: len(row[0]))
    lora.optimize(adapter, batches, loss_of, rate=2e-3, last_rate=1e-4)
    np.savez_compressed(options.out / "sentiment.npz", **adapter.arrays())


if __name__ == "__main__":
    run(HERE, train, what=__doc__, seed=SEED)
