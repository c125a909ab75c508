"""What an observer of the batcher is told, for metrics."""

from __future__ import annotations

from typing import Literal

from msgspec import Struct

Ended = Literal["ok", "failed", "out_of_memory", "bad_output"]
Why = Literal["refused", "expired", "cancelled"]


class Call(Struct, frozen=True, gc=False):
    """One call of the model.

    `queue_s` has the seconds that each input waited, and is empty for a repeated call: its inputs were told of before.
    `poisoned` is 1 if this call found that one input of a larger batch makes the model fail.
    """

    size: int
    seconds: float
    queue_s: tuple[float, ...]
    ended: Ended
    poisoned: int = 0


class Dropped(Struct, frozen=True, gc=False):
    """Inputs of one request that the model will not see: it was refused, came too late, or nobody waits for it."""

    why: Why
    inputs: int


Event = Call | Dropped
