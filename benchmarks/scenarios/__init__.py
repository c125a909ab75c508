"""What must hold besides speed: each scenario is a function that runs it and says which bars are met."""

from __future__ import annotations

from collections.abc import Callable

from benchmarks.results import Scenario
from benchmarks.scenarios.imports import imports
from benchmarks.scenarios.overload import overload
from benchmarks.scenarios.poison import poison
from benchmarks.scenarios.sigterm import sigterm
from benchmarks.scenarios.slow_sockets import slow_sockets
from benchmarks.scenarios.soak import soak

ALL: dict[str, Callable[[int], Scenario]] = {
    "overload": overload,
    "slow-sockets": slow_sockets,
    "poison": poison,
    "sigterm": sigterm,
    "soak": soak,
    "imports": imports,
}
