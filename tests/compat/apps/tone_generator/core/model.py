import io
import wave
import numpy as np
from maxfw.model import MAXModelWrapper


class ModelWrapper(MAXModelWrapper):

    MODEL_META_DATA = {
        'id': 'tone-generator',
        'name': 'Tone Generator',
        'description': 'Makes a tone',
        'type': 'Audio Generation',
        'source': 'https://developer.example/tones',
        'license': 'Apache2'
    }

    def _predict(self, x):
        frequency = {'low': 220, 'high': 880}[x]
        return np.sin(np.arange(800) * 2 * np.pi * frequency / 8000)

    def _post_process(self, x):
        sound = io.BytesIO()
        with wave.open(sound, 'wb') as file:
            file.setnchannels(1)
            file.setsampwidth(2)
            file.setframerate(8000)
            file.writeframes((x * 32767).astype(np.int16).tobytes())
        return sound.getvalue()
