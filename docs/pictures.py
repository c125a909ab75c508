"""The pictures of the documentation: answers of the zoo, drawn on their samples.

    python docs/pictures.py                   all whose framework is installed here
    python docs/pictures.py object_detector   those of one model

Each is `docs/pictures/MODEL.jpg`, at most 640 pixels on its longer side.
The samples are in the public domain, under a free licence that their `.asset` states, or our own.
"""

from __future__ import annotations

import sys
from pathlib import Path

from PIL import Image

from maxfw.catalog import find, load_model
from maxfw.contract import samples_of
from maxfw.drawing import draw
from maxfw.errors import MissingExtra
from maxfw.predictor import Predictor
from maxfw.settings import load_settings

FOLDER = Path(__file__).parent / "pictures"
SIDE = 640  # pixels, the longer one

# Model → the sample that shows what its task answers.
SHOWN = {
    "audio_classifier": "cat_meow",
    "facial_emotion_classifier": "grace_hopper",
    "fast_neural_style_transfer": "bridge",
    "human_pose_estimator": "Pilots",
    "image_caption_generator": "surfing",
    "image_classifier": "plane",
    "image_embedder": "jockey",
    "image_resolution_enhancer": "lowres_food",
    "image_segmenter": "dog-human",
    "nucleus_segmenter": "drawn",
    "object_detector": "dog-human",
    "ocr": "columns",
    "speech_commands": "word_yes",
    "text_sentiment_classifier": "reviews",
    "weather_forecaster": "multistep",
}


def picture(model: str, sample_name: str) -> Image.Image:
    """The model's answer to one of its samples, drawn on it."""
    folder = find(model)
    predictor = Predictor(load_model(folder), load_settings())
    try:
        samples = {sample.name: sample for sample in samples_of(folder, predictor.task)}
        sample = samples[sample_name]
        answer = predictor.answer(sample.inputs, sample.parameters)
        drawn = draw(predictor.task, sample.inputs, answer, ask=predictor.answer)
    finally:
        predictor.close()
    drawn = drawn.convert("RGB")
    drawn.thumbnail((SIDE, SIDE))
    return drawn


def main(models: list[str]) -> None:
    """Draw the pictures of these models, or of all."""
    FOLDER.mkdir(exist_ok=True)
    for model in models or SHOWN:
        try:
            picture(model, SHOWN[model]).save(FOLDER / f"{model}.jpg", quality=85, optimize=True)
        except MissingExtra as error:
            print(f"{model}: {error}")
        else:
            print(f"drew {FOLDER / model}.jpg")


if __name__ == "__main__":
    main(sys.argv[1:])
