"""Files for Ray: what Serve deploys, a RayService, the image of its nodes."""

from __future__ import annotations

import json
from pathlib import Path

import kubernetes_validate
import pytest
import yaml
from click.testing import CliRunner

from maxfw.catalog import find
from maxfw.cli import main
from maxfw.deploy.described import Described, describe
from maxfw.deploy.manifests import to_yaml
from maxfw.deploy.ray.config import RayPlan, dockerfile, ray_service, serve_config
from maxfw.deploy.ray.options import Replicas, deployment_options, replicas_of
from maxfw.errors import BadModel, BadSetting
from maxfw.settings import Settings
from tests.conftest import Loudness


@pytest.fixture(scope="module")
def described() -> list[Described]:
    return [describe(find(name)) for name in ("object_detector", "text_sentiment_classifier")]


def test_each_model_is_an_application_under_its_own_name(described: list[Described]) -> None:
    config = serve_config(described, RayPlan(), Settings())

    assert [application["route_prefix"] for application in config["applications"]] == [
        "/object_detector",
        "/text_sentiment_classifier",
    ]
    assert config["applications"][0]["args"] == {"model": "object_detector", "replicas": "auto"}


@pytest.mark.ray
@pytest.mark.filterwarnings(
    "ignore:Using extra keyword arguments on `Field` is deprecated"
)  # Ray's own schema
def test_the_file_is_what_ray_serve_reads(described: list[Described]) -> None:
    from ray.serve.schema import ServeDeploySchema

    for replicas in ("auto", 3):
        config = serve_config(described, RayPlan(replicas=replicas), Settings())
        read = ServeDeploySchema.model_validate(json.loads(json.dumps(config)))
        said = read.applications[0].deployments[0].model_dump(exclude_unset=True)
        assert said.get("num_replicas") == (None if replicas == "auto" else replicas)
        assert ("autoscaling_config" in said) == (replicas == "auto")


def test_a_replica_takes_what_its_class_says_and_as_many_requests_as_fill_its_batches() -> None:
    class OnAnAccelerator(Loudness):
        max_batch_size = 32
        cpus = 4
        gpus = 0.5

    options = deployment_options(OnAnAccelerator, Settings(grace_s=7), "auto")

    assert options["ray_actor_options"] == {"num_cpus": 4, "num_gpus": 0.5}
    assert options["max_ongoing_requests"] == 128
    assert options["autoscaling_config"]["target_ongoing_requests"] == 64
    assert options["graceful_shutdown_timeout_s"] == 7
    assert deployment_options(OnAnAccelerator, Settings(), 3)["num_replicas"] == 3


@pytest.mark.parametrize("word", ["0", "-1", "many", "1.5", ""])
def test_replicas_are_a_number_or_auto(word: str) -> None:
    assert (replicas_of("2"), replicas_of("auto")) == (2, "auto")
    with pytest.raises(BadSetting, match="--replicas"):
        replicas_of(word)


def test_on_kubernetes_a_service_holds_the_same_config_and_nodes_for_it(described: list[Described]) -> None:
    plan = RayPlan(registry="registry.example.org/team", tag="1.0", namespace="models", memory_mb=2048)

    service = ray_service(described, plan, Settings())

    assert service["kind"] == "RayService"
    assert service["metadata"]["namespace"] == "models"
    assert yaml.safe_load(service["spec"]["serveConfigV2"]) == serve_config(described, plan, Settings())
    cluster = service["spec"]["rayClusterConfig"]
    head, [workers] = cluster["headGroupSpec"], cluster["workerGroupSpecs"]
    assert head["rayStartParams"]["num-cpus"] == "0"
    assert (workers["minReplicas"], workers["maxReplicas"]) == (1, 20)
    for group in (head, workers):
        [container] = group["template"]["spec"]["containers"]
        assert container["image"] == "registry.example.org/team/max-ray:1.0"
        assert container["resources"]["limits"] == container["resources"]["requests"]
    [worker] = workers["template"]["spec"]["containers"]
    assert worker["resources"]["limits"] == {"cpu": "1000m", "memory": "2816Mi"}  # the model's, and Ray's own
    assert cluster["authOptions"] == {"mode": "token"}


@pytest.mark.parametrize("version", ["1.30", kubernetes_validate.latest_version()])
@pytest.mark.parametrize("replicas", ["auto", 3])
def test_the_pods_of_the_service_are_valid_and_have_no_rights(
    described: list[Described], version: str, replicas: Replicas
) -> None:
    service = ray_service(described, RayPlan(replicas=replicas), Settings())

    cluster = yaml.safe_load(to_yaml(service))["spec"]["rayClusterConfig"]
    head, [workers] = cluster["headGroupSpec"], cluster["workerGroupSpecs"]
    for group in (head, workers):
        assert all(isinstance(value, str) for value in group["rayStartParams"].values())
        pod = {
            "apiVersion": "v1",
            "kind": "PodTemplate",
            "metadata": {"name": "x"},
            "template": group["template"],
        }
        kubernetes_validate.validate(pod, version, strict=True)
        [container] = group["template"]["spec"]["containers"]
        assert container["securityContext"]["runAsNonRoot"] is True
        assert container["securityContext"]["capabilities"] == {"drop": ["ALL"]}
    assert cluster["autoscalerOptions"]["securityContext"] == container["securityContext"]
    named = {
        port["name"]: port["containerPort"] for port in head["template"]["spec"]["containers"][0]["ports"]
    }
    config = yaml.safe_load(service["spec"]["serveConfigV2"])
    assert named["serve"] == config["http_options"]["port"]
    assert workers["minReplicas"] <= workers["replicas"] <= workers["maxReplicas"]


def test_the_image_of_the_nodes_has_what_the_models_need(described: list[Described]) -> None:
    text = dockerfile(described)

    assert "maxfw[litert,ray]==" in text
    assert "RUN maxfw fetch object_detector text_sentiment_classifier\n" in text


def test_the_command_writes_them(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)

    def run(*words: str) -> str:
        result = CliRunner().invoke(main, ["deploy", "ray", "object_detector", *words])
        assert result.exit_code == 0, result.output
        return result.stdout

    assert yaml.safe_load(run("--replicas", "2"))["applications"][0]["deployments"][0]["num_replicas"] == 2
    assert yaml.safe_load(run("--kubernetes"))["kind"] == "RayService"
    assert "serve deploy made/serve.yaml" in run("--to", "made")
    assert {path.name for path in Path("made").iterdir()} == {"serve.yaml", "Dockerfile"}


def test_an_old_repository_is_deployed_otherwise(tmp_path: Path) -> None:
    (tmp_path / "app.py").touch()

    with pytest.raises(BadModel, match="old-style"):
        serve_config([describe(find(str(tmp_path)))], RayPlan(), Settings())
