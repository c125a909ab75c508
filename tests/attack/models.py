"""The models that are attacked: folders of a few lines, written where a test wants them."""

from __future__ import annotations

import io
from pathlib import Path

from PIL import Image
from target import Ask, multipart

CARD = """MODEL_META_DATA = {
        "id": "max-target", "name": "Target", "description": "Is attacked", "type": "Target",
        "source": "https://example.org", "license": "Apache-2.0",
    }"""

# Says how long a text is; label 2 is what a stranger's page must never run.
TEXT = f"""
import numpy as np
from maxfw.model import MAXModelWrapper, Probability
from maxfw.tasks.text_classification import TextClassification

class ModelWrapper(MAXModelWrapper):
    {CARD}
    task = TextClassification(labels=["long", "<script>alert(1)</script>"])
    max_batch_size = 16

    def _pre_process(self, text):
        return np.array([min(len(text), 1000) / 1000], dtype=np.float32)

    def _predict_batch(self, batch, *, factor: Probability = 1.0):
        long = np.stack(batch)[:, 0] * factor
        return np.stack([long, 1 - long], axis=1)
"""

PICTURE = f"""
import numpy as np
from maxfw.model import MAXModelWrapper, Probability
from maxfw.tasks.image_classification import ImageClassification

class ModelWrapper(MAXModelWrapper):
    {CARD}
    task = ImageClassification(labels=["red", "green", "blue"])

    def _pre_process(self, image):
        return np.asarray(image.resize((8, 8)), dtype=np.float32).mean(axis=(0, 1))

    def _predict(self, colour):
        return colour / (colour.sum() + 1e-6)

    def _post_process(self, shares, *, threshold: Probability = 0.0):
        return shares
"""

# A task of its own, so that it needs no audio model in the zoo.
SOUND = f"""
import io
import numpy as np
import soundfile
from maxfw.media import read_audio
from maxfw.model import MAXModelWrapper
from maxfw.tasks.base import Answer, FileField, Inputs, Task, Upload, required_file

class LoudnessAnswer(Answer, kw_only=True):
    loudness: float
    seconds: float

class Sound(Task):
    name, title, answer = "loudness", "Loudness", LoudnessAnswer
    files = (FileField("audio", "a clip", "clip.wav"),)

    def read(self, inputs, settings):
        return [read_audio(required_file(self.files[0], inputs).blob, settings=settings, rate=16_000)]

    def write(self, items, outcomes, labels):
        return LoudnessAnswer(loudness=outcomes[0], seconds=len(items[0]) / 16_000)

    def limits(self, settings):
        return {{"audio": {{"bytes": int(settings.max_audio_mb * 1e6), "seconds": settings.max_audio_s}}}}

    def body_limit(self, settings):
        return int(settings.max_audio_mb * 1e6) + 65536

    @classmethod
    def sample(cls):
        clip = io.BytesIO()
        soundfile.write(clip, np.sin(np.arange(1600) / 5) / 2, 16_000, format="WAV")
        return Inputs(files={{"audio": Upload(clip.getvalue())}})

    def inputs_of(self, argument):
        return Inputs()

class ModelWrapper(MAXModelWrapper):
    {CARD}
    task = Sound()

    def _predict(self, waveform):
        return float(np.abs(waveform).mean())
"""

# Does what a text tells it: what authors do by mistake.
FAULTY = f"""
import os, pathlib, sys, threading, time
import numpy as np
from maxfw.model import MAXModelWrapper
from maxfw.tasks.text_classification import TextClassification

class Strange(BaseException):
    pass

class ModelWrapper(MAXModelWrapper):
    {CARD}
    task = TextClassification(labels=["right", "wrong"])
    max_batch_size = 4

    def _pre_process(self, text):
        if text == "exit early":
            sys.exit(3)
        return text

    def _predict_batch(self, texts):
        with open(os.environ["RUNS_FILE"], "a") as runs:
            for text in texts:
                print(text, file=runs, flush=True)
        for text in texts:
            self.obey(text)
        if "too few" in texts:
            return [(0.5, 0.5)] * (len(texts) - 1)
        if "too many" in texts:
            return [(0.5, 0.5)] * (len(texts) + 1)
        return [self.outcome(text) for text in texts]

    def obey(self, text):
        kind, _, seconds = text.partition(" for ")
        if kind == "hang":
            time.sleep(float(seconds))
        elif kind == "spin":
            end = time.monotonic() + float(seconds)
            while time.monotonic() < end:
                pass
        elif kind == "raise":
            raise ValueError("the secret is 12345")
        elif kind == "raise strangely":
            raise Strange("the secret is 12345")
        elif kind == "interrupt":
            raise KeyboardInterrupt
        elif kind == "run out of memory":
            raise MemoryError
        elif kind == "exit":
            sys.exit(3)
        elif kind == "exit hard":
            os._exit(3)

    def outcome(self, text):
        return {{
            "NaN": (float("nan"), 0.5), "none": None, "unserialisable": {{"right": object()}},
            "text": "a text", "surrogate": {{"\\ud800": 0.5}}, "huge": (1e300, 1e300),
        }}.get(text, (0.25, 0.75))
"""


def write(folder: Path, source: str) -> Path:
    """A model folder with this `model.py`."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "model.py").write_text(source, encoding="utf-8")
    return folder


def text(content: str = "hello") -> Ask:
    """A normal request to a model that reads texts."""
    return Ask("/model/predict", b'{"text": ["%s"]}' % content.encode(), "application/json")


def encoded(image: Image.Image, format: str = "PNG", **options: object) -> bytes:
    """A picture as a file."""
    file = io.BytesIO()
    image.save(file, format, **options)
    return file.getvalue()


def picture() -> Ask:
    """A normal request to a model that looks at pictures."""
    png = encoded(Image.new("RGB", (64, 48), "red"))
    return Ask("/model/predict", multipart([("image", "red.png", png)]), "multipart/form-data; boundary=b")


def clip() -> Ask:
    """A normal request to a model that listens: a tenth of a second of a tone."""
    import numpy as np
    import soundfile

    file = io.BytesIO()
    soundfile.write(file, np.sin(np.arange(1600) / 5) / 2, 16_000, format="WAV")
    return Ask(
        "/model/predict", multipart([("audio", "a.wav", file.getvalue())]), "multipart/form-data; boundary=b"
    )
