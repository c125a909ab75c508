"""The zoo's MobileNet with one runtime thread, so that two workers share two cores."""

from maxfw.catalog import find, load_module
from maxfw.runtimes import LiteRTRuntime

zoo = load_module(find("image_classifier"))


class ModelWrapper(zoo.ModelWrapper):
    """`image_classifier`, and nothing else of it changed."""

    def __init__(self, path=None):
        self.net = LiteRTRuntime(self.asset(zoo.NETWORK, path), threads=1)
