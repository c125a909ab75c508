"""Whether the sample words are recognised: two command words, silence, and three words that it does not know."""

from pathlib import Path

from maxfw.catalog import ModelFolder, find, load_module
from maxfw.quality import Measured, measure

FOLDER = Path(__file__).resolve().parent
clips = load_module(ModelFolder(find("audio_classifier").path / "clips.py"))
COMMANDS = {"word_yes.wav": "yes", "word_no.wav": "no", "silence.wav": "_silence_"}
OTHERS = dict.fromkeys(("digit_3_jackson.wav", "digit_7_theo.wav", "digit_9_nicolas.wav"), "_unknown_")


def evaluate(model):
    """How many of the clips are answered rightly."""
    return [
        Measured("sample words and silence right", "3 public clips", right(model, COMMANDS), bar=3),
        Measured("other words called unknown", "3 spoken digits", right(model, OTHERS), bar=2),
    ]


def right(model, wanted):
    """Of `{name of a clip: label}`, how many are answered so."""
    heard = clips.clips()
    count = 0
    for name, label in wanted.items():
        probabilities = model._post_process(model._predict(model._pre_process(heard[name].waveform())))
        count += model.labels[int(probabilities.argmax())].name == label
    return count


if __name__ == "__main__":
    print(*measure(ModelFolder(FOLDER)), sep="\n")
