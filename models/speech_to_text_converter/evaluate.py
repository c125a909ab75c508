"""How many words are wrong, on three sentences of LibriSpeech."""

import json
from pathlib import Path

from maxfw.assets import Asset, fetch
from maxfw.catalog import ModelFolder, load_model
from maxfw.predictor import Predictor
from maxfw.settings import load_settings
from maxfw.tasks.base import Inputs, Upload

FOLDER = Path(__file__).resolve().parent
CLIPS = FOLDER.parent / "audio_classifier" / "clips.json"
SAID = {
    "speech_2830-3980-0043.wav": "experience proves this",
    "speech_4507-16021-0012.wav": "why should one halt on the way",
    "speech_8455-210777-0068.wav": "your power is sufficient i said",
}
BAR = {"word error rate": 0.5}  # at most


def evaluate():
    """Substituted, missing and added words, as a share of those that were said; and what was understood."""
    predictor = Predictor(load_model(ModelFolder(FOLDER)), load_settings())
    heard, errors, words = {}, 0, 0
    try:
        for clip in json.loads(CLIPS.read_text(encoding="utf-8"))["clips"]:
            if clip["name"] in SAID:
                asset = Asset(clip["name"], clip["url"], clip["sha256"], licence=clip["licence"])
                upload = Upload(fetch(asset).read_bytes(), clip["name"])
                heard[clip["name"]] = predictor.answer(Inputs(files={"audio": upload})).prediction
                said = SAID[clip["name"]].split()
                errors += word_errors(said, heard[clip["name"]].split())
                words += len(said)
    finally:
        predictor.close()
    return {"word error rate": round(errors / words, 4), "words": words, "heard": heard, "bar": BAR}


def word_errors(said, heard):
    """The fewest words to substitute, remove or add that make one list of words the other (Levenshtein)."""
    costs = list(range(len(heard) + 1))
    for row, one in enumerate(said, start=1):
        diagonal, costs[0] = costs[0], row
        for column, other in enumerate(heard, start=1):
            diagonal, costs[column] = (
                costs[column],
                min(costs[column] + 1, costs[column - 1] + 1, diagonal + (one != other)),
            )
    return costs[-1]


if __name__ == "__main__":
    print(json.dumps(evaluate(), indent=2))
