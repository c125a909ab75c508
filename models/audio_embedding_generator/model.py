"""YAMNet's inner layer: a sound as vectors of 1,024 numbers, for search by likeness."""

import numpy as np

from maxfw.assets import Asset
from maxfw.model import MAXModelWrapper
from maxfw.runtimes import LiteRTRuntime
from maxfw.tasks.audio import windows
from maxfw.tasks.audio_embedding import AudioEmbedding

NETWORK = "yamnet_audio_classifier_with_metadata.tflite"
INNER = "tower0/network/layer28/reduce_mean"  # what the classes are told from; 8-bit integers
RATE = 16_000
WINDOW, HOP = 15_600, 15_360  # samples: the network hears 0.975 s, a row stands for 0.96 s


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
    task = AudioEmbedding(rate=RATE)
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
        self.net = LiteRTRuntime(self.asset(NETWORK, path), inner=[INNER])

    def _pre_process(self, waveform):
        """Waveform, float32 (n,), −1…1, mono, 16 kHz → what the network hears at once, float32 (k, 15600)."""
        return windows(waveform, WINDOW, HOP)

    def _predict(self, heard):
        """float32 (k, 15600) → one row for each, float32 (k, 1024), 0 or more. The graph is fixed at one window."""
        rows = [self.net.run([window])[1].reshape(-1) for window in heard]
        return self.net.outputs[1].dequantise(np.stack(rows))
