"""How often YAMNet names what is in a clip among its three best, on 23 public clips."""

from pathlib import Path

from maxfw.catalog import ModelFolder, load_module
from maxfw.quality import Measured, measure

FOLDER = Path(__file__).resolve().parent
clips = load_module(ModelFolder(FOLDER / "clips.py"))


def evaluate(model):
    """The clips that are named rightly in the first place, and in the first three."""
    heard = clips.clips().values()
    found = [(three_best(model, clip), set(clip.right)) for clip in heard]
    first = sum(labels[0] in right for labels, right in found)
    third = sum(not right.isdisjoint(labels) for labels, right in found)
    where = f"{len(found)} public clips"
    return [
        Measured("clips right in the top 3", where, third, bar=20),
        Measured("clips right in the top 1", where, first, bar=15),
    ]


def three_best(model, clip):
    """The names of the three labels that fit a clip best."""
    scores = model._predict(model._pre_process(clip.waveform()))
    return [one.label for one in model._post_process(scores)[:3]]


if __name__ == "__main__":
    print(*measure(ModelFolder(FOLDER)), sep="\n")
