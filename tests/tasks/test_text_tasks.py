"""The tasks that read texts: what they hand to a model, and what they refuse to hand on."""

from __future__ import annotations

from typing import Any

import pytest

from maxfw.drawing import page
from maxfw.errors import BadInput, BadModelOutput, RequestError, TooLarge
from maxfw.settings import Settings
from maxfw.tasks.base import Inputs, Label
from maxfw.tasks.question_answering import QuestionAnswering
from maxfw.tasks.summarization import Summarization
from maxfw.tasks.text_embedding import TextEmbedding
from maxfw.tasks.text_generation import MOST_CHARS, Seed, TextGeneration
from maxfw.tasks.token_classification import TokenClassification
from maxfw.tasks.toxicity import Toxicity

TAGS = [Label("0", "O"), Label("1", "B-per"), Label("2", "I-per")]


def asked(*paragraphs: tuple[str, list[str]]) -> Inputs:
    return Inputs(
        body={
            "paragraphs": [{"context": context, "questions": questions} for context, questions in paragraphs]
        }
    )


def test_answers_come_back_by_paragraph_for_three_and_more(settings: Settings) -> None:
    task = QuestionAnswering()
    items = task.read(asked(("A", ["a1", "a2"]), ("B", ["b1"]), ("C", ["c1", "c2", "c3"])), settings)

    answer = task.write(items, [f"{item.context}:{item.question}" for item in items], ())

    assert answer.predictions == [["A:a1", "A:a2"], ["B:b1"], ["C:c1", "C:c2", "C:c3"]]


def test_a_paragraph_without_questions_is_refused_by_its_place(settings: Settings) -> None:
    with pytest.raises(BadInput, match=r"paragraphs\[1\].questions is an empty list"):
        QuestionAnswering().read(asked(("A", ["a"]), ("B", [])), settings)


def test_questions_are_counted_over_all_paragraphs() -> None:
    with pytest.raises(TooLarge, match="3 questions, at most 2"):
        QuestionAnswering().read(asked(("A", ["a", "b"]), ("B", ["c"])), Settings(max_texts=2))


def test_on_the_command_line_the_last_line_asks(settings: Settings) -> None:
    task = QuestionAnswering()

    [question] = task.read(task.inputs_of("The bridge is old.\nIs it?"), settings)

    assert (question.context, question.question) == ("The bridge is old.", "Is it?")
    with pytest.raises(BadInput, match="one line"):
        task.inputs_of("Is it?")


def test_the_text_that_was_sent_comes_back_with_its_labels() -> None:
    labels = [Label("0", "toxic"), Label("1", "insult")]

    answer = Toxicity().write(["  Oh NO\0"], [[0.75, 0.5]], labels)

    assert answer.results[0].original_text == "  Oh NO\0"
    assert answer.results[0].predictions == {"toxic": 0.75, "insult": 0.5}


@pytest.mark.parametrize(
    "outcome",
    [
        {"tags": ["O"], "terms": ["a", "b"]},
        {"tags": ["B-moon"], "terms": ["a"]},
        {"tags": "O", "terms": "a"},
        None,
    ],
)
def test_tags_that_are_none_are_the_models_fault(outcome: Any) -> None:
    with pytest.raises(BadModelOutput):
        TokenClassification().write(["a"], [outcome], TAGS)


def test_a_page_of_entities_marks_them_and_nothing_of_the_text_becomes_markup() -> None:
    task = TokenClassification()
    tagged = {"tags": ["O", "B-per", "I-per"], "terms": ["<b>", "Anna", "<Smith>"]}

    text = page(task, task.sample(), task.write(["…"], [tagged], TAGS))

    assert "&lt;b&gt; <mark" in text
    assert "Anna &lt;Smith&gt;<small>per</small>" in text
    assert "<b>" not in text


def test_only_some_tasks_have_a_page() -> None:
    task = Summarization()

    with pytest.raises(BadInput, match="no page for task summarization"):
        page(task, task.sample(), task.write(["a"], ["b"], ()))


@pytest.mark.parametrize("chars", [0, -1, MOST_CHARS + 1, 1.5, "many", None])
def test_a_length_out_of_range_is_refused(chars: Any, settings: Settings) -> None:
    with pytest.raises(RequestError, match="chars"):
        TextGeneration().read(Inputs(body={"seed_text": "a", "chars": chars}), settings)


def test_a_generated_text_stands_behind_its_beginning() -> None:
    said = TextGeneration().write([Seed("Once ")], ["upon a time"], ()).prediction

    assert (said.seed_text, said.generated_text, said.full_text) == (
        "Once ",
        "upon a time",
        "Once upon a time",
    )


@pytest.mark.parametrize("outcome", [[], [[1.0]], ["a"], [float("nan")], 5])
def test_what_is_no_vector_is_the_models_fault(outcome: Any) -> None:
    with pytest.raises(BadModelOutput):
        TextEmbedding().write(["a"], [outcome], ())


@pytest.mark.parametrize("task", [TokenClassification(), TextEmbedding(), Toxicity()])
def test_half_a_surrogate_pair_is_refused_by_its_place(task: Any, settings: Settings) -> None:
    text = "ab\ud800"
    body = {"text": text if isinstance(task, TokenClassification) else [text]}

    with pytest.raises(BadInput, match="half a surrogate pair, character 3"):
        task.read(Inputs(body=body), settings)
