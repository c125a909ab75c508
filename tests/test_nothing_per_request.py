"""What is imported, compiled or opened is so at the start, and not for each request."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

PROGRAM = """
import sys
from maxfw.predictor import Caller
from maxfw.settings import load_settings
from maxfw.web.app import create_app
from maxfw.web.predict import Predict
from maxfw.web.reading import Received
sys.path.insert(0, {tests!r})
from conftest import Colours, Loudness

seen, listening = [], []
sys.addaudithook(lambda event, _: seen.append(event) if listening and event in {events} else None)

for model, received in {requests}:
    app = create_app(model(), load_settings({{}}))
    line, client = Predict(app.extensions["maxfw"]), app.test_client()
    headers = {{"Content-Type": received.content_type}}
    for turn in range(5):
        if turn == 3:
            listening.append(True)
        line.end(*line.begin(received, Caller(60)), "")
        assert client.post("/model/predict", data=received.body, headers=headers).status_code == 200
    listening.clear()
    app.extensions["maxfw"].close()
print(seen)
"""

REQUESTS = """[
    (Loudness, Received("application/json", b'{"text": ["HELLO", "you"], "factor": 0.5}')),
    (Colours, Received(
        "multipart/form-data; boundary=b",
        b'--b\\r\\nContent-Disposition: form-data; name="image"; filename="a.png"\\r\\n\\r\\n'
        + Colours.task.sample().files["image"].blob
        + b"\\r\\n--b--\\r\\n",
    )),
]"""


def test_a_request_imports_compiles_and_opens_nothing() -> None:
    events = {"import", "compile", "open", "exec", "subprocess.Popen", "socket.connect"}
    program = PROGRAM.format(tests=str(Path(__file__).parent), events=events, requests=REQUESTS)
    ran = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)

    assert ran.returncode == 0, ran.stderr
    assert ran.stdout.strip() == "[]"
