import numpy as np
from maxfw.model import MAXModelWrapper


class ModelWrapper(MAXModelWrapper):

    MODEL_META_DATA = {
        'id': 'film-recommender',
        'name': 'Film Recommender',
        'description': 'Recommends films',
        'type': 'Recommender',
        'source': 'https://developer.example/films',
        'license': 'Apache V2'
    }

    def __init__(self, path=None):
        self.users = {'7': np.arange(6)}

    def _pre_process(self, args):
        seen = [int(film) for film in args['seen'] or []]
        return args['user_id'], [film for film in self.users[args['user_id']] if film not in seen], args['num_results']

    def _predict(self, x):
        user, films, count = x
        scores = np.linspace(0.9, 0.4, len(films), dtype=np.float32)
        return [(user, film, score) for film, score in zip(films, scores)][:count]

    def _post_process(self, x):
        return [{'user': user, 'item': film, 'prediction': score} for user, film, score in x]
