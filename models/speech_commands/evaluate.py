"""Whether the sample words are recognised: two command words, silence, and three words that it does not know."""

import json
from pathlib import Path

from maxfw.assets import Asset, fetch
from maxfw.catalog import ModelFolder, load_model
from maxfw.predictor import Predictor
from maxfw.settings import load_settings
from maxfw.tasks.base import Inputs, Upload

FOLDER = Path(__file__).resolve().parent
CLIPS = FOLDER.parent / "audio_classifier" / "clips.json"
WANTED = {
    "word_yes.wav": "yes",
    "word_no.wav": "no",
    "silence.wav": "_silence_",
    "digit_3_jackson.wav": "_unknown_",
    "digit_7_theo.wav": "_unknown_",
    "digit_9_nicolas.wav": "_unknown_",
}
BAR = {"command words and silence right": 3}


def evaluate():
    """How many of the clips are answered rightly, and what is said of each."""
    found = dict(answers())
    right = {name: found[name] == label for name, label in WANTED.items()}
    commands = [name for name, label in WANTED.items() if label != "_unknown_"]
    return {
        "command words and silence right": sum(right[name] for name in commands),
        "other words right": sum(right.values()) - sum(right[name] for name in commands),
        "answers": found,
        "bar": BAR,
    }


def answers():
    """`(name, the likeliest label)` of each clip."""
    predictor = Predictor(load_model(ModelFolder(FOLDER)), load_settings())
    try:
        for clip in json.loads(CLIPS.read_text(encoding="utf-8"))["clips"]:
            if clip["name"] in WANTED:
                asset = Asset(clip["name"], clip["url"], clip["sha256"], licence=clip["licence"])
                upload = Upload(fetch(asset).read_bytes(), clip["name"])
                yield clip["name"], predictor.answer(Inputs(files={"audio": upload})).predictions[0].label
    finally:
        predictor.close()


if __name__ == "__main__":
    print(json.dumps(evaluate(), indent=2))
