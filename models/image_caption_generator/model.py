"""Image captions: a small LSTM, trained here, tells what a detector and an embedder saw in a photo."""

from pathlib import Path

import numpy as np
from PIL import Image

from maxfw.assets import Asset
from maxfw.catalog import ModelFolder, find, load_class, load_module
from maxfw.model import MAXModelWrapper
from maxfw.runtimes import LiteRTRuntime
from maxfw.tasks.image_captioning import ImageCaptioning

decoder = load_module(ModelFolder(Path(__file__).with_name("decoder.py")))
Detector = load_class(find("object_detector"))

EMBEDDER = "mobilenet_v1_1.0_224_quant_embedding_extractor.tflite"
SIDES = (300, 224)  # pixels that the detector and the embedder take
SEEN_AT_ALL = 0.4  # how sure the detector must be of one object, or what is told would be invented
NOTHING = ("no object that I know", 0.01)  # what a guess would be worth


class ModelWrapper(MAXModelWrapper):
    """SSD MobileNet v1 and a MobileNet v1 embedder look, a pair of LSTMs of our own tells."""

    MODEL_META_DATA = {
        "id": "max-image-caption-generator",
        "name": "Image Caption Generator",
        "description": "Describes a photo in up to three English sentences, from the everyday objects that a detector "
        "finds in it and from its general look. It says person or child, never man or woman.",
        "type": "Image Captioning",
        "source": "https://cocodataset.org",
        "license": "CC-BY-4.0",
    }
    task = ImageCaptioning()
    assets = [
        *Detector.assets,
        Asset(
            EMBEDDER,
            url="https://raw.githubusercontent.com/google-coral/test_data/104342d2d3480b3e66203073dac24f4e2dbb4c41"
            f"/{EMBEDDER}",
            sha256="f409ef4f73fcbb9667841965623c5c8524aac33d41b9bf5f3667161fb4a76319",
            size=3_251_736,
        ),
    ]
    max_batch_size = 1  # the detector's graph is fixed at one image

    def __init__(self, path=None):
        self.detector = Detector()
        self.embedder = LiteRTRuntime(self.asset(EMBEDDER))
        self.decoder = decoder.Decoder(self.asset("decoder.tflite", path))

    def _pre_process(self, image):
        """PIL RGB image → the whole of it, stretched, uint8 (300, 300, 3) and (224, 224, 3), RGB."""
        # The filter that the decoder learnt the answers of both networks with.
        small = (image.resize((side, side), Image.Resampling.BILINEAR, reducing_gap=3.0) for side in SIDES)
        return [np.asarray(picture) for picture in small]

    def _predict(self, pixels):
        """uint8 (300, 300, 3) and (224, 224, 3) → how sure the surest object is, and (sentence, probability), best first."""
        boxes, classes, scores = self.detector._predict(pixels[0])
        [embedded] = self.embedder.run([pixels[1][None]])
        feature = self.embedder.outputs[0].dequantise(embedded).reshape(-1)
        told = self.decoder.sentences(decoder.layout(classes, scores, boxes), feature)
        return scores.max(initial=0), told

    def _post_process(self, told):
        """The sentences with their probabilities; where no object was seen, only that."""
        surest, sentences = told
        return (sentences if surest >= SEEN_AT_ALL else []) or [NOTHING]
