"""PocketSphinx: English speech as text, without deep learning."""

import numpy as np

from maxfw.errors import MissingExtra
from maxfw.model import MAXModelWrapper
from maxfw.tasks.speech_to_text import SpeechToText

RATE = 16_000
LONGEST_S = 60  # noise, which fits every word a little, takes a third of its length on a core of its own

# As few hypotheses as on a telephone: three times as fast as the defaults, and the sample sentences stay the same.
MOST_STATES, MOST_WORDS = 3_000, 10  # that are followed at each moment


class ModelWrapper(MAXModelWrapper):
    """Hidden Markov models of sounds, a dictionary of 135,000 words, and how often three of them follow each other."""

    MODEL_META_DATA = {
        "id": "max-speech-to-text-converter",
        "name": "Speech to Text Converter",
        "description": "PocketSphinx writes down slow, clear English. It is no deep learning but hidden Markov models, "
        "and gets every third word wrong.",
        "type": "Speech to Text",
        "source": "https://github.com/cmusphinx/pocketsphinx",
        "license": "BSD-2-Clause",
    }
    task = SpeechToText(rate=RATE, longest_s=LONGEST_S)

    def __init__(self, path=None):
        try:
            from pocketsphinx import Decoder
        except ImportError as error:
            raise MissingExtra("speech", needs="pocketsphinx") from error
        folder = {} if path is None else {"hmm": str(path)}
        # The mean of the spectrum is taken over the whole clip: by default it would be that of the requests before.
        self.decoder = Decoder(
            samprate=RATE, cmn="batch", maxhmmpf=MOST_STATES, maxwpf=MOST_WORDS, loglevel="FATAL", **folder
        )

    def _pre_process(self, waveform):
        """Waveform, float32 (n,), −1…1, mono, 16 kHz → int16 (n,)."""
        return np.round(waveform * 32_767).astype(np.int16)

    def _predict(self, samples):
        """int16 (n,) → the text, lower case, without punctuation."""
        self.decoder.reinit_feat()  # forgets how loud the noise of the request before was
        self.decoder.start_utt()
        self.decoder.process_raw(samples.tobytes(), no_search=False, full_utt=True)
        self.decoder.end_utt()
        found = self.decoder.hyp()
        return found.hypstr if found else ""
