"""Question answering: the words of a paragraph that answer a question."""

from pathlib import Path

import numpy as np

from maxfw.catalog import find, load_beside
from maxfw.errors import BadInput
from maxfw.model import MAXModelWrapper
from maxfw.tasks.question_answering import QuestionAnswering

from . import spans

encoder = load_beside(find("word_embedding_generator"), "encoder")

ADAPTER = Path(__file__).parent / "question_answering.npz"


class ModelWrapper(MAXModelWrapper):
    """all-MiniLM-L6-v2 with a low-rank adapter and a layer for starts and ends, trained by `train.py` beside this file."""

    MODEL_META_DATA = {
        "id": "max-question-answering",
        "name": "MAX Question Answering",
        "description": "Finds the words of an English paragraph that answer a question about it. It always answers, also "
        "what the paragraph does not say.",
        "type": "Question Answering",
        "source": "https://huggingface.co/sentence-transformers/all-MiniLM-L6-v2",
        "license": "CC-BY-SA-4.0",
    }
    task = QuestionAnswering(window=spans.WINDOW)
    assets = encoder.ASSETS
    max_batch_size = 16

    def __init__(self, path=None):
        with np.load(Path(path) / ADAPTER.name if path else ADAPTER) as arrays:
            adapter = {name: arrays[name] for name in arrays.files}
        self.weight, self.bias = (adapter.pop(name).astype(np.float32) for name in ("Wq", "bq"))
        self.encoder = encoder.Encoder(self.asset("model.safetensors"), self.asset("tokenizer.json"), adapter)

    def _pre_process(self, asked):
        """A Question → its windows, token ids each, and where the tokens stand in the paragraph."""
        for name, text in (("question", asked.question), ("context", asked.context)):
            if not text.strip():
                raise BadInput(
                    f"a {name} is empty: {text[:20]!r}", hint="send a paragraph and a question about it"
                )
        found = spans.prepared(self.encoder, asked.context, asked.question)
        if not found.places:
            raise BadInput(f"the context has no word: {asked.context[:20]!r}", hint="send some sentences")
        return found

    def _predict_batch(self, batch):
        """n × windows → n × str, the words at the best place of all windows."""
        windows = [window for one in batch for window in one.windows]
        hidden = iter(
            self.encoder.run([window.ids for window in windows], [window.kinds for window in windows])
        )
        found = []
        for one in batch:
            scored = [
                spans.best(next(hidden) @ self.weight + self.bias, window, len(window.ids) - window.first - 1)
                for window in one.windows
            ]
            _, start, end = max(scored)
            found.append(one.context[one.places[start][0] : one.places[end][1]])
        return found
