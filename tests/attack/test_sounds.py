"""Clips made to hurt, and heads that lie."""

from __future__ import annotations

import json

import pytest
from hostile_files import SOUND_BOMBS, SOUND_LIES, TONE, clip, wav
from raw_http import Answer, exchange, request
from target import Target, multipart, survives

pytestmark = pytest.mark.slow


def send(server: Target, blob: bytes) -> Answer:
    form = multipart([("audio", "x.wav", blob)])
    return exchange(server.port, request(body=form, media_type="multipart/form-data; boundary=b"))


@pytest.mark.parametrize("name", SOUND_BOMBS)
def test_a_clip_made_to_hurt_is_refused(sound_server: Target, name: str) -> None:
    blob = SOUND_BOMBS[name]()
    # 10 min of sound at 16 kHz are 38 MB, which are copied once when they are complete.
    with survives(sound_server, peak_mb=150):
        answer = send(sound_server, blob)

    assert answer.status in (400, 413, 415), answer
    assert {"code", "hint", "message"} <= json.loads(answer.body).keys()


@pytest.mark.parametrize("name", SOUND_LIES)
def test_a_head_that_lies_is_not_believed(sound_server: Target, name: str) -> None:
    with survives(sound_server, peak_mb=60):
        answer = send(sound_server, SOUND_LIES[name]())

    assert answer.status in (200, 400), answer
    if answer.status == 200:
        assert json.loads(answer.body)["seconds"] <= 10


@pytest.mark.parametrize(
    "blob", [wav(data=TONE), clip(10), clip(10, "MP3"), clip(10, "OGG")], ids=["WAV", "FLAC", "MP3", "Ogg"]
)
def test_a_clip_that_is_cut_anywhere_is_answered_or_refused(sound_server: Target, blob: bytes) -> None:
    with survives(sound_server):
        statuses = {
            send(sound_server, blob[:size]).status for size in range(1, len(blob), max(1, len(blob) // 20))
        }

    assert statuses <= {200, 400, 415}


@pytest.mark.parametrize("channels", [1, 2, 8])
def test_many_channels_are_answered_as_one(sound_server: Target, channels: int) -> None:
    with survives(sound_server):
        answer = send(sound_server, wav(channels=channels, data=TONE * channels))

    assert answer.status == 200, answer
    assert json.loads(answer.body)["seconds"] == pytest.approx(1, abs=0.01)


@pytest.mark.long
def test_a_day_of_silence_is_refused(sound_server: Target) -> None:
    with survives(sound_server, peak_mb=200):
        assert send(sound_server, clip(86_400, "FLAC", 8_000)).status == 413
