"""How often YAMNet names what is in a clip among its three best, on 23 public clips."""

import json
from pathlib import Path

from maxfw.assets import Asset, fetch
from maxfw.catalog import ModelFolder, load_model
from maxfw.predictor import Predictor
from maxfw.settings import load_settings
from maxfw.tasks.base import Inputs, Upload

FOLDER = Path(__file__).resolve().parent
BAR = {"right in the top 3": 20}


def clips():
    """`(name, bytes, the names of labels that are right)` of each clip.

    Nine of them are cut from longer recordings, so only a mirror has them: their addresses are those of the originals.
    """
    for clip in json.loads((FOLDER / "clips.json").read_text(encoding="utf-8"))["clips"]:
        asset = Asset(clip["name"], clip["url"], clip["sha256"], licence=clip["licence"])
        yield clip["name"], fetch(asset).read_bytes(), set(clip["right"])


def evaluate():
    """Right answers in the first place and in the first three, the number of clips, and the bar."""
    predictor = Predictor(load_model(ModelFolder(FOLDER)), load_settings())
    first = third = count = 0
    try:
        for name, blob, right in clips():
            answer = predictor.answer(Inputs(files={"audio": Upload(blob, name)}))
            found = [one.label for one in answer.predictions[:3]]
            first += found[0] in right
            third += bool(right & set(found))
            count += 1
    finally:
        predictor.close()
    return {"right in the top 1": first, "right in the top 3": third, "clips": count, "bar": BAR}


if __name__ == "__main__":
    print(json.dumps(evaluate(), indent=2))
