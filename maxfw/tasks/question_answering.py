"""Question answering: the words of a paragraph that answer a question about it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any

from msgspec import Meta, Struct

from maxfw.errors import BadInput, TooLarge
from maxfw.settings import Settings
from maxfw.tasks.base import (
    Answer,
    Inputs,
    Label,
    typed_body,
)
from maxfw.tasks.texts import ReadingTask, body_of, check_text
from maxfw.tasks.values import typed


class Paragraph(Struct):
    """A text and what is asked about it."""

    context: str
    questions: list[str]


class Paragraphs(Struct):
    """The JSON body: paragraphs, each with its questions."""

    paragraphs: list[Paragraph]


class Question(Struct, frozen=True):
    """One question with the text that it is about; `paragraph` is the place of that text in the request."""

    context: str
    question: str
    paragraph: int


class QuestionAnsweringAnswer(Answer, kw_only=True):
    """One list for each paragraph, holding the answer to each of its questions."""

    predictions: Annotated[
        list[list[str]], Meta(description="the answers to each paragraph's questions, in their order")
    ]


class QuestionAnswering(ReadingTask):
    """Paragraphs with questions in; the answers, words of the paragraphs, out.

    `_pre_process` gets one `Question` at a time, `_post_process` returns its answer, a text.
    """

    name = "question-answering"
    title = "Question Answering"
    answer = QuestionAnsweringAnswer
    body = Paragraphs

    template_imports = """\
from maxfw.model import MAXModelWrapper
from maxfw.tasks.question_answering import QuestionAnswering"""
    template = '''\
    task = QuestionAnswering()

    def _pre_process(self, asked):
        """A Question → the sentences of its context, and the words of the question."""
        sentences = [sentence.strip() for sentence in asked.context.split(".") if sentence.strip()]
        return sentences, set(asked.question.lower().split())

    def _predict(self, prepared):
        """Sentences and words → the sentence that shares most words with the question."""
        sentences, words = prepared
        return max(sentences, key=lambda sentence: len(words & set(sentence.lower().split())), default="")

    def _post_process(self, sentence):
        """The answer, str → the same."""
        return sentence
'''

    def read(self, inputs: Inputs, settings: Settings) -> list[Question]:
        """The body → its questions, one item each, in order."""
        paragraphs = typed_body(Paragraphs, inputs).paragraphs
        if not paragraphs:
            raise BadInput(
                "field 'paragraphs' is an empty list",
                hint='send: {"paragraphs": [{"context": "…", "questions": ["…"]}]}',
            )
        for number, paragraph in enumerate(paragraphs):
            where = f"paragraphs[{number}]"
            check_text(paragraph.context, f"{where}.context", settings)
            if not paragraph.questions:
                raise BadInput(f"{where}.questions is an empty list", hint="ask at least one question")
            for place, question in enumerate(paragraph.questions):
                check_text(question, f"{where}.questions[{place}]", settings)
        count = sum(len(paragraph.questions) for paragraph in paragraphs)
        if count > settings.max_texts:
            raise TooLarge(
                f"field 'paragraphs' has {count} questions, at most {settings.max_texts} are allowed",
                hint="send them in several requests",
            )
        return [
            Question(paragraph.context, question, number)
            for number, paragraph in enumerate(paragraphs)
            for question in paragraph.questions
        ]

    def write(
        self, items: Sequence[Question], outcomes: Sequence[Any], labels: Sequence[Label]
    ) -> QuestionAnsweringAnswer:
        """Texts → lists of them, one for each paragraph."""
        answers: list[list[str]] = [[] for _ in range(items[-1].paragraph + 1)]
        for item, outcome in zip(items, outcomes, strict=True):
            answers[item.paragraph].append(typed(outcome, str))
        return QuestionAnsweringAnswer(predictions=answers)

    def limits(self, settings: Settings) -> dict[str, Any]:
        return self.limits_of(settings, context={}, questions={"count": settings.max_texts})

    def inputs_of(self, argument: str) -> Inputs:
        """A `.json` file with the whole body, or a text whose last line is the question."""
        return body_of(argument, _last_line_asks)

    @classmethod
    def sample(cls) -> Inputs:
        context = "The bridge was opened in 1894. It crosses the river in two spans."
        questions = ["When was the bridge opened?", "What does it cross?"]
        return Inputs(body={"paragraphs": [{"context": context, "questions": questions}]})


def _last_line_asks(text: str) -> dict[str, Any]:
    context, _, question = text.rstrip().rpartition("\n")
    if not context.strip():
        raise BadInput(
            "the text has one line",
            hint="write the paragraph, and the question on a line of its own below it",
        )
    return {"paragraphs": [{"context": context.strip(), "questions": [question]}]}
