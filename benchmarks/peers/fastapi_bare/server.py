"""FastAPI as its tutorial shows it: a `def` endpoint, the model behind a lock, and nothing else.

    uvicorn server:app --workers 2 --no-access-log

A plain `def` is what FastAPI's documentation advises for code that blocks (https://fastapi.tiangolo.com/async/).
"""

from __future__ import annotations

import os
import threading
from typing import Annotated, Any

import work
from fastapi import FastAPI, File
from pydantic import BaseModel

app = FastAPI()
model = work.load()
lock = threading.Lock()  # the runtimes answer one caller at a time


class Texts(BaseModel):
    """The body of a request with a text."""

    text: list[str]


def answer(upload: Any) -> dict[str, Any]:
    """One input → the JSON that the client gets."""
    item = model.read(upload)
    with lock:
        [result] = model.run([item])
    return model.write(result)


if os.environ["BENCH_TASK"].startswith("image"):

    @app.post("/model/predict")
    def predict_image(image: Annotated[bytes, File()]) -> dict[str, Any]:
        """The five likeliest classes of a photo."""
        return answer(image)

else:

    @app.post("/model/predict")
    def predict_text(body: Texts) -> dict[str, Any]:
        """The probabilities of a text."""
        return answer(body.text[0])
