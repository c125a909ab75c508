"""The 23 public clips that the models of sound are tried with, and what can be heard in them: `clips.json`.

Nine of them are cut from longer recordings, so only a mirror has them: their addresses are those of the originals.
"""

import json
from pathlib import Path
from typing import NamedTuple

from maxfw.assets import Asset, fetch
from maxfw.media import read_audio
from maxfw.settings import load_settings


class Clip(NamedTuple):
    """A clip, and the labels of the audio classifier that are right for it."""

    name: str
    asset: Asset
    right: list

    def content(self):
        """The bytes of the file."""
        return fetch(self.asset).read_bytes()

    def waveform(self, rate=16_000):
        """float32 (n,), −1…1, mono."""
        return read_audio(self.content(), settings=load_settings(), rate=rate)


def clips():
    """All of them, by name."""
    listed = json.loads(Path(__file__).with_suffix(".json").read_text(encoding="utf-8"))["clips"]
    return {
        one["name"]: Clip(
            one["name"], Asset(one["name"], one["url"], one["sha256"], licence=one["licence"]), one["right"]
        )
        for one in listed
    }
