"""How old every face in a photo looks, by the age network of face-api.js."""

from pathlib import Path

import numpy as np

from maxfw.assets import Asset
from maxfw.catalog import ModelFolder, find, load_module
from maxfw.model import MAXModelWrapper, Probability
from maxfw.runtimes import OnnxRuntime, PyTorchRuntime, TensorSpec
from maxfw.tasks.face_analysis import FaceAnalysis, faces

yunet = load_module(find("face_detector")).yunet
network = load_module(ModelFolder(Path(__file__).with_name("network.py")))

PINNED = (
    "https://raw.githubusercontent.com/justadudewhohacks/face-api.js/a86f011d72124e5fb93e59d5c4ab98f699dd5c9c"
)
MANIFEST = "age_gender_model-weights_manifest.json"
SHARD = "age_gender_model-shard1"
SIDE = 112  # pixels
MEAN = (122.782, 117.001, 104.298)  # of the photos it was trained on, RGB


class ModelWrapper(MAXModelWrapper):
    """YuNet finds the faces, a small Xception guesses the age of each."""

    MODEL_META_DATA = {
        "id": "max-facial-age-estimator",
        "name": "Facial Age Estimator",
        "description": "YuNet finds the faces, the age network of face-api.js guesses how old each looks. "
        "It is a guess about people, often years off, and not for decisions about them.",
        "type": "Face Analysis",
        "source": "https://github.com/justadudewhohacks/face-api.js",
        "license": "MIT",
    }
    task = FaceAnalysis()
    assets = [
        yunet.NETWORK,
        Asset(
            MANIFEST,
            url=f"{PINNED}/weights/{MANIFEST}",
            sha256="780ca481c12f6501c63e3551caa4df9bc4a05ffc5357060079b75badfd350d86",
            size=7_774,
        ),
        Asset(
            SHARD,
            url=f"{PINNED}/weights/{SHARD}",
            sha256="49f92bbc0afef2342c4385e4a2b0acb6d7a727c6f0aa539499719a81acf9abaa",
            size=429_708,
        ),
    ]
    max_batch_size = 4  # photos, for the detector; the faces of all of them are judged at once

    def __init__(self, path=None):
        self.detector = yunet.YuNet(OnnxRuntime(self.asset(yunet.NETWORK.name, path)))
        manifest, shard = self.asset(MANIFEST, path).read_text(), self.asset(SHARD, path).read_bytes()
        faces_in = [TensorSpec("faces", np.dtype(np.float32), (None, 3, SIDE, SIDE))]
        module = network.age_network(network.read_shard(manifest, shard))
        self.net = PyTorchRuntime(module, inputs=faces_in)

    def _pre_process(self, image):
        """PIL RGB image → what the detector sees of it, and the image itself for a closer look at the faces."""
        return self.detector.prepare(image), image

    def _predict_batch(self, batch, *, threshold: Probability = 0.8):
        """n prepared photos → n × (boxes, scores, landmarks, ages (k,)) of the faces surer than `threshold`."""
        return self.detector.look_closer(batch, threshold, cut, self.ages)

    def ages(self, pixels):
        """Faces, uint8 (k, 112, 112, 3), RGB → years, float32 (k,): the mean over each face and its mirror image."""
        both = np.concatenate([pixels, pixels[:, :, ::-1]])
        [years] = self.net.run([np.moveaxis((both - np.float32(MEAN)) / 256, 3, 1)])
        return years.reshape(2, -1).mean(axis=0)

    def _post_process(self, found, *, threshold: Probability = 0.8):
        """Keep the faces surer than `threshold`."""
        boxes, scores, landmarks, ages = found
        return faces(boxes, scores, threshold, landmarks=landmarks, ages=ages.ravel())


def cut(image, box, landmarks):
    """The square around a face, uint8 (112, 112, 3), RGB."""
    return np.asarray(yunet.cut_out(image, SIDE, *yunet.square(box, SIDE)))
