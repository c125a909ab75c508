"""What a deployment has to know of a model folder, read from its class without loading it."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping

from msgspec import Struct

from maxfw import __version__
from maxfw.assets import Asset
from maxfw.catalog import ModelFolder, card, find, load_class
from maxfw.errors import BadModel
from maxfw.model import MAXModelWrapper
from maxfw.model.parameters import parameters_of
from maxfw.settings import Settings
from maxfw.tasks.base import megabytes

BASE = "max-base"
FRAMEWORKS = {
    "litert": "litert",
    "onnx": "onnx",
    "tensorflow": "tensorflow",
    "pytorch": "pytorch",
    "huggingface": "pytorch",
}
"""Extra of `requirements.txt` → variant of the base that has its framework."""

RESERVED = ("apps", "nginx_health", "shared")
"""First parts of addresses behind a common door that are no models."""

LONGEST_NAME = 50
"""Names of Kubernetes may have 63 characters, and some are made of this one and a suffix."""

_EXTRAS = re.compile(r"^\s*maxfw\s*\[([^\]]*)\]", re.MULTILINE)


class Described(Struct, frozen=True):
    """A model folder and how its parts are called in a deployment."""

    folder: ModelFolder
    name: str
    """Of the image, the service, the container: `max-object-detector`."""
    route: str
    """Of its address behind a common door: `object_detector` in `/object_detector/model/predict`."""
    card: Mapping[str, str]
    task: str = ""
    assets: tuple[Asset, ...] = ()
    most_bytes: int = 0
    """Of a request, with the settings as they are by default."""

    @property
    def base(self) -> str:
        """The image it starts from: the base with the framework that its requirements name first."""
        requirements = self.folder.path / "requirements.txt"
        if self.folder.path.is_dir() and requirements.is_file():
            for extras in _EXTRAS.findall(requirements.read_text(encoding="utf-8", errors="replace")):
                for extra in extras.split(","):
                    if variant := FRAMEWORKS.get(extra.strip().lower()):
                        return f"{BASE}:{variant}"
        return f"{BASE}:latest"


def describe(folder: ModelFolder) -> Described:
    """A model folder → its names, card and assets; of an old-style repository only the names are known.

    Raises:
        BadModel: the model's file cannot be imported.
    """
    route = slug(folder.name, "_")
    if folder.is_old_style:
        title = folder.name.replace("_", " ").replace("-", " ")
        most = megabytes(Settings().max_old_body_mb)
        return Described(folder, image_name(folder.name), route, {"name": title}, most_bytes=most)
    model_class = load_class(folder)
    described = card(model_class)
    task = model_class.task.name if model_class.task else ""
    return Described(
        folder,
        image_name(described["id"]),
        route,
        described,
        task,
        tuple(model_class.assets),
        _most_bytes(model_class),
    )


def _most_bytes(model_class: type[MAXModelWrapper]) -> int:
    settings = Settings()
    if model_class.task is None:
        return megabytes(settings.max_old_body_mb)
    pictures = sum(parameter.is_picture for parameter in parameters_of(model_class))
    return model_class.task.body_limit(settings) + pictures * megabytes(settings.max_image_mb)


def describe_all(names: tuple[str, ...]) -> list[Described]:
    """The models of these names or paths, each once.

    Raises:
        ModelNotFound: there is none of a name.
        BadModel: one cannot be imported, or two would have one address.
    """
    found: dict[str, Described] = {}
    for model in (describe(find(name)) for name in names):
        if model.route in RESERVED:
            raise BadModel(
                f"{model.folder.path}: /{model.route}/ has another meaning", hint="rename the folder"
            )
        for other in found.values():
            if other.folder != model.folder and model.route == other.route:
                raise BadModel(f"{model.folder.path} and {other.folder.path} would both be /{model.route}/")
            if other.folder != model.folder and model.name == other.name:
                raise BadModel(f"{model.folder.path} and {other.folder.path} would both be {model.name}")
        found[model.name] = model
    return list(found.values())


def image_name(identity: str) -> str:
    """What the image of a model with this id is called: `max-object-detector`."""
    return "max-" + slug(slug(identity, "-").removeprefix("max-"), "-")


def labels(model: Described) -> dict[str, str]:
    """The image's labels: title, description, licence and source as OCI names them; one line each."""
    stated = {
        "org.opencontainers.image.title": model.card.get("name", ""),
        "org.opencontainers.image.description": model.card.get("description", ""),
        "org.opencontainers.image.licenses": model.card.get("license", ""),
        "org.opencontainers.image.source": model.card.get("source", ""),
        "maxfw.model": model.card.get("id", model.name),
        "maxfw.task": model.task,
        "maxfw.version": __version__,
    }
    return {key: text for key, value in stated.items() if (text := one_line(value))}


def one_line(text: str, longest: int = 2000) -> str:
    """Free text as one line: whatever breaks, controls or hides is a space."""
    plain = "".join(
        " " if character.isspace() or unicodedata.category(character)[0] in "CZ" else character
        for character in text
    )
    return " ".join(plain.split())[:longest].rstrip()


def slug(text: str, separator: str) -> str:
    """Free text → letters, digits and single separators: what image names, host names and paths have in common."""
    words = re.sub(r"[^a-z0-9]+", separator, text.lower()).strip(separator)
    return words[:LONGEST_NAME].strip(separator) or "model"
