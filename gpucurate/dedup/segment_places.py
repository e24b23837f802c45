"""Where segments are: from the number of a segment to its file and row.

The key file of a unit has the segments for records, and where others hold the length of a record it
holds, for each segment, the record of the unit that it is of (``KeyFile.lengths``).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import orjson
import pyarrow as pa

from gpucurate.dedup.cluster_file import FileSpan
from gpucurate.dedup.key_file import KeyFile, KeySet
from gpucurate.disk.files import open_private
from gpucurate.ops.grouping import check_document_count
from gpucurate.spec.errors import StorageError
from gpucurate.spec.storage import storage_errors


@dataclass(frozen=True, slots=True)
class Place:
    """Where a segment is.

    Attributes:
        unit: position of the unit in the listing.
        record: physical record of the unit.
        position: compared segments before it in its document.
    """

    unit: int
    record: int
    position: int


def place_of(segments: KeySet, segment: int) -> Place:
    """Where a segment is, found in the key file of its unit.

    Raises:
        StorageError: the key file cannot be read, or does not hold it.
    """
    unit = int(np.searchsorted(segments.bases, segment, side="right")) - 1
    path = segments.paths[unit]
    if path is not None:
        local = segment - int(segments.bases[unit])
        with KeyFile(path) as file:
            for first, records in file.lengths():
                if local < first + len(records):
                    record = records[local - first]
                    return Place(unit, int(record), local - first - int(np.searchsorted(records, record)))
    raise StorageError(f"the keys of unit {unit} do not hold segment {segment:,}: they are not of this run")


class SegmentPlaces:
    """Places of all segments, in a folder.

    ``records.u32`` has the record of the input that each segment is of; ``spans.json`` the file ranges
    that the records are in.

    Args:
        folder: where the files lie.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._spans: _Spans | None = None

    def write(self, segments: KeySet, bases: npt.NDArray[np.int64], spans: Sequence[FileSpan]) -> None:
        """Write the places.

        Args:
            segments: of all units.
            bases: int64[units + 1], records before each unit.
            spans: all records of the input, in order.

        Raises:
            ConfigurationError: 2^32 records or more.
            StorageError: not possible.
        """
        check_document_count(int(bases[-1]))
        with storage_errors(self.folder):
            self.folder.mkdir(parents=True, exist_ok=True)
            with open_private(self.folder / "records.u32", "wb") as out:
                for path, base in zip(segments.paths, bases, strict=False):
                    if path is not None:
                        with KeyFile(path) as file:
                            for _, records in file.lengths():
                                out.write((records + np.uint32(base)).tobytes())
            with open_private(self.folder / "spans.json", "wb") as out:
                out.write(orjson.dumps([[span.name, span.first_row, span.first_id] for span in spans]))

    def of(self, segments: npt.NDArray[np.integer]) -> tuple[pa.Array, pa.Array]:
        """Path (string) and row of the file (int64) of each segment."""
        if self._spans is None:
            with storage_errors(self.folder, "read"):
                self._spans = _Spans((self.folder / "spans.json").read_bytes(), self.folder / "records.u32")
        return self._spans.of(segments)


class _Spans:
    def __init__(self, spans: bytes, records: Path) -> None:
        names, rows, ids = zip(*orjson.loads(spans), strict=True)
        self._names = pa.array(names, pa.string())
        self._known = np.array([row is not None for row in rows], bool)
        self._rows, self._ids = np.array([row or 0 for row in rows]), np.array(ids, np.int64)
        self._records = np.memmap(records, np.uint32, "r")

    def of(self, segments: npt.NDArray[np.integer]) -> tuple[pa.Array, pa.Array]:
        records = self._records[segments].astype(np.int64)
        spans = np.searchsorted(self._ids, records, side="right") - 1
        rows = records - self._ids[spans] + self._rows[spans]
        return self._names.take(pa.array(spans)), pa.array(rows, mask=~self._known[spans])
