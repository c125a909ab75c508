"""PyTorch: a module, an exported program, a TorchScript file, or a state dict."""

from __future__ import annotations

import contextlib
import inspect
import os
import threading
import warnings
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from maxfw.errors import BadModel
from maxfw.runtimes.base import Runtime, TensorSpec, existing, import_framework, loading

TENSORS_ONLY = "TORCH_FORCE_WEIGHTS_ONLY_LOAD"
"""While this variable of PyTorch is 1, `torch.load` unpickles tensors and nothing else, whoever calls it."""

_loading = threading.Lock()


class PyTorchRuntime(Runtime):
    """A `torch.nn.Module`, a file of `torch.export` (`.pt2`), a TorchScript file, or a state dict with its `module`.

    An exported program states its inputs and outputs. The others do not: state them as `inputs=[TensorSpec(…)]` and
    `outputs=…`, or the names of `forward`'s required parameters are used and types and shapes go unchecked.
    Runs in evaluation mode without gradients. No Python object but tensors is unpickled.
    `threads` is PyTorch's own number and counts for the whole process.

    Raises:
        MissingExtra: torch is not installed.
        BadModel: the file is absent, damaged, holds more than tensors, or does not fit the module.
    """

    framework = "PyTorch"

    def __init__(
        self,
        path_or_module: Any,
        *,
        module: Any = None,
        inputs: Sequence[TensorSpec] | None = None,
        outputs: Sequence[TensorSpec] = (),
        threads: int | None = None,
    ) -> None:
        self._torch = import_framework("torch", extra="pytorch", needs="torch")
        if threads is not None:
            self._torch.set_num_threads(threads)
        self.outputs = tuple(outputs)
        if isinstance(path_or_module, self._torch.nn.Module):
            self._module = path_or_module.eval()
        else:
            self._module = self._load(existing(path_or_module, self.framework), module)
        if inputs is not None:
            self.inputs = tuple(inputs)
        elif not self.inputs:
            self.inputs = tuple(TensorSpec(name) for name in _required(self._module))

    def _load(self, file: Path, module: Any) -> Any:
        with loading(file, self.framework):
            if module is not None:
                state = self._torch.load(file, map_location="cpu", weights_only=True)
                module.load_state_dict(state)
                return module.eval()
            return self._exported(file) if file.suffix == ".pt2" else self._scripted(file)

    def _exported(self, file: Path) -> Any:
        with zipfile.ZipFile(file) as archive:
            if any("/aotinductor/" in name for name in archive.namelist()):
                raise BadModel(
                    f"{file} holds machine code compiled by AOTInductor; save it with torch.export.save"
                )
        with _only_tensors():
            program = self._torch.export.load(os.fspath(file))
        nodes = {node.name: node.meta.get("val") for node in program.graph.nodes}
        signature = program.graph_signature
        self.inputs = tuple(self._spec(name, nodes[name]) for name in signature.user_inputs)
        self.outputs = self.outputs or tuple(
            self._spec(name, nodes.get(name)) for name in signature.user_outputs
        )
        return program.module()  # exported in evaluation mode or not: it cannot be switched any more

    def _scripted(self, file: Path) -> Any:
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", "`torch.jit.load` is deprecated", DeprecationWarning)
            module = self._torch.jit.load(os.fspath(file), map_location="cpu")
        # A frozen module has lost the switch: it is in evaluation mode for good.
        return module.eval() if hasattr(module, "training") else module

    def _spec(self, name: str, value: Any) -> TensorSpec:
        if not isinstance(value, self._torch.Tensor):
            return TensorSpec(str(name))
        sizes = tuple(size if isinstance(size, int) else None for size in value.shape)
        try:
            dtype = self._torch.empty(0, dtype=value.dtype).numpy().dtype
        except TypeError:  # bfloat16 and its like, which numpy does not have
            dtype = None
        return TensorSpec(name, dtype, sizes)

    def _run(self, arrays: list[np.ndarray]) -> list[np.ndarray]:
        with self._torch.inference_mode():
            # A copy: a module may write to its input, and numpy's memory may be read-only.
            answer = self._module(*(self._torch.tensor(array) for array in arrays))
        return [fresh_array(tensor) for tensor in flat(answer)]


def flat(answer: Any) -> list[Any]:
    """A tensor, or tuples, lists and mappings of them, → the tensors, in order."""
    if isinstance(answer, Mapping):
        answer = list(answer.values())
    if isinstance(answer, tuple | list):
        return [tensor for part in answer for tensor in flat(part)]
    return [answer]


def fresh_array(tensor: Any) -> np.ndarray:
    """A tensor → an array that shares no memory with it; bfloat16, which numpy does not have, as float32."""
    if not hasattr(tensor, "detach"):
        raise ValueError(f"the module returned a {type(tensor).__name__} where a tensor is needed")
    tensor = tensor.detach().cpu()
    try:
        return np.array(tensor.numpy())
    except TypeError:
        return np.array(tensor.float().numpy())


def _required(module: Any) -> list[str]:
    """The names of `forward`'s parameters that have no default."""
    if hasattr(module, "schema") or type(module).__name__.endswith("ScriptModule"):
        return [
            argument.name
            for argument in module.forward.schema.arguments[1:]
            if not argument.has_default_value()
        ]
    parameters = inspect.signature(module.forward).parameters.values()
    if any(parameter.kind is parameter.VAR_POSITIONAL for parameter in parameters):
        raise BadModel(
            f"{type(module).__name__}.forward takes any number of inputs",
            hint="state them: inputs=[TensorSpec(…)]",
        )
    keyword = inspect.Parameter.KEYWORD_ONLY, inspect.Parameter.VAR_KEYWORD
    return [p.name for p in parameters if p.default is p.empty and p.kind not in keyword]


@contextlib.contextmanager
def _only_tensors() -> Iterator[None]:
    # `torch.export.load` tries tensors first and then unpickles whatever is there; only this variable forbids it.
    with _loading:
        before = os.environ.pop(TENSORS_ONLY, None)
        os.environ[TENSORS_ONLY] = "1"
        try:
            yield
        finally:
            del os.environ[TENSORS_ONLY]
            if before is not None:
                os.environ[TENSORS_ONLY] = before
