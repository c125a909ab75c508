"""Train the toxic comment classifier: comments with labels → `classifier.npz`, `metrics.json`.

A wide and a deep part (Cheng and others, "Wide & Deep Learning", 2016) over words, pairs of words and pieces of words.
Training needs PyTorch and takes minutes on one core; measuring (`--evaluate`) and serving need numpy only.
"""

import random
from pathlib import Path

import numpy as np

from maxfw.catalog import ModelFolder, load_beside, load_module
from maxfw.training import run

HERE = ModelFolder(Path(__file__).resolve().parent)
serving = load_module(HERE)
features, network = serving.features, serving.network
data, measuring = load_beside(HERE, "data"), load_beside(HERE, "evaluate")
harmless = load_beside(HERE, "harmless")

SEED, EPOCHS, BATCH = 1, 6, 64
LEARNING_RATE = 4e-3
FORGOTTEN = 0.2  # the share of rows that training hides
UNKNOWN = -1.0  # a label that nobody gave
PATTERNED = 3000  # harmless sentences built from patterns


def training_rows(seed):
    """`(rows of words, rows of pieces, six labels)` of every comment to learn from."""
    six, _, _ = data.load_six()
    toxic_or_not, _ = data.load_toxic_or_not()
    blank = [UNKNOWN] * (len(data.LABELS) - 1)
    # Who finds a comment harmless gives it none of the other labels either.
    more = [(text, [label, *(blank if label else [0.0] * len(blank))]) for text, label in toxic_or_not]
    none = [0.0] * len(data.LABELS)
    others = [(text, none) for text in harmless.sentences(PATTERNED, seed=seed)]
    return [(*network.read(text)[0], labels) for text, labels in six + more + others]


def train(options):
    """Write `classifier.npz`."""
    import torch

    torch.set_num_threads(1)
    torch.manual_seed(options.seed)
    chance = random.Random(options.seed)
    rows = training_rows(options.seed)
    _, validation, _ = data.load_six()
    wanted = np.array([labels for _, labels in validation])
    model = build(torch)
    print(f"{len(rows):,} comments, {sum(p.numel() for p in model.parameters()):,} parameters", flush=True)
    optimizer = torch.optim.Adam(model.parameters(), lr=LEARNING_RATE)
    steps = options.epochs * -(-len(rows) // BATCH)
    falling = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, steps, eta_min=1e-4)
    for epoch in range(options.epochs):
        model.train()
        losses = []
        chance.shuffle(rows)
        for at in range(0, len(rows), BATCH):
            batch = rows[at : at + BATCH]
            words, pieces = (bag(torch, [hidden(row[n], chance) for row in batch]) for n in (0, 1))
            labels = torch.tensor([row[2] for row in batch])
            known = (labels >= 0).float()
            each = torch.nn.functional.binary_cross_entropy_with_logits(
                model(words, pieces), labels.clamp(min=0) * 0.96 + 0.02, reduction="none"
            )
            loss = (each * known).sum() / known.sum() + 2e-5 * sum((p**2).sum() for p in model.dense())
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            falling.step()
            losses.append(loss.item())
        model.eval()
        export(model, options.out / "classifier.npz")
        said = measuring.predicted(serving.ModelWrapper(options.out), validation)
        score = np.mean([measuring.area(said[:, n], wanted[:, n]) for n in range(len(data.LABELS))])
        print(
            f"epoch {epoch + 1} of {options.epochs}: loss {np.mean(losses):.4f}, AUC on validation {score:.4f}",
            flush=True,
        )


def hidden(rows, chance):
    """Most of the rows, by chance."""
    return [row for row in rows if chance.random() >= FORGOTTEN] or rows[:1] or [0]


def bag(torch, lists):
    """Lists of rows → what an EmbeddingBag reads: all in a row, where each begins, and 1/√n of each."""
    lengths = torch.tensor([len(one) for one in lists])
    starts = torch.cumsum(lengths, 0) - lengths
    return torch.tensor([row for one in lists for row in one]), starts, lengths.float().rsqrt()[:, None]


def build(torch):
    """The network, its parts named as in the file of weights."""
    nn = torch.nn

    class Classifier(nn.Module):
        def __init__(self):
            super().__init__()
            labels = len(data.LABELS)
            self.wide = nn.EmbeddingBag(features.WORDS, labels, mode="sum")
            self.wide_pieces = nn.EmbeddingBag(features.PIECES, labels, mode="sum")
            self.deep = nn.EmbeddingBag(features.PIECES, network.DEEP, mode="sum")
            nn.init.zeros_(self.wide.weight)
            nn.init.zeros_(self.wide_pieces.weight)
            nn.init.normal_(self.deep.weight, std=0.1)
            self.inner, self.outer = (
                nn.Linear(network.DEEP, network.HIDDEN),
                nn.Linear(network.HIDDEN, labels, bias=False),
            )
            self.bias, self.drop = nn.Parameter(torch.zeros(labels)), nn.Dropout(0.3)

        def dense(self):
            return [self.inner.weight, self.outer.weight]

        def forward(self, words, pieces):
            out = self.bias + self.wide(*words[:2]) * words[2] + self.wide_pieces(*pieces[:2]) * pieces[2]
            return out + self.outer(self.drop(torch.relu(self.inner(self.deep(*pieces[:2]) * pieces[2]))))

    return Classifier()


def export(model, path):
    """Write the weights; the tables as bytes, each row with its own scale."""
    arrays = {"bias": model.bias.detach().numpy()}
    arrays["inner"], arrays["inner_bias"] = (
        t.detach().numpy() for t in (model.inner.weight.T, model.inner.bias)
    )
    arrays["outer"] = model.outer.weight.T.detach().numpy()
    for name in ("wide", "wide_pieces", "deep"):
        values = getattr(model, name).weight.detach().numpy().copy()
        values[0] = 0
        scale = np.maximum(np.abs(values).max(axis=1, keepdims=True), 1e-6) / 127
        arrays[name] = np.round(values / scale).astype(np.int8)
        arrays[name + ".scale"] = scale.astype(np.float16)
    np.savez_compressed(path, **arrays)


if __name__ == "__main__":
    run(HERE, train, what=__doc__, seed=SEED, numbers={"epochs": (EPOCHS, "passes over the comments")})
