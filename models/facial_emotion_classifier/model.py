"""mini-Xception: which of seven expressions every face in a photo wears."""

import numpy as np

from maxfw.assets import Asset
from maxfw.catalog import find, load_module
from maxfw.model import MAXModelWrapper, Probability
from maxfw.runtimes import OnnxRuntime, TFKerasRuntime
from maxfw.tasks.face_analysis import FaceAnalysis, faces

yunet = load_module(find("face_detector")).yunet

NETWORK = "fer2013_mini_XCEPTION.102-0.66.hdf5"
SIDE = 64  # pixels
MARGIN = 1.25  # of the square around the face, in its boxes
# The names and ids that MAX Facial Emotion Classifier had, and the output of this network that each is.
EMOTIONS = {"neutral": 6, "happiness": 3, "surprise": 5, "sadness": 4, "anger": 0, "disgust": 1, "fear": 2}


class ModelWrapper(MAXModelWrapper):
    """YuNet finds the faces, mini-Xception judges the expression of each."""

    MODEL_META_DATA = {
        "id": "max-facial-emotion-classifier",
        "name": "Facial Emotion Classifier",
        "description": "YuNet finds the faces, mini-Xception guesses which of seven expressions each wears. "
        "It is a guess about people, often wrong, and not for decisions about them.",
        "type": "Face Analysis",
        "source": "https://github.com/oarriaga/face_classification",
        "license": "MIT",
    }
    task = FaceAnalysis(labels=list(EMOTIONS))
    assets = [
        yunet.NETWORK,
        Asset(
            NETWORK,
            url="https://raw.githubusercontent.com/oarriaga/face_classification"
            f"/b861d21b0e76ca5514cdeb5b56a689b7318584f4/trained_models/emotion_models/{NETWORK}",
            sha256="59534287fdfb125e30a94400296c25ea9f5d706fca93dd8adbbbed916799ea0e",
            size=872_856,
        ),
    ]
    max_batch_size = 4  # photos, for the detector; the faces of all of them are judged at once

    def __init__(self, path=None):
        self.detector = yunet.YuNet(OnnxRuntime(self.asset(yunet.NETWORK.name, path)))
        self.net = TFKerasRuntime(self.asset(NETWORK, path))

    def _pre_process(self, image):
        """PIL RGB image → what the detector sees of it, and the image itself for a closer look at the faces."""
        return self.detector.prepare(image), image

    def _predict_batch(self, batch, *, threshold: Probability = 0.8):
        """n prepared photos → n × (boxes, scores, landmarks, emotions (k, 7)) of the faces surer than `threshold`."""
        return self.detector.look_closer(batch, threshold, cut, self.emotions)

    def emotions(self, pixels):
        """Faces, uint8 (k, 64, 64), grey → probabilities, float32 (k, 7), in the order of `EMOTIONS`."""
        [probabilities] = self.net.run([pixels[..., None].astype(np.float32) / 127.5 - 1])
        return probabilities[:, list(EMOTIONS.values())]

    def _post_process(self, found, *, threshold: Probability = 0.8):
        """Keep the faces surer than `threshold`."""
        boxes, scores, landmarks, emotions = found
        return faces(boxes, scores, threshold, landmarks=landmarks, emotions=emotions, labels=self.labels)


def cut(image, box, landmarks):
    """A face with level eyes and something around it, uint8 (64, 64), grey."""
    turned = yunet.square(box, SIDE, margin=MARGIN, level_eyes=landmarks)
    return np.asarray(yunet.cut_out(image, SIDE, *turned).convert("L"), dtype=np.uint8)
