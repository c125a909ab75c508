"""YAMNet: what can be heard in a sound, out of 521 kinds."""

import functools
import zipfile
from typing import Annotated

import numpy as np
from msgspec import Meta

from maxfw.assets import Asset
from maxfw.model import MAXModelWrapper
from maxfw.model.model import folder_of
from maxfw.runtimes import LiteRTRuntime
from maxfw.tasks.audio import StartTime, from_second, windows
from maxfw.tasks.audio_classification import AudioClassification, Filter, kept
from maxfw.tasks.base import Label

NETWORK = "yamnet_audio_classifier_with_metadata.tflite"
NAMES = "yamnet_label_list.txt"  # in a zip that is appended to the network
IDS = "audioset_ids.txt"
RATE = 16_000
WINDOW, HOP = 15_600, 7_800  # samples: what the network hears at once, and how far it moves

Seconds = Annotated[float, Meta(gt=0)]
Duration = Annotated[Seconds | None, Meta(description="seconds to listen to; all that is left unless given")]


class ModelWrapper(MAXModelWrapper):
    """YAMNet over the whole clip, window by window; the answer is the mean of the windows."""

    MODEL_META_DATA = {
        "id": "max-audio-classifier",
        "name": "Audio Classifier",
        "description": "YAMNet trained on AudioSet: which of 521 kinds of sounds a clip holds, several at once.",
        "type": "Audio Classification",
        "source": "https://github.com/tensorflow/tflite-support",
        "license": "Apache-2.0",
    }
    task = AudioClassification(rate=RATE)
    assets = [
        Asset(
            NETWORK,
            url="https://raw.githubusercontent.com/tensorflow/tflite-support/dd3362ea685bb7ab1f7268c81ec567d3b720ae57"
            f"/tensorflow_lite_support/cc/test/testdata/task/audio/{NETWORK}",
            sha256="10c95ea3eb9a7bb4cb8bddf6feb023250381008177ac162ce169694d05c317de",
            size=4_126_810,
        )
    ]

    def __init__(self, path=None):
        self.file = self.asset(NETWORK, path)
        self.net = LiteRTRuntime(self.file)

    @functools.cached_property
    def labels(self):
        """The 521 kinds, in the order of the network's output; their ids are those of AudioSet."""
        with zipfile.ZipFile(self.file) as archive:
            names = archive.read(NAMES).decode().splitlines()
        ids = (folder_of(type(self)) / IDS).read_text(encoding="utf-8").split()
        return tuple(Label(*pair) for pair in zip(ids, names, strict=True))

    def _pre_process(self, waveform, *, start_time: StartTime = 0.0, duration: Duration = None):
        """Waveform, float32 (n,), −1…1, mono, 16 kHz → what the network hears at once, float32 (k, 15600)."""
        heard = from_second(waveform, start_time, RATE)
        if duration is not None:
            heard = heard[: max(int(duration * RATE), 1)]
        return windows(heard, WINDOW, HOP)

    def _predict(self, heard):
        """float32 (k, 15600) → how surely each kind is in the clip, float32 (521,). The graph is fixed at one window."""
        return np.mean([self.net.run([window])[0][0] for window in heard], axis=0)

    def _post_process(self, scores, *, filter: Filter = ""):
        """float32 (521,) → the best five, of the labels that are asked for."""
        return kept(scores, self.labels, filter)
