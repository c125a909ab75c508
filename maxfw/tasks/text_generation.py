"""Text generation: how a text goes on."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any

from msgspec import Meta, Struct

from maxfw.settings import Settings
from maxfw.tasks.base import (
    Answer,
    Inputs,
    Label,
    typed_body,
)
from maxfw.tasks.texts import ReadingTask, body_of, check_text
from maxfw.tasks.values import typed

MOST_CHARS = 1000
"""The most characters that a request may ask for; a model may stop earlier."""

Chars = Annotated[int, Meta(ge=1, le=MOST_CHARS, description="the most characters to generate")]


class Seed(Struct, frozen=True):
    """The JSON body: how the text begins, and how many characters it may go on at most."""

    seed_text: str
    chars: Chars = 100


class Generated(Struct):
    """How the text begins, how it goes on, and both together."""

    seed_text: Annotated[str, Meta(description="the beginning, as it was sent")]
    generated_text: Annotated[str, Meta(description="how the model goes on")]
    full_text: Annotated[str, Meta(description="both together")]


class TextGenerationAnswer(Answer, kw_only=True):
    """The text that was sent and how the model goes on."""

    prediction: Generated


class TextGeneration(ReadingTask):
    """The beginning of a text in; how it may go on out.

    `_pre_process` gets a `Seed`, `_post_process` returns what was generated, a text without the beginning.
    """

    name = "text-generation"
    title = "Text Generation"
    answer = TextGenerationAnswer
    body = Seed

    template_imports = """\
from maxfw.model import MAXModelWrapper
from maxfw.tasks.text_generation import TextGeneration"""
    template = '''\
    task = TextGeneration()

    def _pre_process(self, seed):
        """A Seed → its words, and how many characters are wanted."""
        return seed.seed_text.split() or ["la"], seed.chars

    def _predict(self, prepared):
        """Words and a number → the words over and over, as many characters as wanted."""
        words, chars = prepared
        return (" " + " ".join(words * (1 + chars // 2)))[:chars]

    def _post_process(self, generated):
        """What was generated, str → the same."""
        return generated
'''

    def read(self, inputs: Inputs, settings: Settings) -> list[Seed]:
        """The body → the only item."""
        seed = typed_body(Seed, inputs)
        check_text(seed.seed_text, "seed_text", settings)
        return [seed]

    def write(
        self, items: Sequence[Seed], outcomes: Sequence[Any], labels: Sequence[Label]
    ) -> TextGenerationAnswer:
        """A text → with the beginning before it."""
        begun, generated = items[0].seed_text, typed(outcomes[0], str)
        return TextGenerationAnswer(prediction=Generated(begun, generated, begun + generated))

    def limits(self, settings: Settings) -> dict[str, Any]:
        limits = self.limits_of(settings, seed_text={})
        return {**limits, "chars": {"count": MOST_CHARS}}

    def inputs_of(self, argument: str) -> Inputs:
        """A `.json` file with the whole body, a `.txt` file with the beginning, or the beginning itself."""
        return body_of(argument, lambda text: {"seed_text": text})

    @classmethod
    def sample(cls) -> Inputs:
        return Inputs(body={"seed_text": "The ", "chars": 20})
