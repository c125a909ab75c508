"""Low-rank adapters for the encoder: how they are trained (Hu and others, "LoRA", 2021)."""

import math

import numpy as np


class Adapter:
    """What is learned beside the frozen encoder: pairs of matrices for some of its layers, and further tensors."""

    def __init__(self, encoder, parts, *, rank, norms=False, seed=1):
        """`parts` are the ends of the names of linear layers, like `attention.self.query`; `norms` learns those, too."""
        self.encoder, torch = encoder, encoder.torch
        torch.manual_seed(seed)
        self.low_rank, self.replaced, self.others = {}, {}, {}
        for name, weight in encoder.weights.items():
            layer = name.removesuffix(".weight")
            if name.endswith(".weight") and layer.startswith("encoder.") and layer.endswith(tuple(parts)):
                fan_out, fan_in = weight.shape
                first = torch.randn(fan_in, rank) / math.sqrt(fan_in)
                self.low_rank[layer] = (
                    first.requires_grad_(),
                    torch.zeros(rank, fan_out, requires_grad=True),
                )
            elif norms and "LayerNorm" in name:
                self.replaced[name] = weight.clone().requires_grad_()
        encoder.weights.update(self.replaced)

    def add(self, name, *shape):
        """One more tensor to learn, small and by chance."""
        self.others[name] = (self.encoder.torch.randn(*shape) * 0.02).requires_grad_()
        return self.others[name]

    def parameters(self):
        """Everything that is learned."""
        pairs = [matrix for pair in self.low_rank.values() for matrix in pair]
        return [*pairs, *self.replaced.values(), *self.others.values()]

    def arrays(self):
        """What was learned, float16, by the names that `encoder.adapted` and the models read."""
        found = {**self.replaced, **self.others}
        for layer, (first, second) in self.low_rank.items():
            found |= {f"{layer}.A": first, f"{layer}.B": second}
        return {name: tensor.detach().numpy().astype(np.float16) for name, tensor in found.items()}


def padded(torch, rows, kinds=None):
    """Lists of token ids → tensors (n, longest): the ids, their kinds, and where there is one."""
    longest = max(map(len, rows))
    ids, types = np.zeros((2, len(rows), longest), dtype=np.int64)
    there = np.zeros((len(rows), longest), dtype=bool)
    for at, row in enumerate(rows):
        ids[at, : len(row)], there[at, : len(row)] = row, True
        if kinds is not None:
            types[at, : len(row)] = kinds[at]
    return tuple(map(torch.from_numpy, (ids, types, there)))


def alike(rows, size, chance, length):
    """Rows in batches of like length, the batches in an order by chance."""
    chance.shuffle(rows)
    found = []
    for at in range(0, len(rows), size * 40):
        part = sorted(rows[at : at + size * 40], key=length)
        found += [part[first : first + size] for first in range(0, len(part), size)]
    chance.shuffle(found)
    return found


def optimize(adapter, batches, loss_of, *, rate, last_rate, every=50, say=print):
    """Adam over the batches, once; the rate falls from `rate` to `last_rate` along half a cosine."""
    torch = adapter.encoder.torch
    optimizer = torch.optim.Adam(adapter.parameters(), lr=rate)
    falling = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, len(batches), eta_min=last_rate)
    losses = []
    for step, batch in enumerate(batches, 1):
        loss = loss_of(batch)
        optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(adapter.parameters(), 1.0)
        optimizer.step()
        falling.step()
        losses.append(loss.item())
        if step % every == 0 or step == len(batches):
            say(f"step {step} of {len(batches)}: loss {np.mean(losses[-every:]):.4f}", flush=True)
