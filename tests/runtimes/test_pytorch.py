"""PyTorch: modules that state nothing, and files that carry code."""

from __future__ import annotations

import importlib.util
import os
import pickle
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from maxfw.errors import BadModel
from maxfw.runtimes import PyTorchRuntime, TensorSpec
from maxfw.runtimes.pytorch import TENSORS_ONLY

pytestmark = [
    pytest.mark.pytorch,
    pytest.mark.skipif(importlib.util.find_spec("torch") is None, reason="torch is not installed"),
]


class Bomb:
    """An object whose unpickling makes a folder."""

    def __init__(self, trace: Path) -> None:
        self.trace = trace

    def __reduce__(self) -> tuple[Any, ...]:
        return os.mkdir, (str(self.trace),)


def _two_inputs() -> Any:
    import torch

    class Weighted(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.dropout = torch.nn.Dropout(0.5)

        def forward(self, image, weight, bias=0.0):  # type: ignore[no-untyped-def]
            image.mul_(2)  # rude, but legal
            return {"answer": self.dropout(image * weight + bias), "parts": (image.bfloat16(), weight)}

    return Weighted()


def test_a_module_is_asked_by_the_names_of_its_required_parameters() -> None:
    runtime = PyTorchRuntime(_two_inputs())

    assert [spec.name for spec in runtime.inputs] == ["image", "weight"]


def test_a_module_runs_in_evaluation_mode_and_leaves_its_input_alone() -> None:
    runtime = PyTorchRuntime(_two_inputs())
    image, weight = np.ones((3, 4), np.float32), np.full((3, 4), 3, np.float32)

    answer, doubled, same = runtime.run({"weight": weight, "image": image})

    assert (answer == 6).all()  # dropout would have set half of it to 0, the rest to 12
    assert (doubled == 2).all()
    assert (same == weight).all()
    assert (image == 1).all()


def test_a_module_that_takes_any_number_of_inputs_must_state_them() -> None:
    import torch

    class Total(torch.nn.Module):
        def forward(self, *tensors):  # type: ignore[no-untyped-def]
            return sum(tensors)

    with pytest.raises(BadModel, match="takes any number of inputs"):
        PyTorchRuntime(Total())
    runtime = PyTorchRuntime(Total(), inputs=[TensorSpec("a"), TensorSpec("b")])

    assert runtime.run([np.array([1.0]), np.array([2.0])])[0].tolist() == [3.0]


def test_a_state_dict_of_another_module_is_a_bad_model(tmp_path: Path) -> None:
    import torch

    torch.save(torch.nn.Linear(2, 2).state_dict(), tmp_path / "weights.pth")

    with pytest.raises(BadModel, match="PyTorch cannot load"):
        PyTorchRuntime(tmp_path / "weights.pth", module=torch.nn.Linear(3, 2))


@pytest.mark.parametrize("name", ["pickled.pth", "pickled.pt", "pickled.pt2"])
@pytest.mark.parametrize("with_torch", [True, False])
def test_a_pickle_is_never_run(tmp_path: Path, name: str, with_torch: bool) -> None:
    import torch

    file, trace = tmp_path / name, tmp_path / "boom"
    if with_torch:
        torch.save(Bomb(trace), file)
    else:
        file.write_bytes(pickle.dumps(Bomb(trace)))

    with pytest.raises(BadModel):
        PyTorchRuntime(file, module=torch.nn.Linear(1, 1) if name.endswith("pth") else None)

    assert not trace.exists()


def test_a_pickle_inside_an_exported_program_is_not_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import torch

    monkeypatch.delenv(TENSORS_ONLY, raising=False)
    whole, file, bomb, trace = (tmp_path / name for name in ("a.pt2", "b.pt2", "bomb", "boom"))
    torch.save(Bomb(trace), bomb)
    torch.export.save(torch.export.export(torch.nn.Linear(4, 3), (torch.zeros(2, 4),)), whole)
    with zipfile.ZipFile(whole) as source, zipfile.ZipFile(file, "w") as target:
        for entry in source.namelist():
            is_pickle = entry.endswith("sample_inputs/model.pt")
            target.writestr(entry, bomb.read_bytes() if is_pickle else source.read(entry))

    with pytest.raises(BadModel):
        PyTorchRuntime(file)

    assert not trace.exists()
    assert TENSORS_ONLY not in os.environ
    assert PyTorchRuntime(whole).inputs[0].shape == (2, 4)


def test_an_exported_program_with_machine_code_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "compiled.pt2"
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("compiled/data/aotinductor/model/a.so", b"\x7fELF")

    with pytest.raises(BadModel, match="machine code"):
        PyTorchRuntime(file)
