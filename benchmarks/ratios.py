"""Ratios between two servers, one for each round, because the machine is not the same in the next minute."""

from __future__ import annotations

import statistics
from collections.abc import Mapping

import msgspec


class Spread(msgspec.Struct, frozen=True):
    """The median of several rounds, with the smallest and the largest."""

    median: float
    low: float
    high: float
    rounds: int

    def text(self, digits: int = 2, unit: str = "") -> str:
        """`1.25 (1.20–1.31)`."""
        low, high = f"{self.low:.{digits}f}", f"{self.high:.{digits}f}"
        return f"{self.median:.{digits}f}{unit} ({low}–{high})"


def spread(values: Mapping[int, float]) -> Spread:
    """Round → value, as a spread.

    Raises:
        ValueError: there is no value.
    """
    if not values:
        raise ValueError("no round has a value")
    found = sorted(values.values())
    return Spread(statistics.median(found), found[0], found[-1], len(found))


def ratios(mine: Mapping[int, float], theirs: Mapping[int, float]) -> Spread:
    """Mine by theirs within each round that has both.

    Raises:
        ValueError: no round has both.
    """
    return spread({turn: mine[turn] / theirs[turn] for turn in mine.keys() & theirs.keys()})


def differences(mine: Mapping[int, float], theirs: Mapping[int, float]) -> Spread:
    """Mine less theirs within each round that has both.

    Raises:
        ValueError: no round has both.
    """
    return spread({turn: mine[turn] - theirs[turn] for turn in mine.keys() & theirs.keys()})


def best_of(several: Mapping[str, Mapping[int, float]]) -> dict[int, float]:
    """The largest value of each round, whoever reached it."""
    turns = {turn for values in several.values() for turn in values}
    return {turn: max(values[turn] for values in several.values() if turn in values) for turn in turns}


def percentile(values: list[float], share: float) -> float:
    """The value that `share` (0…1) of the values do not exceed."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]
