"""What the models of sound and numbers promise beyond the contract: filters, the arithmetic of their origins, bars."""

from __future__ import annotations

import importlib
import io
import json
import sys
from types import ModuleType
from typing import Any

import numpy as np
import pytest
import soundfile

from maxfw.assets import fetch
from maxfw.catalog import ModelFolder, find, load_model, load_module
from maxfw.errors import BadInput, BadParameter, RequestError
from maxfw.media import read_audio
from maxfw.predictor import Predictor
from maxfw.quality import measure
from maxfw.settings import load_settings
from maxfw.tasks.base import Inputs, Upload

pytestmark = pytest.mark.mirror
RATE = 16_000


@pytest.fixture(scope="module")
def hearing() -> Any:
    """The audio classifier in service."""
    made = Predictor(load_model(find("audio_classifier")), load_settings({}))
    yield made
    made.close()


@pytest.fixture(scope="module")
def weather() -> Any:
    """The weather forecaster in service."""
    made = Predictor(load_model(find("weather_forecaster")), load_settings({}))
    yield made
    made.close()


def clip(name: str) -> bytes:
    """A public clip, by its name."""
    content: bytes = (
        load_module(ModelFolder(find("audio_classifier").path / "clips.py")).clips()[name].content()
    )
    return content


def heard(predictor: Predictor, blob: bytes, **parameters: Any) -> list[str]:
    answer: Any = predictor.answer(Inputs(files={"audio": Upload(blob)}), parameters)
    return [one.label for one in answer.predictions]


def beside(folder: str, name: str, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """A program that lies beside a model, imported as if it were started there."""
    path = find(folder).path
    monkeypatch.syspath_prepend(path)
    for module in {file.stem for file in path.glob("*.py")}:
        monkeypatch.delitem(sys.modules, module, raising=False)
    return importlib.import_module(name)


def test_a_clip_is_heard_from_where_it_is_asked_for(hearing: Predictor) -> None:
    speech, cat = (
        read_audio(clip(name), settings=load_settings({}), rate=RATE)[: 3 * RATE]
        for name in ("speech_command.wav", "cat_meow.wav")
    )
    both = io.BytesIO()
    soundfile.write(both, np.concatenate([speech, cat]), RATE, format="WAV")

    assert heard(hearing, both.getvalue(), duration=3)[0] == "Speech"
    assert heard(hearing, both.getvalue(), start_time=3)[0] == "Cat"
    with pytest.raises(BadParameter, match="outside the clip of 6 s"):
        heard(hearing, both.getvalue(), start_time=6)


def test_a_filter_keeps_what_is_asked_for(hearing: Predictor) -> None:
    meow = clip("cat_meow.wav")

    assert heard(hearing, meow, filter="Speech,Vehicle horn, car horn, honking,meow")[0] == "Meow"
    assert len(heard(hearing, meow, filter="Speech,Vehicle horn, car horn, honking,meow")) == 3
    with pytest.raises(BadParameter, match="'Miaow' is not a label"):
        heard(hearing, meow, filter="Miaow")


def test_ids_are_those_of_audioset(hearing: Predictor) -> None:
    ids = {label.name: label.id for label in hearing.labels}

    assert len(ids) == 521
    assert (ids["Rain"], ids["Speech"], ids["Field recording"]) == ("/m/06mb1", "/m/09x0r", "/m/07hvw1")


@pytest.mark.parametrize(
    "name", ["audio_classifier", "audio_embedding_generator", "speech_commands", "speech_to_text_converter"]
)
def test_the_public_clips_reach_the_bar(name: str) -> None:
    if name == "speech_to_text_converter":
        pytest.importorskip("pocketsphinx")

    assert [one for one in measure(find(name)) if not one.reached] == []


def test_a_word_in_a_longer_clip_is_found() -> None:
    made = Predictor(load_model(find("speech_commands")), load_settings({}))
    word = read_audio(clip("word_no.wav"), settings=load_settings({}), rate=RATE)
    long = np.concatenate([np.zeros(2 * RATE, np.float32), word, np.zeros(RATE, np.float32)])

    seconds = made.model._pre_process(long)

    assert seconds.shape[1:] == (49, 10, 1)
    probabilities = made.model._post_process(made.model._predict(seconds))
    assert made.labels[int(np.argmax(probabilities))].name == "no"
    made.close()


@pytest.mark.tensorflow
def test_the_converted_words_are_those_of_the_original_graph(monkeypatch: pytest.MonkeyPatch) -> None:
    import tensorflow as tf

    convert = beside("speech_commands", "convert", monkeypatch)
    graph = tf.compat.v1.GraphDef()
    graph.ParseFromString(fetch(convert.ORIGINAL).read_bytes())
    whole = tf.compat.v1.wrap_function(lambda: tf.compat.v1.import_graph_def(graph, name=""), [])

    assert convert.compare(whole, convert.CONVERTED.read_bytes()) <= convert.ALLOWED


def table(rows: list[list[float]], names: list[str] | None = None) -> Inputs:
    lines = [",".join(names)] if names else []
    lines += [",".join(str(value) for value in row) for row in rows]
    return Inputs(files={"file": Upload("\n".join(lines).encode())})


@pytest.mark.parametrize(
    ("model", "hours", "width"), [("univariate", 24, 1), ("multistep", 48, 48), ("multivariate", 24, 15)]
)
def test_scaled_numbers_are_answered_window_by_window_as_ever(
    weather: Predictor, model: str, hours: int, width: int
) -> None:
    rows = np.random.default_rng(1).uniform(-1, 1, (3 * hours, 15)).round(4).tolist()

    answer: Any = weather.answer(table(rows), {"model": model})

    assert np.shape(answer.predictions) == (3, width)
    alone: Any = weather.answer(table(rows[hours : 2 * hours]), {"model": model})
    assert np.allclose(alone.predictions[0], answer.predictions[1], atol=1e-3)
    with pytest.raises(BadInput, match="no multiple"):
        weather.answer(table(rows[:-1]), {"model": model})
    with pytest.raises(BadInput, match=f"needs {hours} hours"):
        weather.answer(table(rows[: hours - 1]), {"model": model})


def test_natural_units_without_names_are_refused(weather: Predictor) -> None:
    with pytest.raises(BadInput, match="70 is too far from the scaled values"):
        weather.answer(table([[70.0] * 15] * 24))
    with pytest.raises(BadInput, match="no column 'HOURLYVISIBILITY'"):
        weather.answer(table([[70.0] * 15] * 24, [f"c{n}" for n in range(15)]))


@pytest.mark.tensorflow
@pytest.mark.parametrize("name", ["univariate", "multistep", "multivariate"])
def test_the_networks_compute_what_keras_2_computed(name: str, weather: Predictor) -> None:
    import h5py
    import tensorflow as tf

    model: Any = weather.model
    layers = []
    with h5py.File(model.asset(f"{name}_model.h5")) as file:
        config = json.loads(file.attrs["model_config"])["config"]
        for layer in config["layers"] if isinstance(config, dict) else config:
            of = layer["config"]
            if layer["class_name"] == "LSTM":
                made = tf.keras.layers.LSTM(
                    of["units"],
                    activation=of["activation"],
                    # The hard sigmoid of Keras 2; that of Keras 3 has another slope.
                    recurrent_activation=lambda x: tf.clip_by_value(0.2 * x + 0.5, 0.0, 1.0),
                    return_sequences=of["return_sequences"],
                )
            elif layer["class_name"] == "Dense":
                made = tf.keras.layers.Dense(of["units"])
            else:
                continue
            stored = file["model_weights"][of["name"]][of["name"]]
            order = ["kernel:0", "recurrent_kernel:0", "bias:0"]
            layers.append((made, [stored[part][...] for part in order if part in stored]))
    hours = model.networks[name].hours
    rows = np.random.default_rng(1).uniform(-1, 1, (64, hours, 15)).astype(np.float32)
    x = tf.constant(rows)
    for made, weights in layers:
        made.build(x.shape)
        made.set_weights(weights)
        x = made(x)

    assert np.abs(model.networks[name].run(rows) - x.numpy()).max() < 1e-5


def test_users_that_are_not_known_are_refused_and_known_ones_get_what_is_new_to_them() -> None:
    made = Predictor(load_model(find("recommender")), load_settings({}))
    model: Any = made.model

    for user in ("1", "9999999999999999999999", "ann", "", "10001.0", "-10001", "１０００１"):
        with pytest.raises(RequestError):
            made.answer(Inputs(body={"user_id": user}))
    for user in ("10001", "10019", "42711"):
        answer: Any = made.answer(Inputs(body={"user_id": user}), {"num_results": "20"})
        start, end = model.ends[int(user)]
        visited = {model.names[column] for column in model.visited[start:end]}
        assert len(answer.predictions) == 20
        assert not visited & {one.item for one in answer.predictions}
    made.close()
