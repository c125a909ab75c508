"""Convert the network of DS-CNN to LiteRT: `DS_CNN_L.pb` → `ds_cnn_l.tflite`. Needs TensorFlow; serving does not.

    python models/speech_commands/convert.py

The frozen graph of TensorFlow 1 begins with operations for sound (DecodeWav, AudioSpectrogram, Mfcc) that LiteRT does
not have. What follows them is converted as it is, without quantisation and for any number of windows at once;
`features.py` computes in numpy what they did. At the end both are compared with the original graph, on one second of
noise and tones, and nothing is written unless they agree.
"""

import struct
from pathlib import Path

import features
import numpy as np
import tensorflow as tf
from ai_edge_litert.interpreter import Interpreter

from maxfw.assets import Asset, fetch

FOLDER = Path(__file__).resolve().parent
CONVERTED = FOLDER / "ds_cnn_l.tflite"
ORIGINAL = Asset(
    "DS_CNN_L.pb",
    url="https://raw.githubusercontent.com/ARM-software/ML-KWS-for-MCU/8151349b110f4d1c194c085fcc5b3535bdf7ce4a"
    "/Pretrained_models/DS_CNN/DS_CNN_L.pb",
    sha256="5ce74910d01499fba051a6acffd6502364584b6e1e14c165acd03d8e6f7a3523",
    licence="Apache-2.0",
)
ALLOWED = 1e-4  # how far two probabilities may be apart


def main():
    """Convert, compare, write."""
    graph = tf.compat.v1.GraphDef()
    graph.ParseFromString(fetch(ORIGINAL).read_bytes())
    whole = tf.compat.v1.wrap_function(lambda: tf.compat.v1.import_graph_def(graph, name=""), [])
    converted = convert(whole)
    farthest = compare(whole, converted)
    print(f"on {len(tests())} clips the probabilities differ by at most {farthest:.1e}")
    if farthest > ALLOWED:
        raise SystemExit(f"more than {ALLOWED:g}: nothing was written")
    CONVERTED.write_bytes(converted)
    print(f"{CONVERTED}: {len(converted)} bytes")


def convert(whole):
    """The graph → the bytes of a LiteRT file: float32 (n, 49, 10, 1) → float32 (n, 12)."""
    network = whole.prune("Reshape_1:0", "labels_softmax:0")

    @tf.function(input_signature=[tf.TensorSpec((None, 49, 10, 1), tf.float32, name="mfcc")])
    def words(mfcc):
        return tf.reshape(network(mfcc), (-1, 12))

    return tf.lite.TFLiteConverter.from_concrete_functions([words.get_concrete_function()]).convert()


def compare(whole, converted):
    """The largest difference between the probabilities of the original graph, from a WAV, and ours."""
    original = whole.prune("wav_data:0", "labels_softmax:0")
    ours = Interpreter(model_content=converted)
    ours.allocate_tensors()
    [given], [answered] = ours.get_input_details(), ours.get_output_details()
    farthest = 0.0
    for clip in tests():
        pcm = (clip * 32767).astype("<i2")
        header = struct.pack(
            "<4sI4s4sIHHIIHH4sI",
            b"RIFF",
            36 + 2 * len(pcm),
            b"WAVE",
            b"fmt ",
            16,
            1,
            1,
            16_000,
            32_000,
            2,
            16,
            b"data",
            2 * len(pcm),
        )
        wanted = original(tf.constant(header + pcm.tobytes())).numpy()[0]
        heard = (pcm / 32768).astype(np.float32)
        ours.set_tensor(given["index"], features.mfcc(heard)[None, :, :, None])
        ours.invoke()
        farthest = max(farthest, float(np.abs(ours.get_tensor(answered["index"])[0] - wanted).max()))
    return farthest


def tests():
    """Silence, noise at three volumes, and tones at eight, each one second, float (16000,), −1…1."""
    noise = np.random.default_rng(1).normal(size=16_000).clip(-3, 3) / 3
    seconds = np.arange(16_000) / 16_000
    tones = [np.sin(2 * np.pi * hertz * seconds) * seconds for hertz in range(200, 1_800, 200)]
    return [np.zeros(16_000), noise, noise * 0.1, noise * 0.001, *tones]


if __name__ == "__main__":
    main()
