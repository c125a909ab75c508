"""How far the forecasts are off, beside those of someone who says that nothing will change."""

import json
import sys
from pathlib import Path

import numpy as np

from maxfw import datasets
from maxfw.assets import Asset
from maxfw.catalog import ModelFolder, load_model
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
AHEAD = (1, 6, 12, 24, 48)  # hours
BAR = {"24 h: persistence minus ours": 0.5}


def evaluate():
    """Mean absolute errors in °F at JFK, over all windows of the year that the networks were not trained with."""
    model = load_model(ModelFolder(FOLDER))
    table = read_table(datasets.read(HOURS))
    rows = model.task._in_order(table).rows
    column = model.task.columns.index(model.task.target)
    metrics = {"hours": len(rows)}
    for name, steps in (("univariate", (1,)), ("multistep", AHEAD), ("multivariate", (1,))):
        hours = model.networks[name].hours
        starts = np.arange(0, len(rows) - hours - max(steps) + 1)
        forecasts = forecast(model, name, rows, starts, hours)
        for ahead in steps:
            truth = rows[starts + hours + ahead - 1, column]
            ours = forecasts[:, column if name == "multivariate" else ahead - 1]
            metrics[f"{name}, {ahead} h"] = off(ours, truth)
            metrics[f"persistence, {ahead} h"] = off(rows[starts + hours - 1, column], truth)
    gained = metrics["persistence, 24 h"] - metrics["multistep, 24 h"]
    return {**metrics, "24 h: persistence minus ours": round(gained, 3), "bar": BAR}


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
    return round(float(np.abs(forecasts - truth).mean()), 3)


if __name__ == "__main__":
    print(json.dumps(evaluate(), indent=2))
