"""Inputs that leave the queue together."""

from __future__ import annotations

from typing import Any

from maxfw.batching.pending import Item


class Batch:
    """Inputs that are with the model."""

    __slots__ = ("group", "is_repeated", "items", "number", "started")

    def __init__(self, items: list[Item], number: int, started: float, is_repeated: bool) -> None:
        self.items = items
        self.group = items[0].group
        self.number = number
        self.started = started
        self.is_repeated = is_repeated

    @property
    def xs(self) -> list[Any]:
        """The inputs."""
        return [item.x for item in self.items]

    def rest_s(self, now: float) -> float:
        """How long it will go on; one that is late is expected to be late by as much again."""
        return abs(self.group.cost.seconds(len(self.items)) - (now - self.started))


class Trial:
    """A part of a batch that failed, to be run again; not if the model is broken and there is a verdict already."""

    __slots__ = ("items", "verdict")

    def __init__(self, items: list[Item], verdict: BaseException | None = None) -> None:
        self.items = items
        self.verdict = verdict
