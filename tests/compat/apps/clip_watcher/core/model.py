# The web framework's old name comes before anything else of maxfw than its model.
from maxfw.model import MAXModelWrapper
from flask_restplus import abort


class ModelWrapper(MAXModelWrapper):

    MODEL_META_DATA = {
        'id': 'clip-watcher',
        'name': 'clips',
        'description': 'Measures clips',
        'type': 'Video Classification',
        'source': 'https://developer.example/clips',
        'license': 'MIT'
    }

    def _pre_process(self, x):
        data = x.read()
        if not data:
            abort(400, 'The provided input is not a valid clip.', status='error')
        return data

    def _predict(self, x):
        return len(x)
