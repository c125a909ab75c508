"""The way of the original framework: flask-restx with its parser and marshaller, on Flask's development server.

    python server.py

Written anew after how model repositories of 2018 to 2021 were made; that server has one process, whatever is asked.
"""

from __future__ import annotations

import os
import threading
from typing import Any

import work
from flask import Flask
from flask_restx import Api, Namespace, Resource, fields
from werkzeug.datastructures import FileStorage

IMAGES = os.environ["BENCH_TASK"].startswith("image")
model = work.load()
lock = threading.Lock()
api = Namespace("model", description="Model information and inference operations")

if IMAGES:
    parser = api.parser()
    parser.add_argument("image", type=FileStorage, location="files", required=True)
    prediction = api.model(
        "Prediction",
        {"label_id": fields.String, "label": fields.String(required=True), "probability": fields.Float},
    )
    predictions: Any = fields.List(fields.Nested(prediction))
else:
    parser = api.parser()
    parser.add_argument("text", type=list, location="json", required=True)
    scores = api.model("Scores", {"positive": fields.Float(required=True), "negative": fields.Float})
    predictions = fields.List(fields.List(fields.Nested(scores)))
response = api.model("Response", {"status": fields.String(required=True), "predictions": predictions})


@api.route("/predict")
class Predict(Resource):
    """Answers for one photo or text."""

    @api.doc("predict")
    @api.expect(parser)
    @api.marshal_with(response)
    def post(self) -> dict[str, Any]:
        """Make a prediction given input data."""
        arguments = parser.parse_args()
        item = model.read(arguments["image"].read() if IMAGES else arguments["text"][0])
        with lock:
            [result] = model.run([item])
        return model.write(result)


def main() -> None:
    """Serve as `app.py` did."""
    app = Flask(__name__)
    Api(app, title="Model Asset Exchange").add_namespace(api)
    app.run(host="127.0.0.1", port=int(os.environ["BENCH_PORT"]))


if __name__ == "__main__":
    main()
