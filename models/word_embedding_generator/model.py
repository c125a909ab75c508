"""Embeddings: words and sentences as vectors, near to those of what means the same."""

from maxfw.errors import BadInput
from maxfw.model import MAXModelWrapper
from maxfw.tasks.text_embedding import TextEmbedding

from . import encoder


class ModelWrapper(MAXModelWrapper):
    """all-MiniLM-L6-v2: the mean of the vectors of all tokens, 384 numbers, of length 1."""

    MODEL_META_DATA = {
        "id": "max-word-embedding-generator",
        "name": "Word Embedding Generator",
        "description": "all-MiniLM-L6-v2: a word, a sentence or a text as 384 numbers, near to those of what means the "
        "same. Trained on English; a longer text is the mean of its windows of 256 tokens.",
        "type": "Text Embedding",
        "source": "https://huggingface.co/sentence-transformers/all-MiniLM-L6-v2",
        "license": "Apache-2.0",
    }
    task = TextEmbedding(window=encoder.WINDOW)
    assets = encoder.ASSETS
    max_batch_size = 32

    def __init__(self, path=None):
        self.encoder = encoder.Encoder(
            self.asset("model.safetensors", path), self.asset("tokenizer.json", path)
        )

    def _pre_process(self, text):
        """One text, str → its windows, lists of token ids."""
        if not text.strip():
            raise BadInput(f"the text is empty: {text[:20]!r}", hint="send at least one word")
        return self.encoder.windows(text)

    def _predict_batch(self, batch):
        """n × windows → float32 (n, 384)."""
        return self.encoder.embed(batch)
