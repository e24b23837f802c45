"""Documents that share a key with another: those of which the text is needed to verify pairs.

``NNNNNN.bits`` in a folder: for each record of unit N one bit, little-endian within a byte.
Units without such a document have no file.
"""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import numpy.typing as npt

from gpucurate.disk.crash import reach
from gpucurate.disk.files import open_private
from gpucurate.ops.survivors import count_members
from gpucurate.spec.storage import storage_errors

Ids = npt.NDArray[np.uint32]
Mask = npt.NDArray[np.bool_]

_STEP = 1 << 20


def find_candidates(labels: Ids) -> Mask:
    """Whether each record shares a key with another one.

    Args:
        labels: uint32[n], of the components of equal keys.

    Returns:
        bool[n].
    """
    sizes = count_members(labels)
    found = np.zeros(len(labels), bool)
    for first in range(0, len(labels), _STEP):
        found[first : first + _STEP] = sizes[labels[first : first + _STEP]] > 1
    return found


def write_candidates(folder: Path, candidates: Mask, bases: npt.NDArray[np.int64]) -> list[int]:
    """Write the bits of all units that have a candidate.

    Args:
        folder: is replaced.
        candidates: bool[n].
        bases: int64[units + 1], id of each unit's first record.

    Returns:
        Indices of those units.

    Raises:
        StorageError: not possible.
    """
    units = []
    with storage_errors(folder):
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        reach("candidates.after_make")
        for unit, (first, stop) in enumerate(zip(bases[:-1].tolist(), bases[1:].tolist(), strict=True)):
            mask = candidates[first:stop]
            if mask.any():
                with open_private(_path(folder, unit), "wb") as file:
                    file.write(np.packbits(mask, bitorder="little").data)
                units.append(unit)
    reach("candidates.after_write")
    return units


def read_candidates(folder: Path, unit: int) -> Mask:
    """Whether each record of a unit is a candidate: bool, up to 7 entries more than records.

    Raises:
        StorageError: not possible.
    """
    path = _path(folder, unit)
    with storage_errors(path, "read"):
        return np.unpackbits(np.fromfile(path, np.uint8), bitorder="little").astype(bool)


def _path(folder: Path, unit: int) -> Path:
    return folder / f"{unit:06d}.bits"
