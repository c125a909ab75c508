"""One client program, three classifiers: swap the model behind the address, and not a line of it differs."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from maxfw.catalog import find, load_model
from maxfw.client import Client
from maxfw.contract import samples_of
from maxfw.web.app import create_app

httpx = pytest.importorskip("httpx")
pytest.importorskip("ai_edge_litert")

pytestmark = pytest.mark.mirror

CLASSIFIERS = ("image_classifier", "image_tagger", "scene_classifier")


def program(service: Client, photo: bytes) -> dict[str, float]:
    """What a photo shows, likeliest first, in the words of the service's own labels."""
    names = {label.id: label.name for label in service.labels().labels}
    return {names[one.label_id]: one.probability for one in service.predict(image=photo).predictions}


@pytest.fixture(scope="module", params=CLASSIFIERS)
def service(request: pytest.FixtureRequest) -> Iterator[Client]:
    """A client of a classifier's real REST API."""
    app = create_app(load_model(find(request.param)))
    yield Client(f"http://{request.param}", transport=httpx.WSGITransport(app=app))
    app.extensions["maxfw"].close()


def test_the_same_program_reads_the_answers_of_every_classifier(service: Client) -> None:
    task = load_model(find(CLASSIFIERS[0])).task
    assert task is not None

    photos = [sample.inputs.files["image"].blob for sample in samples_of(find(CLASSIFIERS[0]), task)]
    answers = [program(service, photo) for photo in photos]

    assert any(answers)  # a tagger may know no word for one of them
    for seen in answers:
        assert list(seen.values()) == sorted(seen.values(), reverse=True)
        assert all(0 < probability <= 1 for probability in seen.values())
