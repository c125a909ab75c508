"""Plain Flask, the model behind a lock; also the program that granian serves.

    gunicorn server:app --workers 2 --worker-class gthread --threads 16

Threads beside the worker processes are what gunicorn's documentation advises for clients that keep connections
(https://docs.gunicorn.org/en/stable/design.html).
"""

from __future__ import annotations

import os
import threading
from typing import Any

import work
from flask import Flask, request

app = Flask(__name__)
model = work.load()
lock = threading.Lock()
IMAGES = os.environ["BENCH_TASK"].startswith("image")


@app.post("/model/predict")
def predict() -> dict[str, Any]:
    """One photo or text → the JSON that the client gets."""
    upload = request.files["image"].read() if IMAGES else request.get_json()["text"][0]
    item = model.read(upload)
    with lock:
        [result] = model.run([item])
    return model.write(result)
