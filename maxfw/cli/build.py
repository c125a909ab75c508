"""`maxfw build`: a model as an image."""

from __future__ import annotations

from pathlib import Path

import click

from maxfw.catalog import find
from maxfw.deploy.described import describe
from maxfw.deploy.docker import Engine, build_model, own_dockerfile
from maxfw.deploy.dockerfile import dockerfile
from maxfw.deploy.sbom import bill_of_materials
from maxfw.errors import BadSetting
from maxfw.settings import load_settings


@click.command("build")
@click.argument("model")
@click.option(
    "--tag", default="", metavar="NAME[:VERSION]", help="Name of the image; its card's id by default."
)
@click.option(
    "--push", default="", metavar="REGISTRY", help="Push it there, as the Docker client is logged in."
)
@click.option(
    "--base", default="", metavar="IMAGE", help="Start from this image, instead of one that is built here."
)
@click.option(
    "--build-arg", "arguments", multiple=True, metavar="NAME=VALUE", help="For the folder's own Dockerfile."
)
@click.option(
    "--sbom", type=click.Path(path_type=Path, dir_okay=False), help="Where its bill of materials is written."
)
@click.option("--write", is_flag=True, help="Print the Dockerfile, and build nothing.")
def command(
    model: str, tag: str, push: str, base: str, arguments: tuple[str, ...], sbom: Path | None, write: bool
) -> None:
    """Build the image of MODEL (a name or path), its weights inside, and write its bill of materials beside it.

    A folder that has a Dockerfile of its own is built with that.

    \b
    Examples:
      maxfw build object_detector
      maxfw build ./my_model --tag my-model:1.0 --push registry.example.org/team
      maxfw build ./my_model --write > Dockerfile
    """
    described = describe(find(model))
    if write:
        own = own_dockerfile(described).get("Dockerfile")
        text = (
            own.read_text(encoding="utf-8")
            if isinstance(own, Path)
            else dockerfile(described, base or described.base)
        )
        click.echo(text, nl=False)
        return
    tag = _with_version(tag or described.name)
    pairs = dict(_pair(argument) for argument in arguments)
    engine = Engine()
    image = build_model(engine, described, load_settings(), tag=tag, base=base, arguments=pairs)
    file = sbom or Path(tag.rpartition("/")[2].replace(":", "_") + ".cdx.json")
    _write(file, bill_of_materials(engine, described, image))
    click.echo(f"{tag} is built; what is in it: {file}")
    if push:
        click.echo(f"pushed: {engine.push(tag, push)}")
    else:
        click.echo(f"try:\n  docker run --rm -it -p 5000:5000 {tag}")


def _with_version(tag: str) -> str:
    return tag if ":" in tag.rpartition("/")[2] else f"{tag}:latest"


def _pair(argument: str) -> tuple[str, str]:
    name, equals, value = argument.partition("=")
    if not name or not equals:
        raise BadSetting(f"--build-arg {argument!r} is not NAME=VALUE")
    return name, value


def _write(file: Path, text: str) -> None:
    try:
        file.write_text(text, encoding="utf-8")
    except OSError as error:
        raise BadSetting(
            f"{file} cannot be written: {error.strerror}", hint="name another file with --sbom"
        ) from None
