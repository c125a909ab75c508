"""DS-CNN: which of ten English command words is said."""

from pathlib import Path

import numpy as np

from maxfw.catalog import ModelFolder, load_module
from maxfw.model import MAXModelWrapper
from maxfw.runtimes import LiteRTRuntime
from maxfw.tasks.audio import windows
from maxfw.tasks.keyword_spotting import KeywordSpotting

features = load_module(ModelFolder(Path(__file__).with_name("features.py")))

NETWORK = "ds_cnn_l.tflite"  # made by convert.py beside this file
HOP = 3_200  # samples: five moments a second
ROWS = 64  # seconds in one call of the network, so that a long clip needs no more memory
MOMENTS = 3  # that are averaged: a word lasts longer than one
LABELS = ["_silence_", "_unknown_", "yes", "no", "up", "down", "left", "right", "on", "off", "stop", "go"]
FIRST_WORD = 2


class ModelWrapper(MAXModelWrapper):
    """DS-CNN, large: it hears one second at a time; of a longer clip, the second that is most like a word counts."""

    MODEL_META_DATA = {
        "id": "max-speech-commands",
        "name": "Speech Commands",
        "description": "DS-CNN hears which of ten English words is said: yes, no, up, down, left, right, on, off, stop, go; "
        "or that it is silent, or another word.",
        "type": "Keyword Spotting",
        "source": "https://github.com/ARM-software/ML-KWS-for-MCU",
        "license": "Apache-2.0",
    }
    task = KeywordSpotting(labels=LABELS, rate=features.RATE)

    def __init__(self, path=None):
        self.net = LiteRTRuntime(self.asset(NETWORK, path))

    def _pre_process(self, waveform):
        """Waveform, float32 (n,), −1…1, mono, 16 kHz → cepstral coefficients of k seconds, float32 (k, 49, 10, 1)."""
        seconds = windows(waveform, features.SECOND, HOP)
        return np.stack([features.mfcc(second) for second in seconds])[..., None]

    def _predict(self, seconds):
        """float32 (k, 49, 10, 1) → the probabilities of the labels in each second, float32 (k, 12)."""
        parts = [self.net.run([seconds[at : at + ROWS]])[0] for at in range(0, len(seconds), ROWS)]
        return np.concatenate(parts)

    def _post_process(self, probabilities):
        """float32 (k, 12) → those of the moment that is most like a word, float32 (12,)."""
        averaged = np.lib.stride_tricks.sliding_window_view(
            probabilities, min(MOMENTS, len(probabilities)), axis=0
        ).mean(axis=-1)
        return averaged[averaged[:, FIRST_WORD:].max(axis=1).argmax()]
