"""The fifteen variables of the weather at an airport, hour by hour, and how the networks take them.

Names, order and ranges are those of MAX Weather Forecaster (Apache-2.0), whose scaler maps the least and the most that
its training data held to −1 and 1.
"""

from typing import NamedTuple

import numpy as np


class Variable(NamedTuple):
    """A column: what the training data held at least and at most, what a forecast can be, and whether it is whole."""

    name: str
    least: float
    most: float
    lowest: float = -np.inf
    highest: float = np.inf
    whole: bool = False


VARIABLES = [
    Variable("HOURLYVISIBILITY", 0, 10, 0, 10, whole=True),  # miles
    Variable("HOURLYDRYBULBTEMPF", 1, 102, -15, 106),  # °F, as the next two
    Variable("HOURLYWETBULBTEMPF", -1, 85, -13, 104),
    Variable("HOURLYDewPointTempF", -22, 84, -30, 95),
    Variable("HOURLYRelativeHumidity", 8, 100, 0, 101),  # per cent
    Variable("HOURLYWindSpeed", 0, 53, 0),  # miles an hour
    Variable("HOURLYStationPressure", 28.49, 30.83, 28, 31),  # inches of mercury
    Variable("HOURLYSeaLevelPressure", 28.54, 30.85, 28, 31),
    Variable("HOURLYPrecip", 0, 2.41, 0),  # inches
    Variable("HOURLYAltimeterSetting", 28.51, 30.85, 28, 31),
    Variable("HOURLYWindDirectionSin", -1, 1, -1, 1),
    Variable("HOURLYWindDirectionCos", -1, 1, -1, 1),
    Variable("HOURLYPressureTendencyIncr", 0, 1, 0, 1, whole=True),
    Variable("HOURLYPressureTendencyDecr", 0, 1, 0, 1, whole=True),
    Variable("HOURLYPressureTendencyCons", 0, 1, 0, 1, whole=True),
]
NAMES = [variable.name for variable in VARIABLES]
TARGET = "HOURLYDRYBULBTEMPF"
_LEAST = np.array([variable.least for variable in VARIABLES])
_MOST = np.array([variable.most for variable in VARIABLES])


def scaled(rows):
    """Natural units, float (…, 15) → mostly −1…1, of the same shape."""
    return (rows - _LEAST) * (2 / (_MOST - _LEAST)) - 1


def temperatures(values):
    """Scaled dry bulb temperatures, float of any shape → °F."""
    variable = VARIABLES[NAMES.index(TARGET)]
    return (values + 1) * ((variable.most - variable.least) / 2) + variable.least


def natural(values):
    """Scaled variables, float (…, 15) → natural units, none beyond what can be."""
    rows = (values + 1) * ((_MOST - _LEAST) / 2) + _LEAST
    whole = np.array([variable.whole for variable in VARIABLES])
    rows = np.where(whole, np.round(rows), rows)
    return rows.clip([v.lowest for v in VARIABLES], [v.highest for v in VARIABLES])
