"""What the removal pass needs to know of each record, on disk: read in slices by id.

``kept.bits``    one bit a record, little-endian within a byte: it is accepted and survives
``accepted.bits`` likewise: it was accepted by the reader
``labels.u32``   the cluster of each record, 2^32-1 where it is alone
``bases.i64``    id of the first record of each file range, in order of the listing
``firsts.i64``   index of the first range of each unit
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from gpucurate.dedup.key_file import KeySet
from gpucurate.dedup.survivors import Clusters
from gpucurate.disk.crash import reach
from gpucurate.disk.files import open_private
from gpucurate.spec.errors import StorageError
from gpucurate.spec.storage import storage_errors

ALONE = 2**32 - 1
_STEP = 1 << 20


class Marks:
    """Marks in a folder.

    Args:
        folder: where the files lie.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def write(
        self, keys: KeySet, clusters: Clusters, range_records: Sequence[Sequence[int]], with_labels: bool
    ) -> None:
        """Write the marks of a deduplication.

        Args:
            keys: of all units.
            clusters: what was found.
            range_records: for each unit, the records of each of its ranges.
            with_labels: whether ``labels.u32`` is wanted.

        Raises:
            StorageError: not possible.
        """
        accepted = np.zeros(-(-keys.records // 8), np.uint8)
        for first, mask in _accepted(keys):
            _or_bits(accepted, first, mask)
        with storage_errors(self.folder):
            self.folder.mkdir(parents=True, exist_ok=True)
            reach("marks.before_write")
            self._write("accepted.bits", accepted)
            reach("marks.after_accepted")
            with open_private(self.folder / "kept.bits", "wb") as file:
                for first, stop in _steps(keys.records):
                    kept = np.packbits(clusters.is_kept(first, stop), bitorder="little")
                    file.write((kept & accepted[first // 8 : first // 8 + len(kept)]).tobytes())
            if with_labels:
                self._write_labels(clusters)
            reach("marks.before_bases")
            self._write_bases(keys, range_records)
        reach("marks.after_write")

    def _write_labels(self, clusters: Clusters) -> None:
        with open_private(self.folder / "labels.u32", "wb") as file:
            for first, stop in _steps(len(clusters.labels)):
                labels = clusters.labels[first:stop]
                file.write(
                    np.where(clusters.sizes[labels] > 1, labels, np.uint32(ALONE)).astype(np.uint32).tobytes()
                )

    def _write_bases(self, keys: KeySet, range_records: Sequence[Sequence[int]]) -> None:
        bases: list[int] = []
        firsts: list[int] = []
        for base, records in zip(keys.bases, range_records, strict=False):
            firsts.append(len(bases))
            bases += [int(base) + sum(records[:at]) for at in range(len(records))]
        self._write("bases.i64", np.array(bases, np.int64))
        self._write("firsts.i64", np.array(firsts, np.int64))

    def _write(self, name: str, values: npt.NDArray[Any]) -> None:
        with open_private(self.folder / name, "wb") as file:
            file.write(values.data)

    def base(self, unit_index: int, range_position: int) -> int:
        """Id of the first record of a unit's range."""
        first = int(self._read("firsts.i64", np.int64, unit_index, 1)[0])
        return int(self._read("bases.i64", np.int64, first + range_position, 1)[0])

    def kept(self, ids: npt.NDArray[np.int64]) -> npt.NDArray[np.bool_]:
        """Whether each of the ids (ascending) is kept."""
        return self._bits("kept.bits", ids)

    def accepted(self, ids: npt.NDArray[np.int64]) -> npt.NDArray[np.bool_]:
        """Whether each of the ids (ascending) was accepted by the reader."""
        return self._bits("accepted.bits", ids)

    def labels(self, ids: npt.NDArray[np.int64]) -> npt.NDArray[np.uint32]:
        """Cluster of each of the ids (ascending); ``ALONE`` for none."""
        if not len(ids):
            return np.zeros(0, np.uint32)
        values = self._read("labels.u32", np.uint32, int(ids[0]), int(ids[-1] - ids[0]) + 1)
        labels: npt.NDArray[np.uint32] = values[ids - ids[0]]
        return labels

    def _bits(self, name: str, ids: npt.NDArray[np.int64]) -> npt.NDArray[np.bool_]:
        if not len(ids):
            return np.zeros(0, bool)
        start = int(ids[0]) // 8
        packed = self._read(name, np.uint8, start, int(ids[-1]) // 8 - start + 1)
        bits = np.unpackbits(packed, bitorder="little").astype(bool)
        found: npt.NDArray[np.bool_] = bits[ids - 8 * start]
        return found

    def _read(self, name: str, dtype: type[np.generic], first: int, count: int) -> npt.NDArray[Any]:
        size = np.dtype(dtype).itemsize
        with storage_errors(self.folder / name, "read"):
            values = np.fromfile(self.folder / name, dtype, count, offset=first * size)
        if len(values) != count:
            raise StorageError(
                f"{self.folder / name} ends before record {first + count:,}: it is not of this run"
            )
        return values


def _accepted(keys: KeySet) -> Iterator[tuple[int, npt.NDArray[np.bool_]]]:
    for base, file in keys.files():
        for first, lengths in file.lengths():
            yield base + first, lengths != 0


def _or_bits(bits: npt.NDArray[np.uint8], first: int, mask: npt.NDArray[np.bool_]) -> None:
    packed = np.packbits(np.concatenate([np.zeros(first % 8, bool), mask]), bitorder="little")
    bits[first // 8 : first // 8 + len(packed)] |= packed


def _steps(total: int) -> Iterator[tuple[int, int]]:
    for first in range(0, total, _STEP):
        yield first, min(total, first + _STEP)
