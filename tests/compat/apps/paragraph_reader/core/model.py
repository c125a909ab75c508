from maxfw.model import MAXModelWrapper
from config import MODEL_META_DATA as model_meta


class ModelWrapper(MAXModelWrapper):

    MODEL_META_DATA = model_meta

    def __init__(self, path=None):
        self.words = None

    def _pre_process(self, paragraphs):
        return [(p['context'].split(), p['questions']) for p in paragraphs]

    def _predict(self, x):
        words, question = x
        return words[len(question) % len(words)]

    def predict(self, x):
        return [[self._predict((words, question)) for question in questions]
                for words, questions in self._pre_process(x)]
