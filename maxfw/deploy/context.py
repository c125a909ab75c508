"""What is sent to a container engine to build from: a tar of a model's folder, or of maxfw itself.

The same files make the same bytes, so that an engine finds what it has built before.
"""

from __future__ import annotations

import base64
import hashlib
import importlib.metadata
import io
import os
import tarfile
import zipfile
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import IO

import maxfw
from maxfw.catalog import ModelFolder
from maxfw.errors import BadModel

Content = Path | bytes

HIDDEN = ("**/.*", "**/__pycache__", "**/*.pyc", "**/*.egg-info")
"""Left out of images of which we write the Dockerfile: `.git`, `.env` and what else is nobody's business."""

_EPOCH = (1980, 1, 1, 0, 0, 0)
_NOT_IN_A_WHEEL = ("RECORD", "INSTALLER", "REQUESTED", "direct_url.json")


def tar(files: Mapping[str, Content], into: IO[bytes]) -> None:
    """Write a tar of files, by their names in the context; every user of the image can read them."""
    with tarfile.open(fileobj=into, mode="w") as archive:
        for name, content in sorted(files.items()):
            _add(archive, name, content)
    into.seek(0)


def digest(files: Mapping[str, Content]) -> str:
    """The sha256 of names and contents."""
    whole = hashlib.sha256()
    for name, content in sorted(files.items()):
        blob = content if isinstance(content, bytes) else content.read_bytes()
        whole.update(f"{name}\0{hashlib.sha256(blob).hexdigest()}\n".encode())
    return whole.hexdigest()


def model_files(folder: ModelFolder, without: Iterable[str] = HIDDEN) -> dict[str, Content]:
    """The files of a model's folder by their names in the context, less those that its `.dockerignore` leaves out.

    Raises:
        BadModel: a link leads out of the folder, or a file cannot be read.
    """
    if folder.path.is_file():
        files: dict[str, Content] = {"model.py": folder.path}
        if folder.samples.is_dir():
            files |= {f"samples/{file.name}": file for file in folder.samples.iterdir() if file.is_file()}
        return files
    found = _not_ignored(folder.path, [*without, *_ignored(folder.path)])
    return {name: _inside(folder.path, folder.path / name) for name in found}


def maxfw_files() -> dict[str, Content]:
    """`Dockerfile.base` and what it installs: the source where this is a checkout, else a wheel of this installation."""
    package = Path(maxfw.__file__).resolve().parent
    checkout = package.parent
    if (checkout / "Dockerfile.base").is_file():
        source: dict[str, Content] = {
            name: checkout / name for name in _not_ignored(checkout, [*_ignored(checkout), "webapps"])
        }
        return {**source, "Dockerfile": checkout / "Dockerfile.base"}
    wheel = f"maxfw-{maxfw.__version__}-py3-none-any.whl"
    return {"Dockerfile": package / "Dockerfile.base", wheel: installed_wheel()}


def installed_wheel() -> bytes:
    """The wheel that this installation of maxfw came from, put together again from its files."""
    distribution = importlib.metadata.distribution("maxfw")
    files = {
        str(file): Path(str(file.locate())).read_bytes()
        for file in distribution.files or []
        if ".." not in file.parts and file.name not in _NOT_IN_A_WHEEL and file.suffix != ".pyc"
    }
    [metadata] = [name for name in files if name.endswith(".dist-info/METADATA")]
    record = metadata.replace("METADATA", "RECORD")
    lines = [f"{name},sha256={_wheel_digest(blob)},{len(blob)}" for name, blob in sorted(files.items())]
    files[record] = "\n".join([*lines, f"{record},,", ""]).encode()
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, blob in sorted(files.items()):
            information = zipfile.ZipInfo(name, _EPOCH)
            information.external_attr = 0o644 << 16
            information.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(information, blob)
    return packed.getvalue()


def _wheel_digest(blob: bytes) -> str:
    return base64.urlsafe_b64encode(hashlib.sha256(blob).digest()).decode().rstrip("=")


def _ignored(folder: Path) -> list[str]:
    file = folder / ".dockerignore"
    if not file.is_file():
        return []
    lines = file.read_text(encoding="utf-8", errors="replace").splitlines()
    return [line.strip() for line in lines if line.strip() and not line.startswith("#")]


def _not_ignored(folder: Path, patterns: list[str]) -> list[str]:
    """The files below a folder that no pattern of a `.dockerignore` leaves out, as the Docker client reads them."""
    from docker.utils.build import exclude_paths

    names = exclude_paths(str(folder), patterns, dockerfile="Dockerfile") - {".dockerignore"}
    return sorted(name for name in names if (folder / name).is_file() or (folder / name).is_symlink())


def _inside(folder: Path, path: Path) -> Path:
    target = path.resolve()
    if not target.is_relative_to(folder.resolve()) or not target.is_file():
        raise BadModel(
            f"{path} is a link to {target}, which is no file of this folder",
            hint="copy into it what the model needs",
        )
    if not os.access(path, os.R_OK):
        raise BadModel(f"{path} cannot be read")
    return path


def _add(archive: tarfile.TarFile, name: str, content: Content) -> None:
    information = tarfile.TarInfo(name)
    if isinstance(content, bytes):
        information.size, information.mode = len(content), 0o644
        archive.addfile(information, io.BytesIO(content))
        return
    with content.open("rb") as file:
        status = os.fstat(file.fileno())
        information.size = status.st_size
        information.mode = 0o755 if status.st_mode & 0o100 else 0o644
        archive.addfile(information, file)
