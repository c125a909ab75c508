"""YAMNet's inner layer: a sound as vectors of 1,024 numbers, for search by likeness."""

import numpy as np

from maxfw.catalog import find, load_module
from maxfw.model import MAXModelWrapper
from maxfw.runtimes import LiteRTRuntime
from maxfw.tasks.audio import windows
from maxfw.tasks.audio_embedding import AudioEmbedding

classifier = load_module(find("audio_classifier"))  # it is the very file of that model

INNER = "tower0/network/layer28/reduce_mean"  # what the classes are told from; 8-bit integers
HOP = 15_360  # samples: the network hears 0.975 s, a row stands for 0.96 s


class ModelWrapper(MAXModelWrapper):
    """YAMNet without its last layer."""

    MODEL_META_DATA = {
        "id": "max-audio-embedding-generator",
        "name": "Audio Embedding Generator",
        "description": "YAMNet trained on AudioSet: each 0.96 s of a clip as 1,024 numbers, near to those of sounds alike.",
        "type": "Audio Embedding",
        "source": "https://github.com/tensorflow/tflite-support",
        "license": "Apache-2.0",
    }
    task = AudioEmbedding(rate=classifier.RATE)
    assets = classifier.ModelWrapper.assets

    def __init__(self, path=None):
        self.net = LiteRTRuntime(self.asset(classifier.NETWORK, path), inner=[INNER])

    def _pre_process(self, waveform):
        """Waveform, float32 (n,), −1…1, mono, 16 kHz → what the network hears at once, float32 (k, 15600)."""
        return windows(waveform, classifier.WINDOW, HOP)

    def _predict(self, heard):
        """float32 (k, 15600) → one row for each, float32 (k, 1024), 0 or more. The graph is fixed at one window."""
        rows = [self.net.run([window])[1].reshape(-1) for window in heard]
        return self.net.outputs[1].dequantise(np.stack(rows))
