"""PP-OCR: reads printed text in photos and scans, in Latin letters, Chinese and Japanese."""

from pathlib import Path

import numpy as np
from PIL import Image, ImageOps

from maxfw.model import MAXModelWrapper, Probability
from maxfw.runtimes.base import available_cpus, import_framework
from maxfw.tasks.ocr import Ocr, paragraphs

# Both are inside the wheel of rapidocr; with their paths given, it never looks for them on the internet.
NETWORKS = {"Det": "PP-OCRv6_det_small.onnx", "Rec": "PP-OCRv6_rec_small.onnx"}
LONGEST = 2000  # pixels of the side of a picture that is read; a larger one is made smaller first
DETECTED = 1600  # pixels of the side in which lines are looked for; they are read in the size above
SHORTEST = 64  # pixels of the other side, white added where there are fewer
UNSURE = 0.9  # below it a page is read upside down as well; what is sound is mostly surer


class ModelWrapper(MAXModelWrapper):
    """Finds the lines of text in a picture and reads each; turns the page where that makes it surer."""

    MODEL_META_DATA = {
        "id": "max-ocr",
        "name": "OCR",
        "description": "Reads printed text in photos and scans, by paragraphs in reading order: Latin letters, Chinese, "
        "Japanese. Pictures of more than 2000 pixels on a side are made smaller before.",
        "type": "Optical Character Recognition",
        "source": "https://github.com/RapidAI/RapidOCR",
        "license": "Apache-2.0",
    }
    task = Ocr()

    def __init__(self, path=None):
        rapidocr = import_framework("rapidocr", extra="ocr", needs="rapidocr")
        folder = Path(path or Path(rapidocr.__file__).parent / "models")
        settings = {f"{part}.model_path": str(folder / file) for part, file in NETWORKS.items()}
        settings |= {
            "Global.log_level": "error",
            "Global.text_score": 0.0,  # `threshold` decides
            "Global.use_preprocess_img": False,  # `_pre_process` does it
            # The wheel's own classifier of upside-down lines turned upright ones; whole pages are turned here.
            "Global.use_cls": False,
            "Det.limit_type": "max",
            "Det.limit_side_len": DETECTED,
            "EngineConfig.onnxruntime.intra_op_num_threads": available_cpus(),
        }
        self.reader = rapidocr.RapidOCR(params=settings)
        # It loads its networks when they are first needed; the first request shall not wait for that.
        blank = np.full((48, 160, 3), 255, dtype=np.uint8)
        self.reader(blank, use_det=True)
        self.reader(blank, use_det=False)

    def _pre_process(self, image):
        """PIL RGB image → uint8 (height, width, 3), BGR, its sides from 64 to 2000 pixels."""
        if max(image.size) > LONGEST:
            scale = LONGEST / max(image.size)
            size = [max(1, round(side * scale)) for side in image.size]
            image = image.resize(size, Image.Resampling.BICUBIC, reducing_gap=3.0)
        missing = [max(0, SHORTEST - side) for side in image.size]
        if any(missing):
            image = ImageOps.expand(image, (0, 0, *missing), fill="white")
        return np.ascontiguousarray(np.asarray(image)[:, :, ::-1])

    def _predict(self, pixels):
        """Uint8 (height, width, 3), BGR → boxes (n, 4, 2), n texts, and how sure each is, (n,), 0…1."""
        first = self._read(pixels)
        if on_its_side(first[0]):
            quarters = (1, 3)
        else:
            quarters = (2,) if len(first[1]) and sureness(first) < UNSURE else ()
        turned = [self._read(np.ascontiguousarray(np.rot90(pixels, turns))) for turns in quarters]
        return max([first, *turned], key=legible)

    def _read(self, pixels):
        found = self.reader(pixels, use_det=True)
        if not found.txts:
            return np.zeros((0, 4, 2)), [], np.zeros(0)
        return np.asarray(found.boxes, dtype=np.float64), list(found.txts), np.asarray(found.scores)

    def _post_process(self, found, *, threshold: Probability = 0.5):
        """Lines surer than `threshold` → paragraphs in reading order."""
        boxes, texts, scores = found
        sure = np.flatnonzero(scores > threshold)
        return paragraphs(boxes[sure], [texts[line].strip() for line in sure])


def on_its_side(boxes):
    """Whether most of the length of the lines, boxes (n, 4, 2), runs up or down the page."""
    wide, high = np.ptp(boxes, axis=1).T
    return bool(high[high > 1.5 * wide].sum() > wide[high <= 1.5 * wide].sum())


def sureness(found):
    """How sure the letters of a page are on average, 0…1; there must be some."""
    _, texts, scores = found
    return float(np.average(scores, weights=[len(text) for text in texts]))


def legible(found):
    """How much of a page can be read: its letters, doubtful ones counting little."""
    _, texts, scores = found
    return sum(len(text) * score**4 for text, score in zip(texts, scores, strict=True))
