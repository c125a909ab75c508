"""Train the name generator: first names → `names.npz`, `metrics.json`.

Training needs PyTorch and takes a minute or two on one core; measuring (`--evaluate`) and serving need numpy only.
"""

import random
from pathlib import Path

import numpy as np

from maxfw.catalog import ModelFolder, load_beside, load_module
from maxfw.training import run

HERE = ModelFolder(Path(__file__).resolve().parent)
serving = load_module(HERE)
network = serving.network
data, measuring = load_beside(HERE, "data"), load_beside(HERE, "evaluate")

SEED, EPOCHS, BATCH = 1, 6, 256
LEARNING_RATE = 8e-3
UNTOLD = 0.2  # the share of names that training sees without their gender


def train(options):
    """Write `names.npz`."""
    import torch

    torch.set_num_threads(1)
    torch.manual_seed(options.seed)
    chance = random.Random(options.seed)
    rows, _ = data.load()
    model = build(torch)
    print(f"{len(rows):,} names, {sum(p.numel() for p in model.parameters()):,} parameters", flush=True)
    optimizer = torch.optim.Adam(model.parameters(), lr=LEARNING_RATE)
    steps = options.epochs * -(-len(rows) // BATCH)
    falling = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, steps, eta_min=1e-4)
    for epoch in range(options.epochs):
        chance.shuffle(rows)
        alike = [
            sorted(rows[at : at + BATCH * 20], key=lambda row: len(row[0]))
            for at in range(0, len(rows), BATCH * 20)
        ]
        batches = [part[at : at + BATCH] for part in alike for at in range(0, len(part), BATCH)]
        chance.shuffle(batches)
        losses = []
        for batch in batches:
            ids = torch.from_numpy(measuring.encoded([name for name, *_ in batch]))
            told = [0 if chance.random() < UNTOLD else network.GENDERS.index(row[1]) for row in batch]
            logits = model(ids[:, :-1].clamp(min=0), torch.tensor(told))
            loss = torch.nn.functional.cross_entropy(
                logits.flatten(0, 1), ids[:, 1:].flatten(), ignore_index=-1
            )
            optimizer.zero_grad()
            loss.backward()
            torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            optimizer.step()
            falling.step()
            losses.append(loss.item())
        print(
            f"epoch {epoch + 1} of {options.epochs}: perplexity in training {np.exp(np.mean(losses)):.3f}",
            flush=True,
        )
    export(model, options.out / "names.npz")


def build(torch):
    """The network, its parts named as in the file of weights."""
    nn = torch.nn

    class Names(nn.Module):
        def __init__(self):
            super().__init__()
            self.letters = nn.Embedding(len(network.LETTERS) + 1, network.WIDTH)
            self.genders = nn.Embedding(len(network.GENDERS), network.WIDTH)
            self.cell = nn.GRU(network.WIDTH, network.UNITS, batch_first=True)
            self.last, self.drop = nn.Linear(network.UNITS, len(network.LETTERS) + 1), nn.Dropout(0.15)

        def forward(self, letters, genders):
            hidden, _ = self.cell(self.letters(letters) + self.genders(genders)[:, None])
            return self.last(self.drop(hidden))

    return Names()


def export(model, path):
    """Write the weights, float16."""
    arrays = {
        name.removesuffix("_l0"): tensor.numpy().astype(np.float16)
        for name, tensor in model.state_dict().items()
    }
    np.savez_compressed(path, **arrays)


if __name__ == "__main__":
    run(HERE, train, what=__doc__, seed=SEED, numbers={"epochs": (EPOCHS, "passes over the names")})
