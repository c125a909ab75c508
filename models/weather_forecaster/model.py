"""Three small recurrent networks: the weather of the next hours from that of the last ones."""

from pathlib import Path
from typing import Annotated, Literal

import numpy as np
from msgspec import Meta

from maxfw.assets import Asset
from maxfw.catalog import ModelFolder, load_module
from maxfw.errors import BadInput
from maxfw.model import MAXModelWrapper
from maxfw.tasks.forecasting import Forecasting

FOLDER = Path(__file__).resolve().parent
network = load_module(ModelFolder(FOLDER / "network.py"))
variables = load_module(ModelFolder(FOLDER / "variables.py"))

PINNED = (
    "https://raw.githubusercontent.com/IBM/MAX-Weather-Forecaster/8368dd9f04a0bcd1674faa9f8cc0f729a301f519"
    "/assets/models"
)
NETWORKS = {  # the sha256 and the bytes of each file
    "univariate": ("f3d771283058f047a3a4b7623009e7779194ede9fc972ea0d58567ec43068e7e", 104_344),
    "multistep": ("d3597590ef129afcbd30ee590837cd09729ffb59d9904f73bf381fb9ffe5935b", 211_152),
    "multivariate": ("12dd2c840218e92dea8c25d35b4ab161d1cd275fce7cf9359a4623fce20cdf90", 191_176),
}
FARTHEST = 3  # scaled values; what the networks learned from lies between −1 and 1

Which = Annotated[
    Literal["univariate", "multistep", "multivariate"],
    Meta(
        description="univariate: the temperature of the next hour; multistep: of the next 48 hours; "
        "multivariate: all fifteen variables of the next hour"
    ),
]


class ModelWrapper(MAXModelWrapper):
    """The networks of MAX Weather Forecaster, on numpy."""

    MODEL_META_DATA = {
        "id": "max-weather-forecaster",
        "name": "Weather Forecaster",
        "description": "Three LSTM networks trained on the weather of JFK airport: the next hour, or the temperature of the "
        "next 48, from the last 24 or 48 hours.",
        "type": "Time Series Prediction",
        "source": "https://github.com/IBM/MAX-Weather-Forecaster",
        "license": "Apache-2.0",
    }
    task = Forecasting(
        columns=variables.NAMES, target=variables.TARGET, example=FOLDER / "samples" / "two_spring_days.csv"
    )
    assets = [
        Asset(f"{name}_model.h5", url=f"{PINNED}/{name}_model", sha256=digest, size=size)
        for name, (digest, size) in NETWORKS.items()
    ]
    max_batch_size = 64

    def __init__(self, path=None):
        self.networks = {name: network.Network(self.asset(f"{name}_model.h5", path)) for name in NETWORKS}

    def _pre_process(self, table, *, model: Which = "univariate"):
        """A table, oldest hour first → scaled windows, float32 (k, 24 or 48, 15).

        With names, it is in natural units, and its last hours are one window. Without, it is scaled already, and holds
        one window after the other, as MAX took it.
        """
        hours, rows = self.networks[model].hours, table.rows
        if len(rows) < hours:
            raise BadInput(f"field 'file': {len(rows)} rows, model {model!r} needs {hours} hours")
        if table.names:
            rows = variables.scaled(rows[-hours:])
        elif len(rows) % hours:
            raise BadInput(
                f"field 'file': {len(rows)} rows without names, which is no multiple of {hours}",
                hint=f"send windows of {hours} rows, or one table with a line of names in front",
            )
        if np.abs(rows).max() > FARTHEST:
            raise BadInput(
                f"field 'file': {np.abs(rows).max():.3g} is too far from the scaled values −1 to 1 that the networks know",
                hint="put the line of names in front of natural units; without it, send scaled values",
            )
        return rows.reshape(-1, hours, len(variables.NAMES)).astype(np.float32)

    def _predict_batch(self, batch, *, model: Which = "univariate"):
        """n × float32 (k, hours, 15) → n × scaled forecasts, float32 (k, 1, 48 or 15)."""
        forecasts = self.networks[model].run(np.concatenate(batch))
        return np.split(forecasts, np.cumsum([len(windows) for windows in batch])[:-1])

    def _post_process(self, forecasts, *, model: Which = "univariate"):
        """Scaled forecasts → °F, float32 (k, 1 or 48), or all variables in their units, float32 (k, 15)."""
        return variables.natural(forecasts) if model == "multivariate" else variables.temperatures(forecasts)
