"""How good the models of the zoo are, measured on data that they were not trained with.

A model folder may hold `evaluate.py` with a function `evaluate(model)` that returns a list of `Measured`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from msgspec import Struct

from maxfw.catalog import ModelFolder, load_beside, load_model, models
from maxfw.errors import BadModel


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


def evaluated() -> list[ModelFolder]:
    """The models of the zoo that can be measured: those with an `evaluate.py`."""
    return [folder for folder in models() if (folder.path / "evaluate.py").is_file()]


def measure(folder: ModelFolder) -> list[Measured]:
    """What a model's `evaluate.py` measures, now.

    Raises:
        SetupError: the model, its data or a package that it needs is not to be had.
        BadModel: it returned something else than a list of `Measured`.
    """
    found = load_beside(folder, "evaluate").evaluate(load_model(folder))
    if not isinstance(found, list) or not all(isinstance(one, Measured) for one in found):
        raise BadModel(f"{folder.path / 'evaluate.py'}: evaluate() returned no list of Measured")
    return found


def rows_of(name: str, found: Iterable[Measured]) -> list[str]:
    """The lines of a Markdown table about one model."""
    return [
        f"| `{name}` | {one.what} | {one.data} | {one.value:.3f} "
        f"| {'at most' if one.at_most else 'at least'} {one.bar:.3g} | {'yes' if one.reached else '**no**'} |"
        for one in found
    ]


def renewed(lines: Iterable[str], measured: Mapping[str, list[Measured]]) -> list[str]:
    """The lines of the table with those of the models measured now in place of their old ones, by the models' names."""
    kept: dict[str, list[str]] = {}
    for line in lines:
        if line.startswith("| `"):
            kept.setdefault(line[3:].partition("`")[0], []).append(line)
    kept.update({name: rows_of(name, found) for name, found in measured.items()})
    return [line for name in sorted(kept) for line in kept[name]]
