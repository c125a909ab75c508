"""What was, as a line, and what is forecast, as its continuation."""

from __future__ import annotations

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from maxfw.drawing.base import PALETTE, stacked
from maxfw.tasks.base import Inputs, Task
from maxfw.tasks.forecasting import Forecasting, ForecastingAnswer, read_table

WIDTH, HEIGHT, LEFT, MARGIN = 720, 220, 64, 14
LOW = 120  # pixels of a chart that is one of many
MOST_CHARTS = 16
MOST_HISTORY = 168  # rows


def draw(inputs: Inputs, answer: ForecastingAnswer, *, task: Task) -> Image.Image:
    """One chart of the column that is forecast, or one of each column where the next row of all of them is."""
    table = read_table(inputs.files["file"].blob)
    history = table.rows[-MOST_HISTORY:]
    columns = {name.casefold(): index for index, name in enumerate(table.names)}
    names = task.columns if isinstance(task, Forecasting) and task.columns else table.names
    rows = np.array(answer.predictions)
    if len(names) == rows.shape[1] > 1 and table.names:
        series = [
            chart(name, history[:, columns[name.casefold()]], rows[:1, index], LOW)
            for index, name in list(enumerate(names))[:MOST_CHARTS]
        ]
        return stacked(series)
    target = task.target if isinstance(task, Forecasting) else ""
    # Numbers without names are in units of the model's own, in which it does not answer.
    before = history[:, columns.get(target.casefold(), 0)] if table.names else np.zeros(0)
    forecasts = rows[0] if len(rows) == 1 else rows[:, 0]
    return chart(target or (table.names[0] if table.names else "forecast"), before, forecasts, HEIGHT)


def chart(name: str, before: np.ndarray, forecasts: np.ndarray, height: int) -> Image.Image:
    """Two lines over a common axis: what was, float (n,), n ≥ 0, and what is forecast, float (m,), m ≥ 1."""
    sheet = Image.new("RGB", (WIDTH, height), "white")
    pencil = ImageDraw.Draw(sheet)
    font = ImageFont.load_default(size=13)
    values = np.concatenate([before, forecasts])
    least, most = float(values.min()), float(values.max())

    def place(index: int, value: float) -> tuple[float, float]:
        x = LEFT + index * (WIDTH - LEFT - MARGIN) / max(len(values) - 1, 1)
        return x, height - MARGIN - (value - least) * (height - 2 * MARGIN - 20) / ((most - least) or 1.0)

    for value in (least, most):
        y = place(0, value)[1]
        pencil.line((LEFT, y, WIDTH - MARGIN, y), fill="#dddddd")
        pencil.text((LEFT - 6, y), f"{value:.4g}", fill="grey", font=font, anchor="rm")
    points = [place(index, float(value)) for index, value in enumerate(values)]
    pencil.line(points[: len(before)], fill=PALETTE[0], width=2)
    pencil.line(points[max(len(before) - 1, 0) :], fill=PALETTE[1], width=2)
    last = points[-1]
    pencil.ellipse((last[0] - 3, last[1] - 3, last[0] + 3, last[1] + 3), fill=PALETTE[1])
    pencil.text((LEFT, 4), name[:40], fill="black", font=font)
    said = (
        f"forecast, {len(forecasts)} step{'s' if len(forecasts) > 1 else ''}: {forecasts[-1]:.4g} at the end"
    )
    pencil.text((WIDTH - MARGIN, 4), said, fill=PALETTE[1], font=font, anchor="ra")
    return sheet
