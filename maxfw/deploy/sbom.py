"""The bill of materials of an image, in CycloneDX's JSON: every distribution, every Debian package, every weight."""

from __future__ import annotations

import json
from typing import Any

from maxfw.deploy.described import Described
from maxfw.deploy.docker import Engine
from maxfw.errors import MissingExtra

# Runs in the image, with its Python: the ones that pip put into a user's home included, the current folder not.
_LIST_DISTRIBUTIONS = """
import importlib.metadata, json
print(json.dumps([
    {"name": d.metadata["Name"], "version": d.version,
     "licence": d.metadata.get("License-Expression") or d.metadata.get("License") or ""}
    for d in importlib.metadata.distributions() if d.metadata["Name"]
]))
"""
_LIST_PACKAGES = (
    "dpkg-query --show --showformat '${Package}\\t${Version}\\t${Architecture}\\n' 2>/dev/null || true"
)
_LONGEST_LICENCE = 100  # some write the whole text into the field


def bill_of_materials(engine: Engine, model: Described, image: str) -> str:
    """What is in an image → a CycloneDX document, as JSON.

    Raises:
        MissingExtra: the CycloneDX library is not installed.
        BuildFailed: the image has no Python to ask.
    """
    try:
        from cyclonedx.model.bom import Bom
        from cyclonedx.model.component import Component, ComponentType
        from cyclonedx.output import make_outputter
        from cyclonedx.schema import OutputFormat, SchemaVersion
    except ImportError:
        raise MissingExtra("docker", needs="cyclonedx-python-lib") from None
    distributions = json.loads(engine.output_of(image, ["python", "-P", "-c", _LIST_DISTRIBUTIONS]))
    packages = engine.output_of(image, ["sh", "-c", _LIST_PACKAGES]).decode().splitlines()
    bom = Bom()
    bom.metadata.component = Component(
        type=ComponentType.CONTAINER, name=model.name, version=image, bom_ref=image
    )
    found = {}
    for distribution in distributions:
        component = _python_component(distribution)
        found[component.bom_ref.value] = component
    for line in packages:
        component = _debian_component(*line.split("\t"))
        found[component.bom_ref.value] = component
    for asset in model.assets:
        component = _weights_component(asset.name, asset.sha256, asset.url)
        found[component.bom_ref.value] = component
    bom.components.update(found.values())
    bom.register_dependency(bom.metadata.component, found.values())
    return str(make_outputter(bom, OutputFormat.JSON, SchemaVersion.V1_6).output_as_string(indent=2))


def _python_component(distribution: dict[str, str]) -> Any:
    from cyclonedx.model.component import Component, ComponentType
    from cyclonedx.model.license import DisjunctiveLicense
    from packageurl import PackageURL

    name, version = distribution["name"], distribution["version"]
    licence = " ".join(distribution["licence"].split())
    stated = [DisjunctiveLicense(name=licence)] if 0 < len(licence) <= _LONGEST_LICENCE else []
    purl = PackageURL("pypi", name=name, version=version)
    return Component(
        type=ComponentType.LIBRARY,
        name=name,
        version=version,
        purl=purl,
        bom_ref=str(purl),
        licenses=stated,
    )


def _debian_component(name: str, version: str, architecture: str) -> Any:
    from cyclonedx.model.component import Component, ComponentType
    from packageurl import PackageURL

    purl = PackageURL("deb", "debian", name, version, {"arch": architecture})
    return Component(type=ComponentType.LIBRARY, name=name, version=version, purl=purl, bom_ref=str(purl))


def _weights_component(name: str, sha256: str, url: str) -> Any:
    from cyclonedx.model import ExternalReference, ExternalReferenceType, HashAlgorithm, HashType, XsUri
    from cyclonedx.model.component import Component, ComponentType

    return Component(
        type=ComponentType.MACHINE_LEARNING_MODEL,
        name=name,
        bom_ref=f"weights:{sha256}",
        hashes=[HashType(alg=HashAlgorithm.SHA_256, content=sha256)],
        external_references=[ExternalReference(type=ExternalReferenceType.DISTRIBUTION, url=XsUri(url))],
    )
