"""Audio classification: what can be heard in a sound."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any

import numpy as np
from msgspec import Meta

from maxfw.errors import BadParameter, quoted
from maxfw.tasks.audio import AudioTask
from maxfw.tasks.base import Answer, Label
from maxfw.tasks.image_classification import Classification, ranked
from maxfw.tasks.values import probability_vector

Filter = Annotated[
    str, Meta(description="answer only these labels, names separated by commas; empty: all of them")
]

MOST = 5


class AudioClassificationAnswer(Answer, kw_only=True):
    """The labels that fit best, best first."""

    predictions: list[Classification]


class AudioClassification(AudioTask):
    """A sound in; the labels that fit it best out, best first.

    `_pre_process` takes the parameter `start_time`, for which `from_second()` is there, and `_post_process` takes
    `filter`, for which `kept()` is there. It returns `Classification`s, or the probabilities as a vector in the order
    of the labels, of which the five best are answered.
    """

    name = "audio-classification"
    title = "Audio Classification"
    answer = AudioClassificationAnswer
    standard_parameters = ("start_time", "filter")

    template_imports = """\
import numpy as np

from maxfw.model import MAXModelWrapper
from maxfw.tasks.audio import StartTime, from_second
from maxfw.tasks.audio_classification import AudioClassification, Filter, kept"""
    template = '''\
    task = AudioClassification(labels=["loud", "quiet"], rate=16_000)

    def _pre_process(self, waveform, *, start_time: StartTime = 0.0):
        """Waveform, float32 (n,), −1…1, mono, 16 kHz → how loud it is, float32 (1,), 0…1."""
        heard = from_second(waveform, start_time, self.task.rate)
        return np.sqrt(np.mean(heard**2, keepdims=True))

    def _predict_batch(self, batch):
        """n × float32 (1,) → n × float32 (2,), the probabilities of the labels."""
        loud = np.stack(batch).clip(0, 1)
        return np.concatenate([loud, 1 - loud], axis=1)

    def _post_process(self, probabilities, *, filter: Filter = ""):
        """float32 (2,) → the best of the labels that are asked for."""
        return kept(probabilities, self.labels, filter)
'''

    def write(
        self, items: Sequence[Any], outcomes: Sequence[Any], labels: Sequence[Label]
    ) -> AudioClassificationAnswer:
        """A vector of probabilities, or classifications → the best five."""
        return AudioClassificationAnswer(predictions=ranked(outcomes[0], labels, top=MOST, most=MOST))


def kept(
    probabilities: np.ndarray | Sequence[float], labels: Sequence[Label], wanted: str
) -> list[Classification]:
    """Probabilities in the order of the labels, float (n,) → the best five of the labels that are wanted.

    Raises:
        BadParameter: a name in the filter is not a label.
        BadModelOutput: there are not as many probabilities as labels, or one is not from 0 to 1.
    """
    vector = probability_vector(probabilities, len(labels), name_of=lambda index: labels[index].name)
    chosen = _named(wanted, labels) if wanted.strip() else range(len(labels))
    order = sorted(chosen, key=lambda index: -vector[index])[:MOST]
    return [Classification(labels[index].id, labels[index].name, float(vector[index])) for index in order]


def _named(wanted: str, labels: Sequence[Label]) -> list[int]:
    """The positions of the labels that a filter names; commas also stand within names: `Gunshot, gunfire,Speech`."""
    positions = {_plain(label.name): index for index, label in enumerate(labels)}
    parts = wanted.split(",")
    found: dict[int, None] = {}
    while parts:
        for count in range(len(parts), 0, -1):  # the longest name that fits
            if (name := _plain(",".join(parts[:count]))) in positions:
                found[positions[name]] = None
                break
        else:
            if parts[0].strip():
                raise BadParameter(
                    f"parameter 'filter': {quoted(parts[0].strip())} is not a label of this model",
                    hint="GET /model/labels lists them; separate several by commas",
                )
            count = 1
        del parts[:count]
    return list(found)


def _plain(name: str) -> str:
    """A name as it is compared: without regard to capitals and to spaces around commas."""
    return ",".join(part.strip() for part in name.casefold().split(","))
