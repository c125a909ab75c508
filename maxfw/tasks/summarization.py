"""Summarization: a text, shorter."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any

from msgspec import Meta

from maxfw.tasks.base import Answer, Inputs, Label
from maxfw.tasks.texts import TextsTask
from maxfw.tasks.values import typed


class SummarizationAnswer(Answer, kw_only=True):
    """The summaries, one for each text."""

    summary_text: Annotated[list[str], Meta(description="a summary for each text, in the order of the texts")]


class Summarization(TextsTask):
    """Texts in; a summary of each out.

    `_post_process` returns the summary, a text.
    """

    name = "summarization"
    title = "Summarization"
    answer = SummarizationAnswer

    template_imports = """\
from maxfw.model import MAXModelWrapper
from maxfw.tasks.summarization import Summarization"""
    template = '''\
    task = Summarization()

    def _pre_process(self, text):
        """One text, str → its sentences, roughly."""
        return [sentence.strip() for sentence in text.split(".") if sentence.strip()]

    def _predict(self, sentences):
        """Sentences → the first one, which is what people beat only with effort."""
        return sentences[0] + "." if sentences else ""

    def _post_process(self, summary):
        """The summary, str → the same."""
        return summary
'''

    def write(
        self, items: Sequence[Any], outcomes: Sequence[Any], labels: Sequence[Label]
    ) -> SummarizationAnswer:
        """Texts → the same, in a list."""
        return SummarizationAnswer(summary_text=[typed(outcome, str) for outcome in outcomes])

    @classmethod
    def sample(cls) -> Inputs:
        text = (
            "The town library will open on Sundays from May on. The council decided so on Tuesday. "
            "Many readers had asked for it in letters. The new hours are paid for by a foundation."
        )
        return Inputs(body={"text": [text]})
