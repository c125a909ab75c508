"""Whether sounds of one kind lie nearer to each other than sounds of different kinds, on public clips."""

from pathlib import Path

import numpy as np

from maxfw.catalog import ModelFolder, find, load_module
from maxfw.quality import Measured, measure

FOLDER = Path(__file__).resolve().parent
clips = load_module(ModelFolder(find("audio_classifier").path / "clips.py"))
DIVIDED_S = 4  # clips of this length or longer are two: their halves are of the same kind


def evaluate(model):
    """How often the nearest clip is of the same kind, and how much nearer the same kind is, as a mean of cosines."""
    kinds, vectors = zip(*embedded(model), strict=True)
    units = np.stack(vectors) / np.linalg.norm(vectors, axis=1, keepdims=True)
    cosines = units @ units.T
    same = np.equal.outer(kinds, kinds)
    pairs = np.triu(np.ones_like(same), k=1).astype(bool)
    np.fill_diagonal(same, False)
    nearest = np.argmax(np.where(np.eye(len(kinds), dtype=bool), -1, cosines), axis=1)
    right = [
        kinds[near] == kind for kind, near, has in zip(kinds, nearest, same.any(axis=1), strict=True) if has
    ]
    where = f"{len(kinds)} public clips and halves of them"
    closer = cosines[same & pairs].mean() - cosines[~same & pairs].mean()
    return [
        Measured("nearest is of the same kind", where, float(np.mean(right)), bar=0.9),
        Measured("mean cosine, same kind minus different kinds", where, float(closer), bar=0.2),
    ]


def embedded(model):
    """`(kind, the mean of its rows)` of each clip, or half of one."""
    for clip in clips.clips().values():
        waveform = clip.waveform(model.task.rate)
        # Somebody speaking is one kind; every other clip is a kind of its own.
        kind = "Speech" if clip.right == ["Speech"] else clip.name
        parts = np.array_split(waveform, 2) if len(waveform) >= DIVIDED_S * model.task.rate else [waveform]
        for part in parts:
            yield kind, model._predict(model._pre_process(part)).mean(axis=0)


if __name__ == "__main__":
    print(*measure(ModelFolder(FOLDER)), sep="\n")
