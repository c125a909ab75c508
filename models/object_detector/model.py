"""SSD MobileNet: finds everyday objects in a photo."""

import numpy as np

from maxfw.assets import Asset
from maxfw.media import resized
from maxfw.model import MAXModelWrapper, Probability
from maxfw.runtimes import LiteRTRuntime
from maxfw.tasks.object_detection import ObjectDetection, detections

PINNED = (
    "https://raw.githubusercontent.com/tensorflow/tflite-support/dd3362ea685bb7ab1f7268c81ec567d3b720ae57"
    "/tensorflow_lite_support"
)
NETWORK = "coco_ssd_mobilenet_v1_1.0_quant_2018_06_29.tflite"
SIDE = 300  # pixels


class ModelWrapper(MAXModelWrapper):
    """SSD MobileNet v1: at most ten objects of 80 kinds."""

    MODEL_META_DATA = {
        "id": "max-object-detector",
        "name": "Object Detector",
        "description": "SSD MobileNet v1 trained on COCO: finds up to ten objects of 80 everyday kinds in a photo.",
        "type": "Object Detection",
        "source": "https://github.com/tensorflow/tflite-support",
        "license": "Apache-2.0",
    }
    # Ids are those of COCO, which start at 1; ten of its 90 categories were never used and are `???` in the file.
    task = ObjectDetection(labels="labelmap.txt", first_label_id=1, decode_at=(2 * SIDE, 2 * SIDE))
    assets = [
        Asset(
            NETWORK,
            url=f"{PINNED}/cc/test/testdata/task/vision/{NETWORK}",
            sha256="61d598093ed03ed41aa47c3a39a28ac01e960d6a810a5419b9a5016a1e9c469b",
            size=4_185_023,
        ),
        Asset(
            "labelmap.txt",
            url=f"{PINNED}/metadata/python/tests/testdata/object_detector/labelmap.txt",
            sha256="f8803ef7900160c629d570848dfda4175e21667bf7b71f73f8ece4938c9f2bf2",
            size=661,
        ),
    ]

    def __init__(self, path=None):
        self.net = LiteRTRuntime(self.asset(NETWORK, path))

    def _pre_process(self, image):
        """PIL RGB image → the whole of it, stretched, uint8 (300, 300, 3), RGB."""
        return np.asarray(resized(image, (SIDE, SIDE)))

    def _predict(self, pixels):
        """uint8 (300, 300, 3) → boxes (10, 4), classes (10,), scores (10,).

        Boxes are ymin, xmin, ymax, xmax in 0…1, classes are lines of the label file. The graph is fixed at one image.
        """
        boxes, classes, scores, count = self.net.run([pixels[None]])
        found = int(count[0])
        return boxes[0, :found], classes[0, :found], scores[0, :found]

    def _post_process(self, found, *, threshold: Probability = 0.7):
        """Keep the objects surer than `threshold`."""
        boxes, classes, scores = found
        return detections(self.labels, boxes, classes, scores, threshold)
