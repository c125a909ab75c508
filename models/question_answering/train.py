"""Train the adapter: questions with answers → `question_answering.npz`, `metrics.json`.

The encoder stays as it is, but for its norms; low-rank changes of its layers, and a layer for starts and ends, are
learned. Needs PyTorch, and about half an hour on one core.
"""

import collections
import random
from pathlib import Path

import numpy as np

from maxfw.assets import fetch
from maxfw.catalog import ModelFolder, find, load_beside, load_module
from maxfw.training import run

HERE = ModelFolder(Path(__file__).resolve().parent)
serving, measuring = load_module(HERE), load_beside(HERE, "evaluate")
encoder, spans, data = serving.encoder, serving.spans, measuring.data
lora = load_beside(find("word_embedding_generator"), "lora")

SEED, BATCH, RANK = 1, 16, 16
TOKENS = 176  # of question and paragraph that training reads; a longer paragraph is cut around the answer
PARTS = ["self.query", "self.key", "self.value", "output.dense", "intermediate.dense"]


def example(base, chance, context, question, answers):
    """One question → token ids, their kinds, the places of the answer's first and last token; None if it was cut off."""
    most_common = collections.Counter(answers).most_common(1)[0][0]
    text, start = most_common
    found = spans.prepared(base, context, question, most=10_000)
    [window] = found.windows
    inside = [n for n, (left, right) in enumerate(found.places) if left < start + len(text) and right > start]
    if not inside:
        return None
    room = TOKENS - window.first - 1
    lowest, highest = max(0, inside[-1] + 1 - room), min(inside[0], max(0, len(found.places) - room))
    cut = chance.randint(lowest, max(lowest, highest))
    first = window.first
    ids = [
        *window.ids[:first],
        *window.ids[first + cut : first + cut + room][: len(found.places) - cut],
        base.end,
    ]
    kinds = [0] * first + [1] * (len(ids) - first)
    begin, end = inside[0] - cut + first, inside[-1] - cut + first
    return (ids, kinds, begin, end) if first <= begin <= end < len(ids) - 1 else None


def train(options):
    """Write `question_answering.npz`."""
    chance = random.Random(options.seed)
    base = encoder.Encoder(*map(fetch, encoder.ASSETS))
    torch = base.torch
    torch.set_num_threads(1)
    adapter = lora.Adapter(base, PARTS, rank=RANK, norms=True, seed=options.seed)
    weight, bias = adapter.add("Wq", encoder.WIDTH, 2), adapter.add("bq", 2)
    rows, _ = data.load()
    chance.shuffle(rows)
    rows = rows[: options.questions or None]
    rows = [found for row in rows if (found := example(base, chance, *row))]
    print(f"{len(rows):,} questions, {sum(p.numel() for p in adapter.parameters()):,} parameters", flush=True)

    def loss_of(batch):
        ids, kinds, there = lora.padded(torch, [row[0] for row in batch], [row[1] for row in batch])
        hidden = base.hidden(ids, kinds, there, low_rank=adapter.low_rank, drop=0.1)
        logits = (hidden @ weight + bias).masked_fill(~(there & (kinds == 1))[..., None], -1e4)
        wanted = torch.tensor([row[2:] for row in batch])
        return sum(torch.nn.functional.cross_entropy(logits[..., n], wanted[:, n]) for n in (0, 1)) / 2

    batches = lora.alike(rows, BATCH, chance, lambda row: len(row[0]))
    lora.optimize(adapter, batches, loss_of, rate=1.5e-3, last_rate=5e-5, every=10)
    np.savez_compressed(options.out / "question_answering.npz", **adapter.arrays())


if __name__ == "__main__":
    run(
        HERE,
        train,
        what=__doc__,
        seed=SEED,
        numbers={"questions": (0, "how many questions to learn from, 0 for all")},
    )
