"""Hugging Face: a tiny model with random weights, saved to a folder and run from it."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from maxfw.errors import BadModel, MissingExtra
from maxfw.runtimes import HuggingFaceRuntime

pytestmark = [
    pytest.mark.pytorch,
    pytest.mark.skipif(importlib.util.find_spec("torch") is None, reason="torch is not installed"),
]
needs_transformers = pytest.mark.skipif(
    importlib.util.find_spec("transformers") is None, reason="transformers is not installed"
)


def test_missing_transformers_are_answered_with_the_pip_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "transformers", None)

    with pytest.raises(MissingExtra) as refusal:
        HuggingFaceRuntime("any folder")

    assert str(refusal.value) == "transformers is not installed: pip install 'maxfw[huggingface]'"


@pytest.fixture
def model() -> Any:
    from transformers import BertConfig, BertForSequenceClassification

    config = BertConfig(
        vocab_size=40,
        hidden_size=16,
        num_hidden_layers=1,
        num_attention_heads=2,
        intermediate_size=16,
        num_labels=3,
    )
    return BertForSequenceClassification(config).eval()


@pytest.fixture
def tokens() -> dict[str, np.ndarray]:
    """Three texts of five tokens, the last of them padded."""
    ids = np.random.default_rng(1).integers(1, 40, size=(3, 5))
    mask = np.ones_like(ids)
    mask[2, 3:] = 0
    return {"input_ids": ids, "attention_mask": mask}


@needs_transformers
def test_a_folder_answers_like_the_model_that_was_saved(
    tmp_path: Path, model: Any, tokens: dict[str, np.ndarray]
) -> None:
    import torch

    model.save_pretrained(tmp_path)
    with torch.inference_mode():
        expected = model(**{name: torch.tensor(array) for name, array in tokens.items()}).logits.numpy()

    runtime = HuggingFaceRuntime(tmp_path, head="AutoModelForSequenceClassification", outputs=["logits"])

    np.testing.assert_allclose(runtime.run(tokens)[0], expected, atol=1e-5)


@needs_transformers
def test_a_padded_text_answers_like_the_text_alone(
    tmp_path: Path, model: Any, tokens: dict[str, np.ndarray]
) -> None:
    model.save_pretrained(tmp_path)
    runtime = HuggingFaceRuntime(tmp_path, head="AutoModelForSequenceClassification", outputs=["logits"])

    together = runtime.run(tokens)[0]
    alone = runtime.run({name: array[2:, :3] for name, array in tokens.items()})[0]

    np.testing.assert_allclose(together[2:], alone, atol=1e-5)


@needs_transformers
def test_what_is_not_in_the_answer_is_refused_with_what_is(
    tmp_path: Path, model: Any, tokens: dict[str, np.ndarray]
) -> None:
    model.save_pretrained(tmp_path)
    runtime = HuggingFaceRuntime(tmp_path, head="AutoModelForSequenceClassification", outputs=["label"])

    with pytest.raises(ValueError, match=r"answers \['logits'\], not \['label'\]"):
        runtime.run(tokens)


@needs_transformers
def test_wrong_folders_and_heads_are_bad_models(tmp_path: Path, model: Any) -> None:
    model.save_pretrained(tmp_path / "whole")
    (tmp_path / "empty").mkdir()
    weights = tmp_path / "whole" / "model.safetensors"

    with pytest.raises(BadModel, match="no class 'AutoModelForEverything'"):
        HuggingFaceRuntime(tmp_path / "whole", head="AutoModelForEverything")
    with pytest.raises(BadModel, match="does not exist"):
        HuggingFaceRuntime(tmp_path / "absent")
    with pytest.raises(BadModel, match="transformers cannot load"):
        HuggingFaceRuntime(tmp_path / "empty")
    weights.write_bytes(weights.read_bytes()[:200])
    with pytest.raises(BadModel, match="transformers cannot load"):
        HuggingFaceRuntime(tmp_path / "whole")


@needs_transformers
def test_a_folder_with_a_pickle_only_is_refused(tmp_path: Path, model: Any) -> None:
    import torch

    model.config.save_pretrained(tmp_path)
    torch.save(model.state_dict(), tmp_path / "pytorch_model.bin")

    with pytest.raises(BadModel, match="transformers cannot load"):
        HuggingFaceRuntime(tmp_path)
