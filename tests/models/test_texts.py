"""Texts of every kind: whatever people send, a model that reads answers rightly or says what is wrong."""

from __future__ import annotations

import importlib.util
import json
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

from maxfw.assets import fetch
from maxfw.catalog import ModelFolder, find, load_beside, load_class, load_model, load_module
from maxfw.predictor import Predictor
from maxfw.settings import load_settings
from maxfw.tasks.base import Inputs
from maxfw.tasks.question_answering import Question
from maxfw.web.app import create_app

pytestmark = pytest.mark.mirror

ODD = {
    "nothing": "",
    "blanks": " \t\n ",
    "NUL": "Good\0morning, Anna.",
    "only NUL": "\0",
    "half a surrogate pair": "Good \ud83d morning.",
    "emoji": "I love it 😍🤷🏽‍♀️🏳️‍🌈",
    "only emoji": "😍😍",
    "right to left": "\u202eהמוזיאון נפתח ביום שני, أهلا وسهلا بكم.\u202c",
    "marks": "e" + "\u0301" * 3000,
    "no spaces": "x" * 100_000,
    "100 kB of words": ("The museum in Nairobi opened on Monday. " * 2500)[:100_000],
    "100 kB of lines": "\n" * 50_000 + "word\n" * 10_000,
    "too long": "word " * 20_001,
    "punctuation": "!?;:.,-_()[]{}<>«»“”…" * 20,
    "Chinese": "我们明天在北京见面。" * 10,
    "other letters": "𝓗𝓮𝓵𝓵𝓸 Ｗｏｒｌｄ ǅ İstanbul ﬁn ẞ",
}


def body_with(predictor: Predictor, text: str) -> dict[str, Any]:
    """The body of the task's own sample, with this text in the place of every text."""

    def replaced(value: Any) -> Any:
        if isinstance(value, dict):
            return {key: replaced(inner) for key, inner in value.items()}
        if isinstance(value, list):
            return [replaced(value[0])]
        return text if isinstance(value, str) else value

    body: dict[str, Any] = replaced(dict(predictor.task.sample().body))
    return body


@pytest.mark.parametrize("name", ODD)
def test_no_text_is_too_odd(reading: tuple[ModelFolder, Predictor], name: str) -> None:
    _, made = reading
    app = create_app(made.model, made.settings)
    client = app.test_client()

    said = client.post(
        "/model/predict", data=json.dumps(body_with(made, ODD[name])), content_type="application/json"
    )
    after = client.post("/model/predict", json=dict(made.task.sample().body))
    app.extensions["maxfw"].close()

    assert said.status_code in (200, 400, 413), said.get_data(as_text=True)[:300]
    if said.status_code != 200:
        assert said.get_json()["message"]
    if name == "half a surrogate pair":
        assert said.status_code == 400
    if name == "too long":
        assert said.status_code == 413
    assert after.status_code == 200


def test_its_limits_are_in_its_description(reading: tuple[ModelFolder, Predictor]) -> None:
    _, made = reading
    limits = made.limits

    assert limits["body"]["bytes"] > 0
    assert any("bytes" in limit for name, limit in limits.items() if name != "body")


@pytest.fixture(scope="module", params=["name_generator", "news_text_generator"])
def writer(request: pytest.FixtureRequest) -> Iterator[Predictor]:
    if request.param == "news_text_generator":
        pytest.importorskip("h5py")
    made = Predictor(load_model(find(request.param)), load_settings())
    yield made
    made.close()


def written(writer: Predictor, seed_text: str, chars: int = 60, **parameters: Any) -> str:
    answer: Any = writer.answer(Inputs(body={"seed_text": seed_text, "chars": chars}), parameters)
    assert answer.prediction.full_text == seed_text + answer.prediction.generated_text
    text: str = answer.prediction.generated_text
    return text


def test_the_same_seed_writes_the_same_and_another_seed_something_else(writer: Predictor) -> None:
    texts = [written(writer, "", seed=seed, temperature=1.0) for seed in (1, 1, *range(2, 8))]

    assert texts[0] == texts[1]
    assert len(set(texts)) > 4


def test_temperature_zero_needs_no_seed(writer: Predictor) -> None:
    assert written(writer, "A", temperature=0) == written(writer, "A", temperature=0, seed=9)


def test_no_more_is_written_than_asked_for(writer: Predictor) -> None:
    assert len(written(writer, "A", chars=3, seed=1)) <= 3


def test_names_are_of_the_gender_that_was_asked_for() -> None:
    model = load_model(find("name_generator"))

    def ending_in_a(gender: str) -> int:
        letters = (np.array([], dtype=np.int64), 15)
        names = [model._predict_batch([letters], gender=gender, seed=seed)[0] for seed in range(60)]
        return sum(name.endswith("a") for name in names)

    assert ending_in_a("female") > 2 * ending_in_a("male")


@pytest.mark.tensorflow
def test_the_news_network_computes_what_keras_computes() -> None:
    keras, h5py = pytest.importorskip("keras"), pytest.importorskip("h5py")
    folder = find("news_text_generator")
    network = load_module(folder).network
    [weights, _] = [fetch(asset) for asset in load_class(folder).assets]
    with h5py.File(weights) as file:
        ours = network.Network(file)
        ids = np.random.default_rng(1).integers(0, 465, (2, network.LENGTH))
        seen = np.asarray(file["embedding/embedding/embeddings:0"])[ids]
    theirs = seen.astype(np.float32)
    for lstm in ours.layers:
        layer = keras.layers.LSTM(network.UNITS, return_sequences=True)
        layer.build(theirs.shape)
        layer.set_weights([lstm.kernel, lstm.recurrent, lstm.bias])
        computed, wanted = lstm.run(theirs), np.asarray(layer(theirs))
        # Both round differently, and a trained LSTM fed with noise lets that grow from step to step.
        np.testing.assert_allclose(computed[:, :20], wanted[:, :20], atol=2e-3)
        np.testing.assert_allclose(computed, wanted, atol=5e-2)
        theirs = wanted


def test_entities_are_counted_as_seqeval_counts_them() -> None:
    measuring = load_beside(find("named_entity_tagger"), "evaluate")

    # The example of seqeval's own README: two entities in truth, two found, one of them right.
    truth = ["O", "O", "O", "B-MISC", "I-MISC", "I-MISC", "O"]
    found = ["O", "O", "B-MISC", "I-MISC", "I-MISC", "I-MISC", "O"]
    person = ["B-PER", "I-PER", "O"]

    assert measuring.entities(truth) == {("MISC", 3, 6)}
    assert measuring.entities(person) == {("PER", 0, 2)}
    assert not measuring.entities(truth) & measuring.entities(found)


def test_the_labels_of_the_tagger_say_what_they_mean() -> None:
    labels = load_model(find("named_entity_tagger")).labels

    assert len(labels) == 17
    assert all(label.description for label in labels)


def test_a_comment_is_as_toxic_as_its_worst_part() -> None:
    model = load_model(find("toxic_comment_classifier"))
    calm = "The bridge was built in the last century and it is used every day by many people. " * 40

    [alone, hidden] = model._predict_batch(
        [model._pre_process(text) for text in (calm, calm + "You stupid idiot! " * 20)]
    )

    assert alone[0] < 0.2
    assert hidden[0] > 0.7


@pytest.mark.pytorch
def test_the_encoder_computes_what_transformers_computes() -> None:
    torch, transformers = pytest.importorskip("torch"), pytest.importorskip("transformers")
    model = load_model(find("word_embedding_generator"))
    theirs = transformers.BertModel(
        transformers.BertConfig(
            hidden_size=384,
            num_hidden_layers=6,
            num_attention_heads=12,
            intermediate_size=1536,
            attn_implementation="eager",
        ),
        add_pooling_layer=False,
    ).eval()
    theirs.load_state_dict(model.encoder.weights)
    rows = model.encoder.windows("The museum in Nairobi opened on Monday.")

    with torch.inference_mode():
        wanted = theirs(torch.tensor(rows)).last_hidden_state[0].numpy()

    np.testing.assert_allclose(model.encoder.run(rows)[0], wanted, atol=1e-4)


@pytest.mark.pytorch
def test_a_summary_keeps_the_order_and_is_never_empty() -> None:
    pytest.importorskip("torch")
    model = load_model(find("text_summarizer"))
    sentences = [
        f"The {number} of the {thing} rose in {year}."
        for number, thing, year in zip(
            ("price", "weight", "age"), ("bridge", "museum", "river"), (1990, 2001, 2015), strict=True
        )
    ]
    text = " ".join(sentences * 2)

    for count in (1, 2, 3):
        [found] = model._predict_batch([model._pre_process(text)])
        summary = model._post_process(found, sentences=count)
        kept = load_module(find("text_summarizer")).splitting.split(summary)
        places = [text.index(sentence) for sentence in kept]
        assert len(kept) == count
        assert places == sorted(places)
    assert model.predict("no full stop and nothing else") == "no full stop and nothing else"


def test_sentences_end_where_people_end_them() -> None:
    split = load_beside_summarizer()

    assert split(
        'Mr. J. Smith of the U.S. Army came. "I am glad," he said. He left at 5 p.m. on Monday!'
    ) == [
        "Mr. J. Smith of the U.S. Army came.",
        '"I am glad," he said.',
        "He left at 5 p.m. on Monday!",
    ]
    assert split("今日は晴れです。明日は雨です。") == ["今日は晴れです。", "明日は雨です。"]
    assert split("") == []
    assert max(map(len, split("x" * 10_000))) <= 1500


def load_beside_summarizer() -> Any:
    """The function that cuts texts into sentences, without the network."""
    folder = find("text_summarizer")
    spec = importlib.util.spec_from_file_location("sentences", folder.path / "sentences.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.split


@pytest.mark.pytorch
def test_answers_are_right_for_three_paragraphs() -> None:
    pytest.importorskip("torch")
    model = load_model(find("question_answering"))
    made = Predictor(model, load_settings())
    paragraphs = [
        {
            "context": "The bridge was opened in 1894 by the mayor.",
            "questions": ["When was the bridge opened?"],
        },
        {
            "context": "Anna bought three apples at the market.",
            "questions": ["Who bought apples?", "Where did she buy them?"],
        },
        {"context": "Paris is the capital of France.", "questions": ["What is the capital of France?"]},
    ]

    answer: Any = made.answer(Inputs(body={"paragraphs": paragraphs}))
    made.close()

    [[when], [who, where], [capital]] = answer.predictions
    assert "1894" in when
    assert who == "Anna"
    assert "market" in where
    assert capital == "Paris"


@pytest.mark.pytorch
def test_an_answer_at_the_end_of_a_long_paragraph_is_found() -> None:
    pytest.importorskip("torch")
    model = load_model(find("question_answering"))
    context = (
        "The museum shows paintings of many centuries. " * 100 + "The bridge was opened in 1894 by the mayor."
    )

    assert "1894" in model.predict(Question(context, "When was the bridge opened?", 0))


@pytest.mark.pytorch
def test_the_two_sentiment_classifiers_can_be_swapped() -> None:
    pytest.importorskip("torch")
    pytest.importorskip("ai_edge_litert")
    texts = ["I love this place.", "What a waste of time.", "Not bad at all!", "The food was terrible."]
    answers = []
    for name in ("text_sentiment_classifier", "text_sentiment_classifier_minilm"):
        app = create_app(load_model(find(name)))
        client = app.test_client()
        answers.append(client.post("/model/predict", json={"text": texts}).get_json()["predictions"])
        assert [label["name"] for label in client.get("/model/labels").get_json()["labels"]] == [
            "positive",
            "negative",
        ]
        app.extensions["maxfw"].close()

    for (one,), (other,) in zip(*answers, strict=True):
        assert one.keys() == other.keys() == {"positive", "negative"}
        assert (one["positive"] > 0.5) == (other["positive"] > 0.5)
