"""Train the named entity tagger: annotated sentences → `tagger.npz`, `words.txt`, `metrics.json`.

A convolution of three layers over words, each seen as a word, a beginning, an ending and a shape. Training needs
PyTorch and takes a few minutes on one core; measuring the weights (`--evaluate`) and serving need numpy only.
"""

import collections
import random
from pathlib import Path

import numpy as np

from maxfw.catalog import ModelFolder, load_beside, load_module
from maxfw.training import run

HERE = ModelFolder(Path(__file__).resolve().parent)
serving = load_module(HERE)
features, network = serving.features, serving.network
data = load_beside(HERE, "data")
measuring = load_beside(HERE, "evaluate")

SEED, EPOCHS, BATCH = 1, 4, 48
LEARNING_RATE = 3e-3
WORDS = 15_000  # the most frequent; all others are unknown
FORGOTTEN = 0.12  # the share of words that training hides, so that endings and shapes count
SMALL = 0.1  # the share of sentences that training reads in small letters


def vocabulary(sentences):
    """The most frequent words of the training sentences, in the form that `features.plain` gives them."""
    counts = collections.Counter(features.plain(term) for terms, _ in sentences for term in terms)
    return [word for word, count in counts.most_common(WORDS) if count > 1]


def train(options):
    """Write `words.txt` and `tagger.npz`."""
    import torch

    torch.set_num_threads(1)
    torch.manual_seed(options.seed)
    chance = random.Random(options.seed)
    hiding = np.random.default_rng(options.seed)
    training, validation, _ = data.load()
    listed = vocabulary(training)
    (options.out / "words.txt").write_text("\n".join(listed) + "\n", encoding="utf-8")
    words = network.read_words(options.out / "words.txt")
    tag_ids = {name: number for number, name in enumerate(network.TAGS)}
    rows = [
        (
            features.numbers(terms, words),
            features.numbers([t.lower() for t in terms], words),
            [tag_ids[t] for t in tags],
        )
        for terms, tags in training
    ]
    model = build(torch, len(words) + features.UNKNOWN + 1)
    print(f"{len(rows):,} sentences, {sum(p.numel() for p in model.parameters()):,} parameters", flush=True)
    optimizer = torch.optim.Adam(model.parameters(), lr=LEARNING_RATE)
    steps = options.epochs * -(-len(rows) // BATCH)
    falling = torch.optim.lr_scheduler.OneCycleLR(optimizer, LEARNING_RATE, total_steps=steps, pct_start=0.1)
    for epoch in range(options.epochs):
        model.train()
        losses = []
        for ids, labels in batches(rows, chance, hiding):
            logits = model(torch.from_numpy(ids))
            loss = torch.nn.functional.cross_entropy(
                logits.reshape(-1, len(tag_ids)), torch.from_numpy(labels).reshape(-1), ignore_index=-1
            )
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            falling.step()
            losses.append(loss.item())
        model.eval()
        export(model, training, options.out / "tagger.npz")
        score = measuring.entity_f1(serving.ModelWrapper(options.out), validation[:1000])
        print(
            f"epoch {epoch + 1} of {options.epochs}: loss {np.mean(losses):.4f}, F1 on validation {score:.4f}",
            flush=True,
        )


def batches(rows, chance, hiding):
    """`(int32 ids (n, length, 4), int64 tags (n, length), -1 where there is no term)`, sentences of like length together."""
    chance.shuffle(rows)
    order = []
    for at in range(0, len(rows), BATCH * 40):
        alike = sorted(rows[at : at + BATCH * 40], key=lambda row: len(row[2]))
        order += [alike[first : first + BATCH] for first in range(0, len(alike), BATCH)]
    chance.shuffle(order)
    for batch in order:
        length = max(len(tags) for _, _, tags in batch)
        ids = np.zeros((len(batch), length, 4), dtype=np.int32)
        labels = np.full((len(batch), length), -1, dtype=np.int64)
        for place, (usual, small, tags) in enumerate(batch):
            ids[place, : len(tags)] = small if chance.random() < SMALL else usual
            labels[place, : len(tags)] = tags
        hidden = (hiding.random(ids.shape[:2]) < FORGOTTEN) & (ids[..., 0] > 0)
        ids[..., 0][hidden] = features.UNKNOWN
        yield ids, labels


def build(torch, words):
    """The network, its layers named as in the file of weights."""
    nn = torch.nn

    class Tagger(nn.Module):
        def __init__(self):
            super().__init__()
            sizes = zip(
                (words, features.SUFFIXES, features.PREFIXES, features.SHAPES), network.WIDTHS, strict=True
            )
            self.tables = nn.ModuleList([nn.Embedding(rows, width) for rows, width in sizes])
            for table in self.tables:
                nn.init.normal_(table.weight, std=0.3)
            self.first = nn.Linear(sum(network.WIDTHS), network.HIDDEN)
            self.layers = nn.ModuleList(
                [nn.Linear(3 * network.HIDDEN, 2 * network.HIDDEN) for _ in range(network.LAYERS)]
            )
            self.last = nn.Linear(network.HIDDEN, len(network.TAGS))
            self.drop, self.drop_words = nn.Dropout(0.2), nn.Dropout(0.25)

        def forward(self, ids):
            there = (ids[..., :1] > 0).float()
            seen = torch.cat([table(ids[..., n]) for n, table in enumerate(self.tables)], dim=-1)
            hidden = self.first(self.drop_words(seen)) * there
            for layer in self.layers:
                beside = nn.functional.pad(hidden, (0, 0, 1, 1))
                window = torch.cat([beside[:, :-2], hidden, beside[:, 2:]], dim=-1)
                both = layer(self.drop(window))
                gate, value = both.chunk(2, dim=-1)
                hidden = (hidden + torch.sigmoid(gate) * torch.tanh(value)) * there
            return self.last(self.drop(hidden))

    return Tagger()


def export(model, training, path):
    """Write the weights, float16, and how often which tag follows which."""
    arrays = {}
    for name, tensor in model.state_dict().items():
        values = tensor.numpy()
        if name.startswith("tables."):  # a table as bytes, each row with its own scale
            scale = np.maximum(np.abs(values).max(axis=1, keepdims=True), 1e-6) / 127
            arrays[name] = np.round(values / scale).astype(np.int8)
            arrays[name + ".scale"] = scale.astype(np.float16)
        else:
            arrays[name] = values.astype(np.float16)
    counts = np.ones((len(network.TAGS) + 1, len(network.TAGS)))  # the last row: how sentences begin
    ids = {name: number for number, name in enumerate(network.TAGS)}
    for _, tags in training:
        before = len(network.TAGS)
        for tag in tags:
            counts[before, ids[tag]] += 1
            before = ids[tag]
    arrays["follows"] = network.allowed(counts).astype(np.float32)
    np.savez_compressed(path, **arrays)


if __name__ == "__main__":
    run(HERE, train, what=__doc__, seed=SEED, numbers={"epochs": (EPOCHS, "passes over the sentences")})
