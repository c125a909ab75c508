"""One client program, three object detectors: swap the model behind the address, and not a line of it differs."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np
import pytest

from maxfw.catalog import find, load_model
from maxfw.client import Answer, Client
from maxfw.contract import samples_of
from maxfw.tasks.object_detection import intersection_over_union
from maxfw.web.app import create_app

httpx = pytest.importorskip("httpx")
pytest.importorskip("ai_edge_litert")
pytest.importorskip("onnxruntime")

pytestmark = pytest.mark.mirror

DETECTORS = ("object_detector", "object_detector_yolox", "object_detector_fastest")


class Report(NamedTuple):
    """What the program found out about a photo: what is in it, surest first, and the whole answer."""

    objects: list[tuple[str, np.ndarray]]
    answer: Answer


def program(service: Client, photo: bytes) -> Report:
    """A program as an application developer writes it: it knows an address, the task, and nothing else."""
    names = {label.id: label.name for label in service.labels().labels}
    answer = service.predict(image=photo, threshold=0.4)
    found = sorted(answer.predictions, key=lambda one: -one.probability)
    return Report([(names[one.label_id], np.array(one.detection_box)) for one in found], answer)


@pytest.fixture(scope="module")
def services() -> Iterator[dict[str, Client]]:
    """A client of each detector's real REST API."""
    apps = {name: create_app(load_model(find(name))) for name in DETECTORS}
    yield {
        name: Client(f"http://{name}", transport=httpx.WSGITransport(app=app)) for name, app in apps.items()
    }
    for app in apps.values():
        app.extensions["maxfw"].close()


@pytest.fixture(scope="module")
def photos() -> dict[str, bytes]:
    """The sample photos of all three."""
    task = load_model(find(DETECTORS[0])).task
    assert task is not None
    samples = [sample for name in DETECTORS for sample in samples_of(find(name), task)]
    return {sample.name: sample.inputs.files["image"].blob for sample in samples}


@pytest.fixture(scope="module")
def reports(services: dict[str, Client], photos: dict[str, bytes]) -> dict[str, dict[str, Report]]:
    """What the program says to each photo, by the name of the detector that it asked."""
    return {
        photo: {name: program(service, content) for name, service in services.items()}
        for photo, content in photos.items()
    }


def test_what_one_detector_is_surest_of_the_others_find_at_the_same_place(
    reports: dict[str, dict[str, Report]],
) -> None:
    for photo, by_detector in reports.items():
        for name, report in by_detector.items():
            thing, box = report.objects[0]
            for other, theirs in by_detector.items():
                same = np.array([there for named, there in theirs.objects if named == thing]).reshape(-1, 4)
                overlap = intersection_over_union(box, same).max(initial=0)
                assert overlap > 0.5, f"{photo}: the {thing} of {name} is missing from {other}"


def test_the_main_object_is_the_same_where_there_is_one(reports: dict[str, dict[str, Report]]) -> None:
    main = {"plane": "airplane", "jockey": "horse", "dog-human": "person", "soccer": "person"}

    for photo, thing in main.items():
        assert {report.objects[0][0] for report in reports[photo].values()} == {thing}, photo


def test_the_answers_have_the_same_keys_and_types(reports: dict[str, dict[str, Report]]) -> None:
    shapes = {
        name: {shape_of(by_detector[name].answer) for by_detector in reports.values()} for name in DETECTORS
    }

    assert shapes[DETECTORS[0]] == {
        "{status: str, predictions: [{label_id: str, label: str, probability: float, "
        "detection_box: [float]}]}"
    }
    assert len({frozenset(shape) for shape in shapes.values()}) == 1


def test_the_same_80_names_of_coco_have_the_same_ids(services: dict[str, Client]) -> None:
    first, *others = (service.labels() for service in services.values())
    names = {label.id: label.name for label in first.labels}

    assert first.count == len(names) == len(set(names.values())) == 80
    # The first and the last id of COCO, and some behind the gaps: ids 12, 26, 29, 30, 45 … were never used.
    some = {
        "1": "person",
        "13": "stop sign",
        "27": "backpack",
        "31": "handbag",
        "46": "wine glass",
        "90": "toothbrush",
    }
    assert some.items() <= names.items()
    assert all(other == first for other in others)


def test_what_a_detector_answers_is_named_as_its_labels_say(reports: dict[str, dict[str, Report]]) -> None:
    for by_detector in reports.values():
        for report in by_detector.values():
            said = sorted(report.answer.predictions, key=lambda one: -one.probability)
            assert [one.label for one in said] == [name for name, _ in report.objects]


def test_the_descriptions_have_the_same_keys_and_the_same_task(services: dict[str, Client]) -> None:
    described = [service.metadata() for service in services.values()]

    assert len({tuple(one) for one in described}) == 1
    assert {one.task for one in described} == {"object-detection"}
    assert len({one.id for one in described}) == len(DETECTORS)


def shape_of(value: Any) -> str:
    """The keys and types of an answer, as a text; of a list, those of its entries, once each."""
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key}: {shape_of(item)}" for key, item in value.items()) + "}"
    if isinstance(value, list):
        return "[" + " | ".join(sorted({shape_of(item) for item in value})) + "]"
    return type(value).__name__
