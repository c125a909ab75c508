"""The names that others import stay importable; removing one is a decision, not an accident."""

from __future__ import annotations

import importlib

import pytest

NAMES = {
    "maxfw": ["__version__"],
    "maxfw.model": ["MAXModelWrapper", "Probability", "UploadedImage"],
    "maxfw.assets": ["Asset", "fetch", "located"],
    "maxfw.client": ["Client", "Answer"],
    "maxfw.errors": ["MaxfwError", "RequestError", "BadInput", "AnswerError", "MissingExtra"],
    "maxfw.media": ["read_image", "read_audio"],
    "maxfw.settings": ["Settings", "load_settings"],
    "maxfw.tasks": ["Task", "all_tasks", "task_named", "ObjectDetection", "TextClassification"],
    "maxfw.tasks.base": ["Answer", "Inputs", "Label", "Task", "Upload"],
    "maxfw.tasks.image_classification": ["Classification", "ImageClassification"],
    "maxfw.tasks.image_to_image": ["ImageToImage"],
    "maxfw.tasks.object_detection": ["Detection", "ObjectDetection", "detections"],
    "maxfw.tasks.text_classification": ["TextClassification"],
    "maxfw.tasks.question_answering": ["Question", "QuestionAnswering"],
    "maxfw.tasks.summarization": ["Summarization"],
    "maxfw.tasks.text_embedding": ["TextEmbedding"],
    "maxfw.tasks.text_generation": ["Seed", "TextGeneration"],
    "maxfw.tasks.token_classification": ["TokenClassification"],
    "maxfw.tasks.toxicity": ["Toxicity"],
    "maxfw.datasets": ["read"],
    "maxfw.quality": ["Measured"],
    "maxfw.sampling": ["RandomSeed", "Temperature", "chosen"],
    "maxfw.training": ["run"],
    "maxfw.runtimes.litert": ["LiteRTRuntime"],
    "maxfw.runtimes.onnx": ["OnnxRuntime"],
    "maxfw.runtimes.tf_keras": ["TFKerasRuntime"],
    "maxfw.runtimes.pytorch": ["PyTorchRuntime"],
    "maxfw.catalog": ["find", "load_model", "models"],
    "maxfw.predictor": ["Predictor"],
    "maxfw.web.app": ["create_app"],
    # The names of 2019.
    "maxfw.core": [
        "MAXApp", "MAX_API", "MAXAPI", "MetadataAPI", "PredictAPI", "CustomMAXAPI", "METADATA_SCHEMA",
        "MAXImageProcessor", "ImageProcessor", "redirect_errors_to_flask", "Resource", "fields", "abort",
        "api", "app", "utils", "default_config",
    ],
    "maxfw.core.default_config": ["API_TITLE", "API_DESC", "API_VERSION"],
    "maxfw.core.utils": ["MAXImageProcessor", "redirect_errors_to_flask"],
    "maxfw.utils.image_utils": [
        "ImageProcessor", "ToPILImage", "PILtoarray", "Normalize", "Standardize", "Resize", "Rotate", "Grayscale",
    ],
    "maxfw.utils.image_functions": [
        "to_pil_image", "pil_to_array", "normalize", "standardize", "resize", "crop", "center_crop", "resized_crop",
        "hflip", "vflip", "adjust_brightness", "adjust_contrast", "adjust_saturation", "adjust_hue", "adjust_gamma",
        "rotate", "to_grayscale",
    ],
}  # fmt: skip


@pytest.mark.parametrize("module", NAMES)
def test_its_names_are_there(module: str) -> None:
    found = importlib.import_module(module)

    assert [name for name in NAMES[module] if not hasattr(found, name)] == []
