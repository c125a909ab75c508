"""Hugging Face: a `transformers` model from a local folder, run by PyTorch."""

from __future__ import annotations

import os
from collections.abc import Sequence

import numpy as np

from maxfw.errors import BadModel
from maxfw.runtimes.base import Runtime, TensorSpec, existing, import_framework, loading
from maxfw.runtimes.pytorch import fresh_array

TOKENS = (
    TensorSpec("input_ids", np.dtype(np.int64), (None, None)),
    TensorSpec("attention_mask", np.dtype(np.int64), (None, None)),
)
"""What models of text take: int64 (n, length) each."""


class HuggingFaceRuntime(Runtime):
    """A folder as `save_pretrained` writes it, with `config.json` and `model.safetensors`.

    `head` is the class of `transformers` that loads it, such as `AutoModelForSequenceClassification`; `outputs` are
    the fields of its answer that are returned, such as `["logits"]`.
    Nothing is downloaded, no pickle is read and no code of the folder is run.

    Raises:
        MissingExtra: transformers or torch is not installed.
        BadModel: the folder is absent, damaged, or has no safetensors; `transformers` has no such head.
    """

    framework = "transformers"

    def __init__(
        self,
        folder: str | os.PathLike[str],
        *,
        head: str = "AutoModel",
        inputs: Sequence[TensorSpec] = TOKENS,
        outputs: Sequence[str] = ("last_hidden_state",),
    ) -> None:
        self._torch = import_framework("torch", extra="huggingface", needs="torch")
        transformers = import_framework("transformers", extra="huggingface", needs="transformers")
        path = existing(folder, self.framework)
        if not hasattr(transformers, head):
            raise BadModel(
                f"transformers has no class {head!r}", hint='like "AutoModelForSequenceClassification"'
            )
        with loading(path, self.framework):
            self._model = getattr(transformers, head).from_pretrained(
                os.fspath(path), local_files_only=True, use_safetensors=True, trust_remote_code=False
            )
        self._model.eval()
        self.inputs = tuple(inputs)
        self.outputs = tuple(TensorSpec(name) for name in outputs)

    def _run(self, arrays: list[np.ndarray]) -> list[np.ndarray]:
        tensors = {
            spec.name: self._torch.tensor(array) for spec, array in zip(self.inputs, arrays, strict=True)
        }
        with self._torch.inference_mode():
            answer = self._model(**tensors, return_dict=True)
        if missing := [spec.name for spec in self.outputs if spec.name not in answer]:
            raise ValueError(f"the model answers {list(answer)}, not {missing}: set outputs=")
        return [fresh_array(answer[spec.name]) for spec in self.outputs]
