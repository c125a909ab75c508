"""The zoo's MobileNet as the peers run it: one runtime thread, and a picture shrunk by Pillow's own filter.

Two workers share two cores, so a second thread of the runtime would only get in the way.
The zoo's model shrinks pictures in a quicker way of maxfw; here every server is to do the same work.
"""

import numpy as np
from PIL import Image

from maxfw.catalog import find, load_module
from maxfw.runtimes import LiteRTRuntime
from maxfw.tasks import ImageClassification

zoo = load_module(find("image_classifier"))


class ModelWrapper(zoo.ModelWrapper):
    """`image_classifier`, whose small photos are decoded in full; of big ones, at least twice what the network sees."""

    task = ImageClassification(labels=zoo.LABELS, decode_at=(2 * zoo.SIDE, 2 * zoo.SIDE))

    def __init__(self, path=None):
        self.net = LiteRTRuntime(self.asset(zoo.NETWORK, path), threads=1)

    def _pre_process(self, image):
        """PIL RGB image → uint8 (224, 224, 3), RGB."""
        size = (zoo.SIDE, zoo.SIDE)
        return np.asarray(image.resize(size, Image.Resampling.BILINEAR, reducing_gap=3.0))
