import io
import numpy as np
from PIL import Image
from maxfw.model import MAXModelWrapper


def read_image(image_data):
    return Image.open(io.BytesIO(image_data)).convert('L')


class ModelWrapper(MAXModelWrapper):

    MODEL_META_DATA = {
        'id': 'body-parts',
        'name': 'Body Parts',
        'description': 'Says where the nose is',
        'type': 'Pose Estimation',
        'source': 'https://developer.example/nose',
        'license': 'Apache License 2.0'
    }

    def __init__(self, path=None):
        pass

    def _pre_process(self, img):
        return np.asarray(img)

    def _predict(self, x):
        y, column = np.unravel_index(np.argmax(x), x.shape)
        return y, column, np.float32(0.83899)

    def _post_process(self, found):
        y, x, score = found
        return [{'human_id': 0, 'body_parts': [{'part_id': 0, 'part_name': 'Nose', 'score': score, 'x': x, 'y': y}]}]
