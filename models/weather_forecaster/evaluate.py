"""How far the forecasts are off, beside those of someone who says that nothing will change."""

import sys
from pathlib import Path

import numpy as np

from maxfw import datasets
from maxfw.assets import Asset
from maxfw.catalog import ModelFolder
from maxfw.quality import Measured, measure
from maxfw.tasks.forecasting import read_table

FOLDER = Path(__file__).resolve().parent
# A mirror has this table; the address is that of the overlapping windows that it was put together from.
HOURS = Asset(
    "jfk_hourly.csv",
    url="https://raw.githubusercontent.com/IBM/MAX-Weather-Forecaster/8368dd9f04a0bcd1674faa9f8cc0f729a301f519"
    "/assets/lstm_weather_test_data.tar.gz",
    sha256="3f72d826a1459c2a4db5ba4dff2dbfd822b7a6e4e4e08522a7811969e6054913",
    licence="no restriction (NOAA, US government work)",
)
AHEAD = (6, 12, 24, 48)  # hours; for the next one there is another network


def evaluate(model):
    """Mean absolute errors in °F at JFK, over all windows of the hours that the networks were not trained with.

    The bar is the error of persistence, and 24 hours ahead half a degree less.
    """
    rows = read_table(datasets.read(HOURS)).rows
    column = model.task.columns.index(model.task.target)
    measured = []
    for name, steps in (("univariate", (1,)), ("multistep", AHEAD)):
        hours = model.networks[name].hours
        starts = np.arange(0, len(rows) - hours - max(steps) + 1)
        forecasts = forecast(model, name, rows, starts, hours)
        for ahead in steps:
            truth = rows[starts + hours + ahead - 1, column]
            ours = off(forecasts[:, ahead - 1], truth)
            persistence = off(rows[starts + hours - 1, column], truth)
            what = f"{name}, {ahead} h: error in °F (persistence {persistence:.2f})"
            bar = persistence - 0.5 if ahead == 24 else persistence
            measured.append(Measured(what, f"{len(rows):,} hours at JFK", ours, bar=bar, at_most=True))
    return measured


def forecast(model, name, rows, starts, hours):
    """The forecasts of a network for the windows that begin at `starts`, in natural units, float (n, m)."""
    scaled = sys.modules[type(model).__module__].variables.scaled(rows).astype(np.float32)
    parts = [
        model._post_process(
            model.networks[name].run(np.stack([scaled[at : at + hours] for at in some])), model=name
        )
        for some in np.array_split(starts, max(1, len(starts) // 512))
    ]
    return np.concatenate(parts)


def off(forecasts, truth):
    """The mean absolute error."""
    return float(np.abs(forecasts - truth).mean())


if __name__ == "__main__":
    print(*measure(ModelFolder(FOLDER)), sep="\n")
