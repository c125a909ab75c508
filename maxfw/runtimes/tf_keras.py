"""TensorFlow: a SavedModel folder, a Keras file, or a frozen graph of TensorFlow 1."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from maxfw.errors import BadModel
from maxfw.runtimes.base import Runtime, TensorSpec, existing, import_framework, loading

KERAS_FILES = {".keras", ".h5", ".hdf5"}


class TFKerasRuntime(Runtime):
    """A SavedModel folder, a `.keras`, `.h5` or `.hdf5` file, or a frozen graph `.pb`.

    A frozen graph does not say where it begins and ends: name its tensors, `inputs=["x:0"], outputs=["y:0"]`.
    Of a SavedModel, `signature` is run; its inputs and outputs are in alphabetical order, as TensorFlow keeps them.
    The graph is traced once, here. Keras files are loaded in safe mode: one that carries Python code is refused.

    Raises:
        MissingExtra: tensorflow is not installed.
        BadModel: the file is absent, damaged, or has no such signature or tensor.
    """

    framework = "TensorFlow"

    def __init__(
        self,
        path: str | os.PathLike[str],
        *,
        inputs: Sequence[str] = (),
        outputs: Sequence[str] = (),
        signature: str = "serving_default",
    ) -> None:
        # Only a wish about the log, and only if nobody has stated another: TensorFlow reads it when it is imported.
        os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
        self._tf = import_framework("tensorflow", extra="tensorflow", needs="tensorflow")
        file = existing(path, self.framework)
        frozen = file.is_file() and file.suffix not in KERAS_FILES
        if frozen != bool(inputs and outputs):
            raise BadModel(
                f"{file}: a frozen graph, and only a frozen graph, is loaded with inputs=[…] and outputs=[…]",
                hint='name its first and last tensors, like inputs=["x:0"], outputs=["y:0"]',
            )
        with loading(file, self.framework):
            if frozen:
                self._load_frozen(file, list(inputs), list(outputs))
            elif file.is_dir():
                self._load_saved_model(file, signature)
            else:
                self._load_keras(file)

    def _load_frozen(self, file: Path, inputs: list[str], outputs: list[str]) -> None:
        v1 = self._tf.compat.v1
        graph = v1.GraphDef()
        graph.ParseFromString(file.read_bytes())
        whole = v1.wrap_function(lambda: v1.import_graph_def(graph, name=""), [])
        self._function = whole.prune(inputs, outputs)
        self.inputs = tuple(_spec(name, t) for name, t in zip(inputs, self._function.inputs, strict=True))
        self.outputs = tuple(_spec(name, t) for name, t in zip(outputs, self._function.outputs, strict=True))
        self._by_name = False

    def _load_saved_model(self, folder: Path, signature: str) -> None:
        self._loaded = self._tf.saved_model.load(os.fspath(folder))  # owns the variables: must stay alive
        if signature not in self._loaded.signatures:
            raise BadModel(f"{folder} has no signature {signature!r}, only {sorted(self._loaded.signatures)}")
        self._function = self._loaded.signatures[signature]
        named_inputs = self._function.structured_input_signature[1]
        self.inputs = tuple(_spec(name, named_inputs[name]) for name in sorted(named_inputs))
        named_outputs = self._function.structured_outputs
        self.outputs = tuple(_spec(name, named_outputs[name]) for name in sorted(named_outputs))
        self._by_name = True

    def _load_keras(self, file: Path) -> None:
        tf = self._tf
        model = tf.keras.models.load_model(os.fspath(file), compile=False, safe_mode=True)
        names = getattr(model, "output_names", None) or [tensor.name for tensor in model.outputs]
        structure = getattr(model, "input", model.inputs[0])  # a Sequential model from a file has no `input`

        def answer(*tensors: Any) -> Any:
            nonlocal names
            answered = model(tf.keras.tree.pack_sequence_as(structure, tensors), training=False)
            names = sorted(answered) if isinstance(answered, dict) else names
            return tf.keras.tree.flatten(answered)

        specs = [tf.TensorSpec(tensor.shape, tensor.dtype, tensor.name) for tensor in model.inputs]
        self._loaded = model
        self._function = tf.function(answer, input_signature=specs, autograph=False).get_concrete_function()
        self.inputs = tuple(_spec(tensor.name, tensor) for tensor in model.inputs)
        self.outputs = tuple(_spec(name, t) for name, t in zip(names, self._function.outputs, strict=True))
        self._by_name = False

    def _run(self, arrays: list[np.ndarray]) -> list[np.ndarray]:
        tensors = [self._tf.constant(array) for array in arrays]
        if not self._by_name:
            return [np.array(tensor) for tensor in self._function(*tensors)]
        named = self._function(**{spec.name: t for spec, t in zip(self.inputs, tensors, strict=True)})
        return [np.array(named[spec.name]) for spec in self.outputs]


def _spec(name: str, tensor: Any) -> TensorSpec:
    shape: Any = getattr(tensor, "shape", None)
    if hasattr(shape, "rank"):  # TensorFlow's TensorShape, whose rank may be unknown
        shape = None if shape.rank is None else shape.as_list()
    dtype = getattr(tensor.dtype, "as_numpy_dtype", tensor.dtype)  # Keras writes it as text
    return TensorSpec(name, np.dtype(dtype), None if shape is None else tuple(shape))
