"""The data that models are trained with and measured on: public files like weights, read whole."""

from __future__ import annotations

import gzip
import hashlib
from pathlib import Path

from maxfw.assets import Asset, fetch
from maxfw.errors import AssetCorrupt
from maxfw.settings import Settings, load_settings


def read(asset: Asset, settings: Settings | None = None) -> bytes:
    """The content of a public file; a mirror folder may also hold it packed, as NAME.gz.

    Raises:
        AssetUnavailable: it is neither here nor to be had from its URL.
        AssetCorrupt: what was found under its name is another file.
    """
    settings = load_settings() if settings is None else settings
    mirror = settings.assets_mirror
    for packed in sorted(Path(mirror).rglob(asset.name + ".gz")) if mirror else []:  # nothing below a URL
        content = gzip.decompress(packed.read_bytes())
        found = hashlib.sha256(content).hexdigest()
        if found != asset.sha256:
            raise AssetCorrupt(f"{packed}: unpacked it has the sha256 {found}, expected {asset.sha256}")
        return content
    return fetch(asset, settings).read_bytes()
