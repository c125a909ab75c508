"""Images, built and pushed by the container engine of this machine.

    maxfw build MODEL      the base if it is not here, the model's image on it, its bill of materials

What the engine is sent is made in `context.py`, the Dockerfile in `dockerfile.py`.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterable, Mapping
from typing import Any

from maxfw import __version__
from maxfw.catalog import skeleton_folder
from maxfw.deploy.context import Content, digest, maxfw_files, model_files, tar
from maxfw.deploy.described import BASE, Described, labels
from maxfw.deploy.dockerfile import SENT_WEIGHTS, dockerfile, on_our_base
from maxfw.deploy.progress import follow_build, follow_push
from maxfw.deploy.weights import fetch_all, place
from maxfw.errors import BuildFailed, EngineUnavailable, MissingExtra
from maxfw.settings import Settings

SOURCE = "maxfw.source"
"""The label of a base that says from which bytes it was made."""

SILENCE_S = 1800
"""Seconds that a step of a build may be silent: `pip install` of a framework says nothing for minutes."""


class Engine:
    """The container engine that the Docker client of this user is set up for."""

    def __init__(self) -> None:
        """Connect.

        Raises:
            MissingExtra: the Docker SDK is not installed.
            EngineUnavailable: nothing answers.
        """
        try:
            import docker
        except ImportError:
            raise MissingExtra("docker", needs="the Docker SDK") from None
        self._errors = docker.errors
        try:
            self.client = docker.from_env(timeout=SILENCE_S)
            self.client.ping()
        except (docker.errors.DockerException, OSError) as error:
            raise EngineUnavailable(
                f"no container engine answers: {_reason(error)}",
                hint="start Docker, or name another engine in DOCKER_HOST",
            ) from None

    def build(
        self,
        files: Mapping[str, Content],
        tag: str,
        *,
        arguments: Mapping[str, str] | None = None,
        image_labels: Mapping[str, str] | None = None,
    ) -> str:
        """Build files with a `Dockerfile` among them into an image → its id; shows the steps.

        Raises:
            BuildFailed: a step failed; its last lines have been shown.
        """
        with tempfile.TemporaryFile() as context:
            tar(files, context)
            try:
                events = self.client.api.build(
                    fileobj=context,
                    custom_context=True,
                    tag=tag,
                    buildargs=dict(arguments or {}),
                    labels=dict(image_labels or {}),
                    rm=True,
                    forcerm=True,
                    decode=True,
                )
                follow_build(events, tag)
                return str(self.client.images.get(tag).id)
            except (self._errors.DockerException, OSError) as error:
                raise BuildFailed(f"{tag}: {_reason(error)}") from None

    def push(self, tag: str, registry: str) -> str:
        """Push an image to a registry that the Docker client is logged in to → its name there, with its digest.

        Raises:
            BuildFailed: the registry does not answer or refuses.
        """
        remote = f"{registry.rstrip('/')}/{tag}"
        repository, _, version = remote.rpartition(":")
        try:
            self.client.images.get(tag).tag(repository, version)
            sha256 = follow_push(
                self.client.api.push(repository, tag=version, stream=True, decode=True), remote
            )
        except (self._errors.DockerException, OSError) as error:
            raise BuildFailed(f"{remote} was not pushed: {_reason(error)}") from None
        return f"{repository}@{sha256}"

    def label(self, tag: str, name: str) -> str | None:
        """A label of a local image; None if there is no such image."""
        try:
            return str((self.client.images.get(tag).labels or {}).get(name, ""))
        except self._errors.ImageNotFound:
            return None

    def output_of(self, image: str, command: Iterable[str]) -> bytes:
        """What a command prints in a container of an image that has no rights and no network.

        Raises:
            BuildFailed: the command cannot be run.
        """
        first, *rest = command
        try:
            output: bytes = self.client.containers.run(
                image,
                entrypoint=[first],
                command=rest,
                network_mode="none",
                read_only=True,
                cap_drop=["ALL"],
                security_opt=["no-new-privileges"],
                remove=True,
            )
        except (self._errors.DockerException, OSError) as error:
            raise BuildFailed(f"{image} cannot be looked into: {_reason(error)}") from None
        return output


def build_base(engine: Engine, tag: str, arguments: Mapping[str, str] | None = None) -> str:
    """Make sure that a base of this name, like `max-base:litert`, is here and is of this maxfw → its name.

    Raises:
        BuildFailed: it cannot be built.
    """
    files = maxfw_files()
    source = digest(files)
    if engine.label(tag, SOURCE) == source and not arguments:
        return tag
    variant = tag.partition(":")[2]
    extra = "" if variant in ("", "latest") else variant
    engine.build(
        files,
        tag,
        arguments={"EXTRA": extra, **(arguments or {})},
        image_labels={SOURCE: source, "org.opencontainers.image.version": __version__},
    )
    return tag


def build_model(
    engine: Engine,
    model: Described,
    settings: Settings,
    *,
    tag: str,
    base: str = "",
    arguments: Mapping[str, str] | None = None,
) -> str:
    """Build the image of a model, with the folder's own Dockerfile if it has one → the image's id.

    Raises:
        SetupError: the weights cannot be had, or a step failed.
    """
    files = own_dockerfile(model)
    stated = labels(model) if files else {}
    if files:
        text = _bytes(files["Dockerfile"]).decode(errors="replace")
        rewritten, needed = on_our_base(text, base or model.base)
        files["Dockerfile"] = rewritten.encode()
    else:
        needed = base or model.base
        files = model_files(model.folder)
        files["Dockerfile"] = dockerfile(model, needed).encode()
        if not model.folder.is_old_style:
            for asset, path in fetch_all(model.folder, settings):
                files[f"{SENT_WEIGHTS}/{place(asset)}"] = path
    if needed and not base and needed.startswith(f"{BASE}:"):
        build_base(engine, needed)
    return engine.build(files, tag, arguments=arguments, image_labels=stated)


def own_dockerfile(model: Described) -> dict[str, Content]:
    """The folder's files if it has a Dockerfile of its own, else nothing; the one of the skeleton is ours."""
    if not model.folder.path.is_dir():
        return {}
    file = model.folder.path / "Dockerfile"
    if not file.is_file() or file.read_bytes() == (skeleton_folder() / "Dockerfile").read_bytes():
        return {}
    return model_files(model.folder, without=())


def _bytes(content: Content) -> bytes:
    return content if isinstance(content, bytes) else content.read_bytes()


def _reason(error: BaseException) -> str:
    """What went wrong, without the layers of HTTP libraries around it."""
    explanation: Any = getattr(error, "explanation", None)
    if explanation:
        return str(explanation)
    while (inner := error.__cause__ or error.__context__) is not None:
        error = inner
    return getattr(error, "strerror", None) or str(error) or type(error).__name__
