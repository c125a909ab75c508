"""MobileFaceNet: 128 numbers for every face, alike for photos of the same person."""

import numpy as np

from maxfw.assets import Asset
from maxfw.catalog import find, load_module
from maxfw.model import MAXModelWrapper, Probability
from maxfw.runtimes import OnnxRuntime
from maxfw.tasks.face_analysis import FaceAnalysis, faces

yunet = load_module(find("face_detector")).yunet

NETWORK = "MobileFaceNet.onnx"
SIDE = 112  # pixels
# Where the network was trained to see the landmarks: y, x in pixels.
PLACES = np.array([(51.70, 38.29), (51.50, 73.53), (71.74, 56.03), (92.37, 41.55), (92.20, 70.73)])
# Of ImageNet's photos, in RGB of 0…1, which the network wants removed.
MEAN = np.array([0.485, 0.456, 0.406], dtype=np.float32)
DEVIATION = np.array([0.229, 0.224, 0.225], dtype=np.float32)


class ModelWrapper(MAXModelWrapper):
    """YuNet finds the faces, MobileFaceNet describes each."""

    MODEL_META_DATA = {
        "id": "max-facial-recognizer",
        "name": "Facial Recognizer",
        "description": "YuNet finds the faces, MobileFaceNet gives each an embedding of 128 numbers to compare people by. "
        "It was trained on MS-Celeb-1M, a withdrawn collection for research: ask the people and a lawyer first.",
        "type": "Face Analysis",
        "source": "https://github.com/foamliu/MobileFaceNet",
        "license": "Apache-2.0",
    }
    task = FaceAnalysis()
    assets = [
        yunet.NETWORK,
        Asset(
            NETWORK,
            url="https://raw.githubusercontent.com/foamliu/MobileFaceNet"
            "/a6cc9032a659b615f477833e1a70b5e7931bcccc/weights/MobileFaceNet.onnx",
            sha256="b7120c095d60094f28a4a54ba6a8bf51b297a6273fb40ef6350dfec1f63d9507",
            size=3_998_070,
        ),
    ]
    max_batch_size = 4  # photos, for the detector; the recogniser's graph is fixed at one face

    def __init__(self, path=None):
        self.detector = yunet.YuNet(OnnxRuntime(self.asset(yunet.NETWORK.name, path)))
        self.net = OnnxRuntime(self.asset(NETWORK, path))

    def _pre_process(self, image):
        """PIL RGB image → what the detector sees of it, and the image itself for a closer look at the faces."""
        return self.detector.prepare(image), image

    def _predict_batch(self, batch, *, threshold: Probability = 0.8):
        """n prepared photos → n × (boxes, scores, landmarks, embeddings (k, 128)) of the faces surer than `threshold`."""
        return self.detector.look_closer(batch, threshold, cut, self.embeddings)

    def embeddings(self, pixels):
        """Faces, uint8 (k, 112, 112, 3), RGB → float32 (k, 128), each of length 1."""
        normal = (pixels.astype(np.float32) / 255 - MEAN) / DEVIATION
        raw = np.concatenate([self.net.run([face[None]])[0] for face in np.moveaxis(normal, 3, 1)])
        return raw / np.linalg.norm(raw, axis=1, keepdims=True)

    def _post_process(self, found, *, threshold: Probability = 0.8):
        """Keep the faces surer than `threshold`."""
        boxes, scores, landmarks, embeddings = found
        return faces(boxes, scores, threshold, landmarks=landmarks, embeddings=embeddings)


def cut(image, box, landmarks):
    """A face with its eyes, nose and mouth at the network's places, uint8 (112, 112, 3), RGB."""
    return np.asarray(yunet.cut_out(image, SIDE, *yunet.aligned(landmarks, PLACES)))
