"""Kubernetes manifests: valid by the schemas of Kubernetes itself, and each container kept within its bounds."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import kubernetes_validate
import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from maxfw.catalog import ModelFolder, models
from maxfw.deploy.compose import Deployment
from maxfw.deploy.described import Described, describe, image_name, slug
from maxfw.deploy.kubernetes import kubernetes_yaml

KINDS = {"Deployment", "Service", "HorizontalPodAutoscaler", "PodDisruptionBudget", "NetworkPolicy"}
VERSIONS = ["1.30", "1.33", kubernetes_validate.latest_version()]

plans = st.builds(
    Deployment,
    registry=st.sampled_from(["", "registry.example.org:5000/team"]),
    tag=st.from_regex(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,20}", fullmatch=True),
    cpus=st.floats(0.1, 64),
    memory_mb=st.integers(128, 1_000_000),
    grace_s=st.floats(0, 3600),
    domain=st.sampled_from(["", "models.example.org"]),
    namespace=st.sampled_from(["", "models"]),
)
described = st.builds(
    lambda identity: Described(
        ModelFolder(Path("/x")), image_name(identity), slug(identity, "_"), {"id": identity}
    ),
    st.text(max_size=80),
)


def documents(models: list[Described], plan: Deployment) -> list[dict[str, Any]]:
    return list(yaml.safe_load_all(kubernetes_yaml(models, plan)))


@pytest.mark.parametrize("version", VERSIONS)
def test_a_part_of_the_zoo_in_a_cluster_passes_strict_validation(version: str) -> None:
    found = documents([describe(folder) for folder in models()[:2]], Deployment(domain="models.example.org"))

    assert {document["kind"] for document in found} == KINDS | {"Ingress"}
    for document in found:
        kubernetes_validate.validate(document, version, strict=True)


@settings(deadline=None, max_examples=15)
@given(model=described, plan=plans)
def test_whatever_is_asked_for_is_valid_and_bounded(model: Described, plan: Deployment) -> None:
    found = documents([model], plan)

    for document in found:
        kubernetes_validate.validate(document, VERSIONS[-1], strict=True)
        assert document["metadata"].get("namespace", "") == plan.namespace
    [deployment] = [document for document in found if document["kind"] == "Deployment"]
    pod = deployment["spec"]["template"]["spec"]
    assert pod["securityContext"]["runAsNonRoot"] is True
    assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    assert pod["automountServiceAccountToken"] is False
    for container in pod["containers"]:
        assert {"livenessProbe", "readinessProbe", "startupProbe"} <= container.keys()
        assert container["resources"]["limits"].keys() == {"cpu", "memory"}
        assert container["securityContext"]["readOnlyRootFilesystem"] is True
        assert container["securityContext"]["allowPrivilegeEscalation"] is False
        assert container["securityContext"]["capabilities"] == {"drop": ["ALL"]}
        [pause] = [
            int(word) for word in container["lifecycle"]["preStop"]["exec"]["command"] if word.isdigit()
        ]
        assert pod["terminationGracePeriodSeconds"] > pause + plan.grace_s - 1


def test_every_model_has_what_keeps_it_running_and_bounded() -> None:
    found = documents([describe(folder) for folder in models()[:3]], Deployment())

    assert [document["kind"] for document in found].count("Deployment") == 3
    assert {document["kind"] for document in found} == KINDS
    for document in found:
        if document["kind"] == "NetworkPolicy":
            assert document["spec"]["egress"] == []
        if document["kind"] == "HorizontalPodAutoscaler":
            assert document["spec"]["minReplicas"] >= 2


def test_probes_ask_life_and_readiness() -> None:
    [deployment] = [d for d in documents([describe(models()[0])], Deployment()) if d["kind"] == "Deployment"]
    [container] = deployment["spec"]["template"]["spec"]["containers"]

    assert container["livenessProbe"]["httpGet"]["path"] == "/health/live"
    assert container["readinessProbe"]["httpGet"]["path"] == "/health/ready"


def test_the_manifests_are_printed_or_written(maxfw: Callable[..., Any], tmp_path: Path) -> None:
    printed = maxfw("deploy", "kubernetes", "object_detector")
    written = maxfw("deploy", "kubernetes", "object_detector", "--to", tmp_path / "there")

    assert printed.returncode == written.returncode == 0
    assert (tmp_path / "there/manifests.yaml").read_text(encoding="utf-8") == printed.stdout
    assert {document["kind"] for document in yaml.safe_load_all(printed.stdout)} == KINDS
