"""The nucleus segmenter says what its publisher says, and the same in tiles."""

from __future__ import annotations

from types import ModuleType
from typing import Any

import numpy as np
import pytest
from PIL import Image

from maxfw.assets import Asset, fetch
from maxfw.catalog import find, load_model, load_module
from maxfw.settings import load_settings
from maxfw.tasks.instance_segmentation import decode

pytest.importorskip("onnxruntime")
pytestmark = pytest.mark.mirror

REFERENCE = {
    "test_input.npy": "92768a2e0f2643c80b57afa5494019a5aafe5b0d92fe36ae740763adf3594a57",
    "test_output.npy": "39925fb38bc74530902e44bf8e43a8bd0a9e3675aab758d89f47dc66cb9818ed",
}


@pytest.fixture(scope="module")
def module() -> ModuleType:
    return load_module(find("nucleus_segmenter"))


@pytest.fixture(scope="module")
def model() -> Any:
    return load_model(find("nucleus_segmenter"))


@pytest.fixture(scope="module")
def reference(module: ModuleType) -> tuple[np.ndarray, np.ndarray]:
    """The publisher's pair: brightness of 16 bits and probabilities, both (512, 512)."""
    values, answer = (
        np.load(fetch(Asset(name, url=f"{module.PINNED}/{name}", sha256=sha256), load_settings()))
        for name, sha256 in REFERENCE.items()
    )
    return values[0, 0].astype(np.float32), answer[0, 0]


def probabilities(module: ModuleType, model: Any, values: np.ndarray) -> np.ndarray:
    found: np.ndarray = model._predict((module.normalised(values), values.shape[::-1]))[0]
    return found


def test_it_equals_the_publishers_reference_pair(
    module: ModuleType, model: Any, reference: tuple[np.ndarray, np.ndarray]
) -> None:
    values, expected = reference

    assert np.abs(probabilities(module, model, values) - expected).max() < 1e-4


@pytest.mark.parametrize("size", [(512, 900), (700, 512), (300, 420), (960, 961)])
def test_a_picture_of_another_size_is_answered_like_the_reference(
    module: ModuleType, model: Any, reference: tuple[np.ndarray, np.ndarray], size: tuple[int, int]
) -> None:
    values, expected = (np.pad(array, ((0, 512), (0, 512)), mode="symmetric") for array in reference)

    found = probabilities(module, model, values[: size[0], : size[1]]) > 0.5
    wanted = expected[: size[0], : size[1]] > 0.5

    assert (found & wanted).sum() / (found | wanted).sum() > 0.9


@pytest.mark.parametrize("length", [1, 511, 512, 513, 896, 960, 961, 2048])
def test_tiles_cover_a_side_once_and_stay_away_from_their_own_edges(module: ModuleType, length: int) -> None:
    tiles = module.tiles(length)

    assert [pixel for _, part in tiles for pixel in range(part.start, part.stop)] == list(range(length))
    for start, part in tiles:
        assert part.start == 0 or part.start - start >= module.MARGIN
        assert part.stop == length or start + module.SIDE - part.stop >= module.MARGIN


def test_the_masks_of_a_picture_that_is_made_smaller_have_its_own_size(
    module: ModuleType, model: Any, reference: tuple[np.ndarray, np.ndarray]
) -> None:
    grey = Image.fromarray((reference[0].clip(0, 800) / 800 * 255).astype(np.uint8))
    large = grey.resize((2200, 2000)).convert("RGB")
    prepared = model._pre_process(large)
    found = model._post_process(model._predict(prepared))
    wanted = np.asarray(Image.fromarray(reference[1]).resize(large.size)) > 0.5
    covered = sum(decode(one.mask, large.size) for one in found) > 0

    assert prepared[0].size <= module.MOST_PIXELS
    assert (covered & wanted).sum() / (covered | wanted).sum() > 0.9


def test_an_even_picture_has_no_nuclei(model: Any) -> None:
    for colour in ("black", "white", "grey"):
        assert model.predict(Image.new("RGB", (40, 30), colour)) == []
