"""Every runtime runs the same tiny model, y = softmax(relu(x @ W + b)), and says clearly what it will not take."""

from __future__ import annotations

import importlib
import importlib.util
import subprocess
import sys
import types
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from maxfw.errors import BadModel, MissingExtra
from maxfw.runtimes import LiteRTRuntime, OnnxRuntime, PyTorchRuntime, Runtime, TensorSpec, TFKerasRuntime

HERE = Path(__file__).parent
X = TensorSpec("x", np.dtype(np.float32), (None, 4))


def _neighbour(name: str) -> types.ModuleType:
    spec = importlib.util.spec_from_file_location(name, HERE / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


tiny = _neighbour("make_tiny")


@dataclass(frozen=True)
class Format:
    """A way to store the tiny model: who makes the file, and who runs it."""

    name: str
    package: str
    framework: str
    file: str
    write: Callable[[Path], None]
    load: Callable[[Path], Runtime]
    marks: tuple[pytest.MarkDecorator, ...] = ()


def _copy(name: str) -> Callable[[Path], None]:
    return lambda path: path.write_bytes((HERE / name).read_bytes()) and None


def _write_state_dict(path: Path) -> None:
    import torch

    torch.save(tiny.torch_module().state_dict(), path)


def _write_torchscript(path: Path) -> None:
    import torch

    torch.jit.save(torch.jit.script(tiny.torch_module()), path)


def _load_frozen(path: Path) -> Runtime:
    return TFKerasRuntime(path, inputs=["x:0"], outputs=["y:0"])


def _load_state_dict(path: Path) -> Runtime:
    return PyTorchRuntime(path, module=tiny.torch_module(), inputs=[X])


def _load_torchscript(path: Path) -> Runtime:
    return PyTorchRuntime(path, inputs=[X])


TENSORFLOW = (
    pytest.mark.tensorflow,
    # Keras warns about its own variables while it saves.
    pytest.mark.filterwarnings(
        "ignore:__array__ implementation doesn't accept a copy keyword:DeprecationWarning"
    ),
)
PYTORCH = (
    pytest.mark.pytorch,
    pytest.mark.filterwarnings("ignore:`torch.jit.(script|save)` is deprecated:DeprecationWarning"),
)

FORMATS = [
    Format("litert", "ai_edge_litert", "LiteRT", "tiny.tflite", _copy("tiny.tflite"), LiteRTRuntime),
    Format("onnx", "onnxruntime", "ONNX Runtime", "tiny.onnx", _copy("tiny.onnx"), OnnxRuntime),
    Format(
        "saved-model", "tensorflow", "TensorFlow", "tiny", tiny.write_saved_model, TFKerasRuntime, TENSORFLOW
    ),
    Format("keras", "tensorflow", "TensorFlow", "tiny.keras", tiny.write_keras, TFKerasRuntime, TENSORFLOW),
    Format("h5", "tensorflow", "TensorFlow", "tiny.h5", tiny.write_keras, TFKerasRuntime, TENSORFLOW),
    Format(
        "frozen-graph", "tensorflow", "TensorFlow", "tiny.pb", tiny.write_frozen, _load_frozen, TENSORFLOW
    ),
    Format("torch-export", "torch", "PyTorch", "tiny.pt2", tiny.write_exported, PyTorchRuntime, PYTORCH),
    Format("torchscript", "torch", "PyTorch", "tiny.pt", _write_torchscript, _load_torchscript, PYTORCH),
    Format("state-dict", "torch", "PyTorch", "tiny.pth", _write_state_dict, _load_state_dict, PYTORCH),
]

RUNTIMES = [
    ("litert", "ai_edge_litert.interpreter", "LiteRTRuntime", "ai-edge-litert", "litert"),
    ("onnx", "onnxruntime", "OnnxRuntime", "onnxruntime", "onnx"),
    ("tf_keras", "tensorflow", "TFKerasRuntime", "tensorflow", "tensorflow"),
    ("pytorch", "torch", "PyTorchRuntime", "torch", "pytorch"),
    ("huggingface", "torch", "HuggingFaceRuntime", "torch", "huggingface"),
]


@pytest.fixture(params=[pytest.param(f, id=f.name, marks=f.marks) for f in FORMATS])
def stored(request: pytest.FixtureRequest, tmp_path: Path) -> tuple[Format, Path]:
    """One format of the tiny model, and its file."""
    form: Format = request.param
    if importlib.util.find_spec(form.package) is None:
        pytest.skip(f"{form.package} is not installed")
    path = tmp_path / form.file
    form.write(path)
    return form, path


@pytest.fixture
def runtime(stored: tuple[Format, Path]) -> Runtime:
    form, path = stored
    return form.load(path)


@pytest.fixture
def batch() -> np.ndarray:
    """Five inputs that differ, float32 (5, 4)."""
    return np.random.default_rng(20).normal(size=(5, 4)).astype(np.float32)


def test_the_answer_is_what_numpy_computes(runtime: Runtime, batch: np.ndarray) -> None:
    [answer] = runtime.run([batch])

    assert answer.dtype == np.float32
    np.testing.assert_allclose(answer, tiny.expected(batch), atol=1e-5)


def test_a_batch_answers_like_its_inputs_one_by_one(runtime: Runtime, batch: np.ndarray) -> None:
    together = runtime.run([batch])[0]
    alone = [runtime.run([batch[i : i + 1]])[0] for i in range(5)]

    np.testing.assert_allclose(together, np.concatenate(alone), atol=1e-6)


def test_batches_of_any_size_may_follow_each_other(runtime: Runtime, batch: np.ndarray) -> None:
    for n in (1, 5, 2, 2, 5, 1):
        np.testing.assert_allclose(runtime.run([batch[:n]])[0], tiny.expected(batch[:n]), atol=1e-5)


def test_inputs_may_be_given_by_name(runtime: Runtime, batch: np.ndarray) -> None:
    name = runtime.inputs[0].name

    np.testing.assert_array_equal(runtime.run({name: batch})[0], runtime.run([batch])[0])


def test_the_graph_says_what_it_takes(runtime: Runtime) -> None:
    [spec] = runtime.inputs

    assert (spec.dtype, spec.shape) == (np.float32, (None, 4))


def test_a_later_run_does_not_change_an_earlier_answer(runtime: Runtime, batch: np.ndarray) -> None:
    first = runtime.run([batch])[0]
    kept = first.copy()
    runtime.run([batch[::-1].copy()])

    np.testing.assert_array_equal(first, kept)
    first += 1  # it belongs to the caller: it may be written to


def test_an_input_is_left_as_it_was(runtime: Runtime, batch: np.ndarray) -> None:
    batch.setflags(write=False)
    runtime.run([batch])

    np.testing.assert_array_equal(batch, np.random.default_rng(20).normal(size=(5, 4)).astype(np.float32))


def test_an_array_with_another_memory_layout_is_taken(runtime: Runtime, batch: np.ndarray) -> None:
    backwards, columns = batch[::-1], np.asfortranarray(batch)

    np.testing.assert_allclose(runtime.run([backwards])[0], tiny.expected(backwards), atol=1e-5)
    np.testing.assert_allclose(runtime.run([columns])[0], tiny.expected(batch), atol=1e-5)


@pytest.mark.parametrize("shape", [(5, 3), (4,), (5, 4, 1), ()])
def test_another_shape_is_refused_by_name(runtime: Runtime, shape: tuple[int, ...]) -> None:
    name = runtime.inputs[0].name

    with pytest.raises(ValueError, match="takes float32") as refusal:
        runtime.run([np.zeros(shape, np.float32)])

    assert f"input {name!r} takes float32 (n, 4), got float32 {shape}" in str(refusal.value)


@pytest.mark.parametrize("dtype", [np.float64, np.int32, np.uint8, np.bool_])
def test_another_type_is_refused_by_name(runtime: Runtime, dtype: type) -> None:
    name = runtime.inputs[0].name

    with pytest.raises(ValueError, match="convert it to float32") as refusal:
        runtime.run([np.zeros((2, 4), dtype)])

    assert f"input {name!r} takes float32 (n, 4), got {np.dtype(dtype)} (2, 4)" in str(refusal.value)


def test_missing_unknown_and_bare_inputs_are_refused(runtime: Runtime, batch: np.ndarray) -> None:
    with pytest.raises(ValueError, match=r"got one bare array"):
        runtime.run(batch)
    with pytest.raises(ValueError, match=r"takes 1 arrays .*got 2"):
        runtime.run([batch, batch])
    with pytest.raises(ValueError, match=r"got \['image'\]"):
        runtime.run({"image": batch})
    with pytest.raises(ValueError, match="got list"):
        runtime.run([batch.tolist()])


def test_it_works_after_a_refusal(runtime: Runtime, batch: np.ndarray) -> None:
    with pytest.raises(ValueError, match="takes float32"):
        runtime.run([batch[:, :3]])

    np.testing.assert_allclose(runtime.run([batch])[0], tiny.expected(batch), atol=1e-5)


@pytest.mark.parametrize("damage", ["empty", "text", "half"])
def test_a_damaged_file_is_a_bad_model(stored: tuple[Format, Path], damage: str) -> None:
    form, path = stored
    file = path / "saved_model.pb" if path.is_dir() else path
    whole = file.read_bytes()
    file.write_bytes(
        {"empty": b"", "text": b"<html>404</html>\n" * 9, "half": whole[: len(whole) // 2]}[damage]
    )

    with pytest.raises(BadModel) as refusal:
        form.load(path)

    assert str(path) in refusal.value.message
    assert refusal.value.message.startswith(f"{form.framework} cannot load")


def test_a_file_that_is_not_there_is_a_bad_model(stored: tuple[Format, Path]) -> None:
    form, path = stored
    absent = path.with_stem("absent")

    with pytest.raises(BadModel, match="does not exist") as refusal:
        form.load(absent)

    assert str(absent) in refusal.value.message


@pytest.mark.parametrize(("module", "package", "runtime_class", "needs", "extra"), RUNTIMES)
def test_a_missing_framework_is_answered_with_the_pip_line(
    monkeypatch: pytest.MonkeyPatch, module: str, package: str, runtime_class: str, needs: str, extra: str
) -> None:
    monkeypatch.setitem(sys.modules, package, None)
    make = getattr(importlib.import_module(f"maxfw.runtimes.{module}"), runtime_class)

    with pytest.raises(MissingExtra) as refusal:
        make("any path")

    assert str(refusal.value) == f"{needs} is not installed: pip install 'maxfw[{extra}]'"


def test_importing_the_runtimes_imports_no_framework() -> None:
    modules = ", ".join(f"maxfw.runtimes.{module}" for module, *_ in RUNTIMES)
    heavy = {"ai_edge_litert", "onnxruntime", "tensorflow", "keras", "torch", "transformers", "flask", "PIL"}
    program = f"import sys, {modules}\nprint(*sorted({heavy!r} & set(sys.modules)))"

    imported = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)

    assert imported.stdout.strip() == ""
