"""The waveform, what was heard in each part of it, and a bar for each label."""

from __future__ import annotations

import io
import wave

import numpy as np
from PIL import Image

from maxfw.drawing.bars import bars
from maxfw.drawing.base import Ask, stacked
from maxfw.drawing.waveform import RATE, Part, picture_of_sound, waveform_in
from maxfw.tasks.audio_classification import AudioClassificationAnswer
from maxfw.tasks.base import Answer, Inputs, Upload

MOST_PARTS = 24


def draw(inputs: Inputs, answer: AudioClassificationAnswer, *, ask: Ask | None = None) -> Image.Image:
    """The waveform over bars; where the model can be asked, a band says what each part was taken for."""
    waveform = waveform_in(inputs)
    chart = bars([(found.label, found.probability) for found in answer.predictions])
    return stacked([picture_of_sound(waveform, _parts(waveform, ask) if ask else []), chart])


def _parts(waveform: np.ndarray, ask: Ask) -> list[Part]:
    """The likeliest label of each second, of longer parts where there are many."""
    seconds = len(waveform) / RATE
    length = max(1.0, seconds / MOST_PARTS)
    parts: list[Part] = []
    for start in np.arange(0, max(seconds - 0.25, 0.01), length):
        cut = waveform[int(start * RATE) : int((start + length) * RATE)]
        found = _predictions(ask(Inputs(files={"audio": Upload(_wav(cut), "part.wav", "audio/wav")})))
        if found:
            parts.append(Part(float(start), min(float(start) + length, seconds), found[0]))
    return parts


def _predictions(answer: Answer) -> list[str]:
    assert isinstance(answer, AudioClassificationAnswer)
    return [found.label for found in answer.predictions]


def _wav(waveform: np.ndarray) -> bytes:
    file = io.BytesIO()
    with wave.open(file, "wb") as wav:
        wav.setnchannels(1)
        wav.setsampwidth(2)
        wav.setframerate(RATE)
        wav.writeframes((waveform * 32767).astype("<i2").tobytes())
    return file.getvalue()
