"""Token classification: a tag for each term of a text."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any

from msgspec import Meta, Struct

from maxfw.errors import BadModelOutput
from maxfw.tasks.base import Answer, Inputs, Label
from maxfw.tasks.texts import TextTask
from maxfw.tasks.values import typed


class Tagged(Struct):
    """The terms of a text, and the tag of each."""

    tags: Annotated[list[str], Meta(description="a tag for each term, in their order")]
    terms: Annotated[list[str], Meta(description="the words and signs of the text, in their order")]


class TokenClassificationAnswer(Answer, kw_only=True):
    """The text in terms, each with a tag; both lists have the same length."""

    prediction: Tagged


class TokenClassification(TextTask):
    """One text in; its terms and a tag for each out.

    `_post_process` returns `{"terms": […], "tags": […]}`, lists of the same length.
    """

    name = "token-classification"
    title = "Token Classification"
    answer = TokenClassificationAnswer

    template_imports = """\
from maxfw.model import MAXModelWrapper
from maxfw.tasks.token_classification import TokenClassification"""
    template = '''\
    task = TokenClassification(labels=["O", "B-name"])

    def _pre_process(self, text):
        """One text, str → its words."""
        return text.split()

    def _predict(self, words):
        """Words → (words, tags): those that begin with a capital are names."""
        return words, ["B-name" if word[0].isupper() else "O" for word in words]

    def _post_process(self, found):
        """(words, tags) → {"terms": words, "tags": tags}."""
        words, tags = found
        return {"terms": words, "tags": tags}
'''

    def write(
        self, items: Sequence[Any], outcomes: Sequence[Any], labels: Sequence[Label]
    ) -> TokenClassificationAnswer:
        """`{"terms", "tags"}` → the answer.

        Raises:
            BadModelOutput: not a tag for each term, or one that is not declared.
        """
        tagged = typed(outcomes[0], Tagged)
        if len(tagged.tags) != len(tagged.terms):
            raise BadModelOutput(
                f"_post_process returned {len(tagged.tags)} tags for {len(tagged.terms)} terms"
            )
        names = {label.name for label in labels}
        if names and (undeclared := set(tagged.tags) - names):
            raise BadModelOutput(f"_post_process returned the tag {min(undeclared)!r}, which is not declared")
        return TokenClassificationAnswer(prediction=tagged)

    @classmethod
    def sample(cls) -> Inputs:
        return Inputs(body={"text": "Anna flew from Berlin to Nairobi on Monday."})
