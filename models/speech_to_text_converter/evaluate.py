"""How many words are wrong, on three sentences of LibriSpeech."""

from pathlib import Path

from maxfw.catalog import ModelFolder, find, load_module
from maxfw.quality import Measured, measure

FOLDER = Path(__file__).resolve().parent
clips = load_module(ModelFolder(find("audio_classifier").path / "clips.py"))
SAID = {
    "speech_2830-3980-0043.wav": "experience proves this",
    "speech_4507-16021-0012.wav": "why should one halt on the way",
    "speech_8455-210777-0068.wav": "your power is sufficient i said",
}


def evaluate(model):
    """Substituted, missing and added words, as a share of those that were said."""
    heard = clips.clips()
    errors = words = 0
    for name, sentence in SAID.items():
        understood = model._predict(model._pre_process(heard[name].waveform()))
        said = sentence.split()
        errors += word_errors(said, understood.split())
        words += len(said)
    where = f"{len(SAID)} sentences of LibriSpeech, {words} words"
    return [Measured("word error rate", where, errors / words, bar=0.5, at_most=True)]


def word_errors(said, heard):
    """The fewest words to substitute, remove or add that make one list of words the other (Levenshtein)."""
    costs = list(range(len(heard) + 1))
    for row, one in enumerate(said, start=1):
        diagonal, costs[0] = costs[0], row
        for column, other in enumerate(heard, start=1):
            cheapest = min(costs[column] + 1, costs[column - 1] + 1, diagonal + (one != other))
            diagonal, costs[column] = costs[column], cheapest
    return costs[-1]


if __name__ == "__main__":
    print(*measure(ModelFolder(FOLDER)), sep="\n")
