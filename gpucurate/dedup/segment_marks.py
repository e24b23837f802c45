"""What the last pass needs to know of each segment, on disk: read in slices by id.

``cut.bits``    one bit a compared segment, little-endian within a byte: it goes
``labels.u32``  its first occurrence; only where cuts are listed
``bases.i64``   compared segments before each unit, and all of them
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from gpucurate.dedup.segment_policy import CutPolicy
from gpucurate.disk.files import open_private
from gpucurate.spec.errors import StorageError
from gpucurate.spec.storage import storage_errors

Ids = npt.NDArray[np.uint32]

_STEP = 1 << 20  # a multiple of 8: steps end with a byte


class SegmentMarks:
    """Marks in a folder.

    Args:
        folder: where the files lie.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def write(
        self, bases: npt.NDArray[np.int64], labels: Ids, sizes: Ids, policy: CutPolicy, *, with_labels: bool
    ) -> int:
        """Write the marks.

        Args:
            bases: int64[units + 1], segments before each unit.
            labels: uint32[m], of each segment its first occurrence.
            sizes: uint32[m], at a first occurrence how many there are.
            policy: what goes.
            with_labels: whether ``labels.u32`` is wanted.

        Returns:
            How many segments go.

        Raises:
            StorageError: not possible.
        """
        count = 0
        with storage_errors(self.folder):
            self.folder.mkdir(parents=True, exist_ok=True)
            with open_private(self.folder / "cut.bits", "wb") as file:
                for first, stop in _steps(len(labels)):
                    cut = policy.cut(labels, sizes, first, stop)
                    count += int(np.count_nonzero(cut))
                    file.write(np.packbits(cut, bitorder="little").tobytes())
            if with_labels:
                self._write("labels.u32", labels)
            self._write("bases.i64", bases)
        return count

    def _write(self, name: str, values: npt.NDArray[Any]) -> None:
        with open_private(self.folder / name, "wb") as file:
            file.write(values.data)

    def unit(self, index: int) -> tuple[int, int]:
        """Segments before a unit, and before the next one."""
        first, stop = self._read("bases.i64", np.int64, index, 2)
        return int(first), int(stop)

    def cut(self, first: int, count: int) -> npt.NDArray[np.bool_]:
        """Whether each of ``count`` segments from ``first`` on goes."""
        start = first // 8
        packed = self._read("cut.bits", np.uint8, start, -(-(first + count) // 8) - start)
        bits = np.unpackbits(packed, bitorder="little")[first - 8 * start :][:count]
        return bits.astype(bool)

    def labels(self, first: int, count: int) -> Ids:
        """First occurrence of each of ``count`` segments from ``first`` on."""
        return self._read("labels.u32", np.uint32, first, count)

    def _read(self, name: str, dtype: type[np.generic], first: int, count: int) -> npt.NDArray[Any]:
        size = np.dtype(dtype).itemsize
        with storage_errors(self.folder / name, "read"):
            values = np.fromfile(self.folder / name, dtype, count, offset=first * size)
        if len(values) != count:
            raise StorageError(
                f"{self.folder / name} ends before entry {first + count:,}: it is not of this run"
            )
        return values


def _steps(total: int) -> Iterator[tuple[int, int]]:
    for first in range(0, total, _STEP):
        yield first, min(total, first + _STEP)
