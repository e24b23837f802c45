"""A forest on disk: the parent of each record, uint32, little-endian, and nothing else."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import numpy.typing as npt

from gpucurate.spec.errors import StorageError
from gpucurate.spec.storage import storage_errors

Ids = npt.NDArray[np.uint32]

_STORED = np.dtype("<u4")


def write_forest(path: Path, forest: Ids) -> int:
    """Write a forest (uint32[records]) to a file of its own, and return when the disk has it.

    Returns:
        Bytes of the file.

    Raises:
        StorageError: not possible.
    """
    stored = np.ascontiguousarray(forest, _STORED)
    with storage_errors(path), path.open("wb") as file:
        file.write(stored.data.cast("B") if stored.size else b"")
        file.flush()
        os.fsync(file.fileno())
    return stored.nbytes


def read_forest(path: Path, records: int) -> Ids:
    """Read a forest of so many records: uint32[records].

    Raises:
        StorageError: it cannot be read, or is not one of so many records.
    """
    with storage_errors(path, "read"):
        size = path.stat().st_size
        if size != _STORED.itemsize * records:
            raise StorageError(
                f"{path} is not a whole forest: it has {size:,} bytes, and {records:,} records take "
                f"{_STORED.itemsize * records:,}"
            )
        return np.fromfile(path, _STORED).astype(np.uint32, copy=False)
