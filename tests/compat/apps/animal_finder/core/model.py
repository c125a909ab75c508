import io

import numpy as np
from PIL import Image
from flask_restplus import abort
from maxfw.model import MAXModelWrapper
from config import DEFAULT_MODEL_PATH, MODEL_META_DATA


class ModelWrapper(MAXModelWrapper):

    MODEL_META_DATA = MODEL_META_DATA

    def __init__(self, path=DEFAULT_MODEL_PATH):
        self.path = path
        self.animals = [{'id': 1, 'name': 'cat'}, {'id': 2, 'name': 'dog'}]

    def read_image(self, image_data):
        try:
            return np.asarray(Image.open(io.BytesIO(image_data)).convert('L'))
        except IOError:
            abort(400, 'Unrecognized image format')

    def _predict(self, x, threshold):
        height, width = x.shape
        found = []
        for animal, half in zip(self.animals, (x[:, :width // 2], x[:, width // 2:])):
            darkness = np.float32(1) - half.mean(dtype=np.float32) / np.float32(255)
            if darkness > threshold:
                left = 0 if animal['id'] == 1 else 0.5
                found.append({'label_id': animal['id'], 'label': animal['name'], 'probability': darkness,
                              'detection_box': np.array([0, left, 1, left + 0.5], dtype=np.float32)})
        return found
