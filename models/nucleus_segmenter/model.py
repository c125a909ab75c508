"""U-Net: outlines every cell nucleus in a fluorescence microscopy picture."""

import math

import numpy as np
from PIL import Image

from maxfw.assets import Asset
from maxfw.model import MAXModelWrapper, Probability
from maxfw.runtimes import OnnxRuntime
from maxfw.tasks.instance_segmentation import InstanceSegmentation, instances

PINNED = (
    "https://raw.githubusercontent.com/bioimage-io/spec-bioimage-io/63a2ea093d29277ba168635b6f322123b1da4ada"
    "/example_descriptions/models/unet2d_nuclei_broad"
)
SIDE = 512  # pixels; the graph is fixed at this size, and at one picture
MARGIN = 32  # pixels of a tile that are only there for what lies inside of them
MOST_PIXELS = (
    2048 * 2048
)  # that are looked at; a larger picture is made smaller first, and its masks larger again
SMALLEST = 30  # pixels of the picture; less is dust


class ModelWrapper(MAXModelWrapper):
    """2-D U-Net with one output, the probability that a pixel belongs to a nucleus; each connected patch is one."""

    MODEL_META_DATA = {
        "id": "max-nucleus-segmenter",
        "name": "Nucleus Segmenter",
        "description": "U-Net that outlines cell nuclei in fluorescence microscopy (bright on dark), not in stained "
        "tissue; nuclei that touch are one. Pictures above 4 megapixels are analysed at a smaller scale.",
        "type": "Instance Segmentation",
        "source": "https://github.com/bioimage-io/spec-bioimage-io",
        "license": "MIT",
    }
    task = InstanceSegmentation()
    assets = [
        Asset(
            "weights.onnx",
            url=f"{PINNED}/weights.onnx",
            sha256="85f5ac80fa977fea3562ef97c8c5950288be2c4f4cdb5d994807df97008ce088",
            size=1_806_764,
        )
    ]

    def __init__(self, path=None):
        self.net = OnnxRuntime(self.asset("weights.onnx", path))

    def _pre_process(self, image):
        """PIL RGB image → its brightest channel, float32 (h, w), mean 0, deviation 1, and its size (width, height)."""
        size = image.size
        shrink = math.sqrt(MOST_PIXELS / (image.width * image.height))
        if shrink < 1:
            smaller = [max(1, int(side * shrink)) for side in size]
            image = image.resize(smaller, Image.Resampling.BILINEAR, reducing_gap=3.0)
        # A stain may be of any colour; in a grey picture all channels are alike.
        values = np.asarray(image).max(axis=2).astype(np.float32)
        return normalised(values), size

    def _predict(self, prepared):
        """Normalised float32 (h, w) and a size → probabilities of a nucleus, float32 (h, w), and that size."""
        values, size = prepared
        found = np.empty_like(values)
        padding = [(0, max(0, SIDE - side)) for side in values.shape]
        padded = np.pad(values, padding, mode="symmetric")
        for top, rows in tiles(values.shape[0]):
            for left, columns in tiles(values.shape[1]):
                tile = padded[top : top + SIDE, left : left + SIDE]
                [[[logits]]] = self.net.run([tile[None, None]])
                own = logits[rows.start - top : rows.stop - top, columns.start - left : columns.stop - left]
                found[rows, columns] = own
        return 1 / (1 + np.exp(-found)), size

    def _post_process(self, found, *, threshold: Probability = 0.5):
        """Keep the nuclei surer than `threshold`; how sure is the mean over a nucleus's pixels, which is above 0.5."""
        probabilities, size = found
        if probabilities.shape != size[::-1]:
            large = Image.fromarray(probabilities).resize(size, Image.Resampling.BILINEAR)
            probabilities = np.asarray(large)
        return instances(probabilities, threshold=threshold, smallest=SMALLEST)


def normalised(values):
    """Brightness, float32 (h, w), of any scale → mean 0, deviation 1, over the whole picture."""
    return (values - values.mean()) / (values.std() + np.float32(1e-6))


def tiles(length):
    """A side in pixels → where each tile along it starts, and the slice of the answer that is taken from it."""
    last = max(0, length - SIDE)
    starts = [*range(0, last, SIDE - 2 * MARGIN), last]
    ends = [start + SIDE - MARGIN for start in starts[:-1]] + [length]
    return [(start, slice(before, end)) for start, before, end in zip(starts, [0, *ends], ends, strict=False)]
