"""How good the models of the zoo are, measured on data that they were not trained with."""

from __future__ import annotations

from msgspec import Struct


class Measured(Struct, frozen=True):
    """One number: what it is, on which data, and the bar that it must reach."""

    what: str
    data: str
    value: float
    bar: float
    at_most: bool = False

    @property
    def reached(self) -> bool:
        """Whether the number is as good as the bar asks for."""
        return self.value <= self.bar if self.at_most else self.value >= self.bar
