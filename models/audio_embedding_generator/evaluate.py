"""Whether sounds of one kind lie nearer to each other than sounds of different kinds, on public clips."""

import json
from pathlib import Path

import numpy as np

from maxfw.assets import Asset, fetch
from maxfw.catalog import ModelFolder, load_model
from maxfw.media import read_audio
from maxfw.settings import load_settings

FOLDER = Path(__file__).resolve().parent
CLIPS = FOLDER.parent / "audio_classifier" / "clips.json"
DIVIDED_S = 4  # clips of this length or longer are two: their halves are of the same kind
BAR = {"the nearest is of the same kind": 0.9, "same kind minus different kinds": 0.2}


def evaluate():
    """How often the nearest clip is of the same kind, and how much nearer the same kind is, as a mean of cosines."""
    kinds, vectors = zip(*embedded(), strict=True)
    units = np.stack(vectors) / np.linalg.norm(vectors, axis=1, keepdims=True)
    cosines = units @ units.T
    same = np.equal.outer(kinds, kinds)
    pairs = np.triu(np.ones_like(same), k=1).astype(bool)
    np.fill_diagonal(same, False)
    nearest = np.argmax(np.where(np.eye(len(kinds), dtype=bool), -1, cosines), axis=1)
    has_one = same.any(axis=1)
    right = [kinds[near] == kind for kind, near, has in zip(kinds, nearest, has_one, strict=True) if has]
    alike, apart = cosines[same & pairs].mean(), cosines[~same & pairs].mean()
    return {
        "the nearest is of the same kind": round(float(np.mean(right)), 4),
        "cosine of the same kind": round(float(alike), 4),
        "cosine of different kinds": round(float(apart), 4),
        "same kind minus different kinds": round(float(alike - apart), 4),
        "clips and halves": len(kinds),
        "bar": BAR,
    }


def embedded():
    """`(kind, the mean of its rows)` of each clip, or half of one."""
    model, settings = load_model(ModelFolder(FOLDER)), load_settings()
    for clip in json.loads(CLIPS.read_text(encoding="utf-8"))["clips"]:
        asset = Asset(clip["name"], clip["url"], clip["sha256"], licence=clip["licence"])
        waveform = read_audio(fetch(asset).read_bytes(), settings=settings, rate=model.task.rate)
        # Somebody speaking is one kind; every other clip is a kind of its own.
        kind = "Speech" if clip["right"] == ["Speech"] else clip["name"]
        parts = np.array_split(waveform, 2) if len(waveform) >= DIVIDED_S * model.task.rate else [waveform]
        for part in parts:
            yield kind, model._predict(model._pre_process(part)).mean(axis=0)


if __name__ == "__main__":
    print(json.dumps(evaluate(), indent=2))
