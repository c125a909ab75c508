"""FastestDet: finds everyday objects in a photo with a network of one megabyte."""

import numpy as np

from maxfw.assets import Asset
from maxfw.catalog import find, load_module
from maxfw.media import resized
from maxfw.model import MAXModelWrapper, Probability
from maxfw.runtimes import OnnxRuntime
from maxfw.tasks.object_detection import ObjectDetection, detections, non_maximum_suppression

NETWORK = "FastestDet.onnx"
SIDE = 352  # pixels
GRID = 22  # cells in a row
MOST_OVERLAP = 0.45  # of two boxes for different things of one kind

SSD = load_module(find("object_detector")).ModelWrapper  # the same 80 kinds, with the same ids


class ModelWrapper(MAXModelWrapper):
    """FastestDet: up to a hundred objects of 80 kinds."""

    MODEL_META_DATA = {
        "id": "max-object-detector-fastest",
        "name": "Object Detector (FastestDet)",
        "description": "FastestDet trained on COCO: finds objects of 80 everyday kinds with a network of one megabyte.",
        "type": "Object Detection",
        "source": "https://github.com/dog-qiuqiu/FastestDet",
        "license": "BSD-3-Clause",
    }
    task = ObjectDetection(labels=SSD.task.labels, first_label_id=1, decode_at=(2 * SIDE, 2 * SIDE))
    assets = [
        Asset(
            NETWORK,
            url="https://raw.githubusercontent.com/dog-qiuqiu/FastestDet"
            "/50473cd155cb088aa4a99e64ff6a4b3c24fa07e1/example/onnx-runtime/FastestDet.onnx",
            sha256="31cb14c017fce347cb4c846ec62fdf00d76bb3beecdf4be21e7116ac67feb880",
            size=998_169,
        ),
        *(asset for asset in SSD.assets if asset.name == SSD.task.labels),
    ]
    max_batch_size = 1  # the graph is fixed at one image

    def __init__(self, path=None):
        self.net = OnnxRuntime(self.asset(NETWORK, path))
        self.kinds = [label for label in self.labels if label.name != "???"]

    def _pre_process(self, image):
        """PIL RGB image → the whole of it, stretched, float32 (3, 352, 352), BGR, 0…1."""
        pixels = np.asarray(resized(image, (SIDE, SIDE), four_samples=True))[:, :, ::-1]
        return np.ascontiguousarray(np.moveaxis(pixels, 2, 0)) * np.float32(1 / 255)

    def _predict(self, planes):
        """float32 (3, 352, 352) → a column for each cell, float32 (85, 484)."""
        [cells] = self.net.run([planes[None]])
        return cells[0].reshape(-1, GRID * GRID)

    def _post_process(self, cells, *, threshold: Probability = 0.6):
        """Keep the objects surer than `threshold`, each once.

        A cell is how sure it is to hold an object, x, y, width, height, and 80 kinds; the first and the last are 0…1.
        """
        kinds = cells[5:].argmax(axis=0)
        scores = cells[0] ** 0.6 * cells[5:].max(axis=0) ** 0.4
        sure = np.flatnonzero(scores > threshold)
        rows, columns = np.divmod(sure, GRID)
        x, y, width, height = cells[1:5, sure]
        centres = np.stack([np.tanh(y) + rows, np.tanh(x) + columns], axis=1) / GRID
        halves = 0.5 / (1 + np.exp(-np.stack([height, width], axis=1)))
        boxes = np.hstack([centres - halves, centres + halves])
        kept = non_maximum_suppression(boxes, scores[sure], MOST_OVERLAP, classes=kinds[sure])
        sure = sure[kept]
        return detections(self.kinds, boxes[kept], kinds[sure], scores[sure], threshold)
