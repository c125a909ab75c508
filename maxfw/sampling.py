"""How generating models choose the next character: by chance, but the same one for the same seed."""

from __future__ import annotations

from typing import Annotated

import numpy as np
from msgspec import Meta

Temperature = Annotated[
    float, Meta(ge=0, le=2, description="how daring: 0 always takes the likeliest, 1 is as the model learned")
]
RandomSeed = Annotated[
    int, Meta(ge=0, le=2**32 - 1, description="the same seed gives the same text; none, another each time")
]


def chosen(logits: np.ndarray, chance: np.random.Generator, temperature: float) -> int:
    """The place of one of n logits, float (n,): the likeliest at temperature 0, else drawn by chance."""
    if temperature < 0.01:
        return int(logits.argmax())
    shares = np.exp((logits - logits.max()) / temperature)
    reached = np.cumsum(shares)
    return int(
        np.searchsorted(reached, chance.random() * reached[-1], side="right").clip(max=len(logits) - 1)
    )
