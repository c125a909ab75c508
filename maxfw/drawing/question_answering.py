"""Each paragraph with its answers on a patch of colour, above the questions."""

from __future__ import annotations

from collections.abc import Iterator

from PIL import Image

from maxfw.drawing.base import PALETTE, stacked
from maxfw.drawing.text import Piece, paragraph
from maxfw.tasks.base import Inputs
from maxfw.tasks.question_answering import QuestionAnsweringAnswer


def draw(inputs: Inputs, answer: QuestionAnsweringAnswer) -> Image.Image:
    """One paragraph below the other, each over its questions and answers."""
    return stacked(_parts(inputs, answer))


def _parts(inputs: Inputs, answer: QuestionAnsweringAnswer) -> Iterator[Image.Image]:
    for asked, answers in zip(inputs.body["paragraphs"], answer.predictions, strict=True):
        colours = [PALETTE[at % len(PALETTE)] for at in range(len(answers))]
        yield paragraph(marked(asked["context"], list(zip(answers, colours, strict=True))))
        for question, said, colour in zip(asked["questions"], answers, colours, strict=True):
            yield paragraph([(question, ""), (said or "no answer", colour)], colour="grey")


def marked(context: str, answers: list[Piece]) -> list[Piece]:
    """A text in pieces: each answer where it first stands, with its colour; answers that overlap another are left out."""
    places = sorted(
        (context.find(said), said, colour) for said, colour in answers if said and said in context
    )
    pieces, at = [], 0
    for start, said, colour in places:
        if start >= at:
            pieces += [(context[at:start], ""), (said, colour)]
            at = start + len(said)
    return [*pieces, (context[at:], "")]
