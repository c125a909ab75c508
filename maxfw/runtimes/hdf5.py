"""HDF5: weights that Keras 2 wrote, for those who do the arithmetic themselves."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from maxfw.runtimes.base import existing, import_framework, loading


@contextlib.contextmanager
def opened(path: str | Path) -> Iterator[Any]:
    """An HDF5 file, open for reading: `file["layer/kernel:0"][...]` is an array.

    Raises:
        MissingExtra: h5py is not installed.
        BadModel: the file is absent or damaged.
    """
    h5py = import_framework("h5py", extra="hdf5", needs="h5py")
    file = existing(path, "HDF5")
    with loading(file, "HDF5"), h5py.File(os.fspath(file), "r") as weights:
        yield weights
