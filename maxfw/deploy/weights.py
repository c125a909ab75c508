"""Every file that a model declares, verified, in one folder that an image can take along."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

from maxfw.assets import Asset, fetch
from maxfw.catalog import ModelFolder, load_class
from maxfw.contract import sample_asset
from maxfw.errors import AssetUnavailable, BadModel, BadSetting
from maxfw.settings import Settings


def fetch_all(folder: ModelFolder, settings: Settings) -> Iterator[tuple[Asset, Path]]:
    """The weights of a model and the public files of its samples, each with its verified path.

    A sample is left out where it cannot be had: a model answers without it.

    Raises:
        AssetUnavailable: a file of the weights could not be had.
        AssetCorrupt: the file at its URL has another sha256.
    """
    if folder.is_old_style:
        raise BadModel(
            f"{folder.path} is an old-style repository", hint="its own Dockerfile says where its weights are"
        )
    for asset in load_class(folder).assets:
        yield asset, fetch(asset, settings)
    for file in sorted(folder.samples.glob("*.asset")):
        asset = sample_asset(file)
        try:
            path = fetch(asset, settings)
        except AssetUnavailable:
            continue
        yield asset, path


def store(asset: Asset, path: Path, folder: Path) -> Path:
    """Copy a verified file to where a cache in `folder` (`MAXFW_ASSETS_DIR`) is looked for it; readable for everybody.

    Raises:
        BadSetting: the folder cannot be written to.
    """
    target = folder / place(asset)
    if target.exists() and target.samefile(path):
        return target
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        handle, part = tempfile.mkstemp(dir=target.parent)
        os.close(handle)
        shutil.copyfile(path, part)
        os.chmod(part, 0o644)
        os.replace(part, target)
    except OSError as error:
        raise BadSetting(
            f"{target} cannot be written: {error.strerror}", hint="name a folder that you may write to"
        ) from None
    return target


def place(asset: Asset) -> str:
    """Where a cache keeps a file, relative to its folder."""
    return f"{asset.sha256[:16]}/{asset.name}"
