import io

import numpy as np
from PIL import Image
from config import MODEL_META_DATA
from maxfw.model import MAXModelWrapper


class ModelWrapper(MAXModelWrapper):

    MODEL_META_DATA = MODEL_META_DATA

    def __init__(self, path=None):
        self.words = ['dark', 'grey', 'light']

    def _predict(self, x):
        mean = np.asarray(Image.open(io.BytesIO(x)).convert('L')).mean() / 256
        first = self.words[int(mean * 3)]
        rest = [word for word in self.words if word != first]
        return [{'index': str(i), 'caption': 'a %s photo .' % word, 'probability': np.float32(0.5 / (i + 1))}
                for i, word in enumerate([first] + rest)]
