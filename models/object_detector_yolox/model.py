"""YOLOX-Nano: finds everyday objects in a photo, small ones too."""

import numpy as np

from maxfw.assets import Asset
from maxfw.catalog import find, load_module
from maxfw.media import resized
from maxfw.model import MAXModelWrapper, Probability
from maxfw.runtimes import OnnxRuntime
from maxfw.tasks.object_detection import detections, non_maximum_suppression

NETWORK = "yolox_nano.onnx"
SIDE = 416  # pixels
STRIDES = (8, 16, 32)  # pixels between the cells of each grid
PADDING = 114  # the grey that YOLOX was trained with where there is no picture
MOST_OVERLAP = 0.45  # of two boxes for different things of one kind

SSD = load_module(find("object_detector")).ModelWrapper  # the same 80 kinds, with the same ids


class ModelWrapper(MAXModelWrapper):
    """YOLOX-Nano: up to a hundred objects of 80 kinds."""

    MODEL_META_DATA = {
        "id": "max-object-detector-yolox",
        "name": "Object Detector (YOLOX)",
        "description": "YOLOX-Nano trained on COCO: finds objects of 80 everyday kinds in a photo, small ones too.",
        "type": "Object Detection",
        "source": "https://github.com/Megvii-BaseDetection/YOLOX",
        "license": "Apache-2.0",
    }
    task = SSD.task
    assets = [
        Asset(
            NETWORK,
            url="https://raw.githubusercontent.com/Kazuhito00/YOLOX-ONNX-TFLite-Sample"
            "/3d4f1119d0694200671c08069ecb847aa0d8495a/model/yolox_nano.onnx",
            sha256="695e750a5d5754bb5a8d5325643b59282191a7e7a564e435a415fd3c578eab14",
            size=3_660_092,
        ),
        *(asset for asset in SSD.assets if asset.name == SSD.task.labels),
    ]
    max_batch_size = 1  # the graph is fixed at one image

    def __init__(self, path=None):
        self.net = OnnxRuntime(self.asset(NETWORK, path))
        self.kinds = [label for label in self.labels if label.name != "???"]
        self.corners, self.strides = cells()

    def _pre_process(self, image):
        """PIL RGB → float32 (3, 416, 416), BGR, 0…255, the picture at the top left; (height, width) of it there."""
        scale = SIDE / max(image.size)
        width, height = (max(1, round(side * scale)) for side in image.size)
        pixels = np.asarray(resized(image, (width, height), four_samples=True))[:, :, ::-1]
        canvas = np.full((3, SIDE, SIDE), PADDING, dtype=np.float32)
        canvas[:, :height, :width] = np.ascontiguousarray(np.moveaxis(pixels, 2, 0))
        return canvas, (height, width)

    def _predict(self, prepared):
        """float32 (3, 416, 416) → a row for each cell, float32 (3549, 85); (height, width) goes with it."""
        canvas, size = prepared
        [cells] = self.net.run([canvas[None]])
        return cells[0], size

    def _post_process(self, found, *, threshold: Probability = 0.5):
        """Keep the objects surer than `threshold`, each once.

        A cell is x, y, width, height, how sure it is to hold an object, and 80 kinds; the last 81 are 0…1.
        """
        cells, (height, width) = found
        sure = np.flatnonzero(cells[:, 4] > threshold)  # a kind is never surer than its object
        kinds = cells[sure, 5:].argmax(axis=1)
        scores = cells[sure, 4] * cells[sure, 5 + kinds]
        sure, kinds, scores = (part[scores > threshold] for part in (sure, kinds, scores))
        centres = (cells[sure, 1::-1] + self.corners[sure]) * self.strides[sure]
        halves = np.exp(cells[sure, 3:1:-1]) * self.strides[sure] / 2
        boxes = np.hstack([centres - halves, centres + halves])
        kept = non_maximum_suppression(boxes, scores, MOST_OVERLAP, classes=kinds)
        picture = np.array([height, width, height, width])
        return detections(self.kinds, boxes[kept] / picture, kinds[kept], scores[kept], threshold)


def cells():
    """Row and column, float32 (3549, 2), and stride in pixels, float32 (3549, 1), of every cell of the three grids."""
    grids = [np.indices((SIDE // stride, SIDE // stride)).reshape(2, -1).T for stride in STRIDES]
    strides = [np.full((len(grid), 1), stride) for grid, stride in zip(grids, STRIDES, strict=True)]
    return np.concatenate(grids).astype(np.float32), np.concatenate(strides).astype(np.float32)
