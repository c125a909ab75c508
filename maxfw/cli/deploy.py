"""`maxfw deploy`: files for those who run many models."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import click

from maxfw.deploy.compose import Deployment, compose_files
from maxfw.deploy.described import Described, describe_all
from maxfw.deploy.kubernetes import kubernetes_yaml
from maxfw.deploy.ray.config import RayPlan, dockerfile, ray_service_yaml, serve_yaml
from maxfw.deploy.ray.options import replicas_of
from maxfw.errors import BadSetting
from maxfw.settings import load_settings

HOST = r"[a-z0-9]([a-z0-9.-]*[a-z0-9])?"
PATTERNS = {
    "registry": r"[a-z0-9]([a-z0-9._:/-]*[a-z0-9])?/?",
    "tag": r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}",
    "domain": HOST,
    "namespace": r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?",
}


@click.command("deploy")
@click.argument("target", type=click.Choice(["compose", "kubernetes", "ray"]))
@click.argument("models", nargs=-1, required=True, metavar="MODEL…")
@click.option("--to", type=click.Path(path_type=Path), help="The folder that the files are written into.")
@click.option("--registry", default="", help="Where the images were pushed to.")
@click.option("--tag", default="latest", show_default=True, help="Their version.")
@click.option(
    "--cpus", type=click.FloatRange(0.1, 256), default=1.0, show_default=True, help="Cores of a model."
)
@click.option(
    "--memory-mb",
    type=click.IntRange(128, 1_000_000),
    default=1024,
    show_default=True,
    help="Memory of a model.",
)
@click.option(
    "--domain",
    default="",
    help="Kubernetes: the domain under which each model gets a name; none: no Ingress.",
)
@click.option("--namespace", default="", help="Kubernetes: the namespace.")
@click.option(
    "--replicas", default="auto", help="Ray: copies of each model, or auto, as many as the load asks for."
)
@click.option("--kubernetes", is_flag=True, help="Ray: on Kubernetes, a RayService for KubeRay.")
def command(
    target: str,
    models: tuple[str, ...],
    to: Path | None,
    cpus: float,
    memory_mb: int,
    replicas: str,
    kubernetes: bool,
    **names: Any,
) -> None:
    """Write what runs each MODEL (a name or path): a Compose file with a common door, Kubernetes manifests, or Ray's.

    The images are those of `maxfw build`; on Ray all models share one, whose Dockerfile is written with --to.

    \b
    Examples:
      maxfw deploy compose object_detector image_caption_generator --to deployment
      docker compose --project-directory deployment up --wait
      maxfw deploy kubernetes object_detector --registry registry.example.org/team > manifests.yaml
      maxfw deploy ray object_detector image_caption_generator > serve.yaml
      maxfw deploy ray object_detector --kubernetes --to deployment
    """
    for option, value in names.items():
        if value and not re.fullmatch(PATTERNS[option], value):
            raise BadSetting(f"--{option} {value!r} is no {option}", hint="letters, digits, dots and dashes")
    described = describe_all(models)
    if target == "ray":
        _ray(described, to, kubernetes, replicas=replicas_of(replicas), memory_mb=memory_mb, **names)
        return
    plan = Deployment(cpus=cpus, memory_mb=memory_mb, grace_s=load_settings().grace_s, **names)
    if target == "compose":
        folder = to or Path("deployment")
        _write(folder, compose_files(described, plan))
        click.echo(f"{folder} is ready:\n  docker compose --project-directory {folder} up --wait")
    elif to is not None:
        _write(to, {"manifests.yaml": kubernetes_yaml(described, plan)})
        click.echo(f"{to} is ready:\n  kubectl apply -f {to / 'manifests.yaml'}")
    else:
        click.echo(kubernetes_yaml(described, plan), nl=False)


def _ray(described: list[Described], to: Path | None, kubernetes: bool, *, domain: str, **plan: Any) -> None:
    if domain:
        raise BadSetting("--domain is not for Ray", hint="each model has a path: /NAME/model/predict")
    write, name = (ray_service_yaml, "rayservice.yaml") if kubernetes else (serve_yaml, "serve.yaml")
    text = write(described, RayPlan(**plan), load_settings())
    if to is None:
        click.echo(text, nl=False)
        return
    _write(to, {name: text, "Dockerfile": dockerfile(described)})
    command = f"kubectl apply -f {to / name}" if kubernetes else f"serve deploy {to / name}"
    click.echo(f"{to} is ready:\n  {command}")


def _write(folder: Path, files: dict[str, str]) -> None:
    try:
        for name, text in files.items():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_text(text, encoding="utf-8")
    except OSError as error:
        raise BadSetting(
            f"{folder} cannot be written: {error.strerror}", hint="name another folder with --to"
        ) from None
