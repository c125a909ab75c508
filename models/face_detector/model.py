"""YuNet: finds faces in a photo, small and large, and five points of each."""

from pathlib import Path

from maxfw.catalog import ModelFolder, load_module
from maxfw.model import MAXModelWrapper, Probability
from maxfw.runtimes import OnnxRuntime
from maxfw.tasks.face_analysis import FaceAnalysis, faces

# The detector in a file of its own, which the models that look closer at each face read as well.
yunet = load_module(ModelFolder(Path(__file__).with_name("yunet.py")))


class ModelWrapper(MAXModelWrapper):
    """YuNet: up to three hundred faces."""

    MODEL_META_DATA = {
        "id": "max-face-detector",
        "name": "Face Detector",
        "description": "YuNet: finds the faces in a photo, and the eyes, the nose and the corners of the mouth of each.",
        "type": "Face Analysis",
        "source": "https://github.com/ShiqiYu/libfacedetection.train",
        "license": "Apache-2.0",
    }
    task = FaceAnalysis()
    assets = [yunet.NETWORK]
    max_batch_size = 4  # more gains nothing, and four photos of full size already take 400 MB

    def __init__(self, path=None):
        self.detector = yunet.YuNet(OnnxRuntime(self.asset(yunet.NETWORK.name, path)))

    def _pre_process(self, image):
        """PIL RGB image → the views of it that the network sees, and its size."""
        return self.detector.prepare(image)

    def _predict_batch(self, batch):
        """n prepared pictures → n × what was seen in the cells of the network's grids."""
        return self.detector.look(batch)

    def _post_process(self, seen, *, threshold: Probability = 0.7):
        """Keep the faces surer than `threshold`."""
        boxes, scores, landmarks = self.detector.find(seen, threshold)
        return faces(boxes, scores, threshold, landmarks=landmarks)
