"""The cuts artefact: every segment that was cut, and where it occurs first.

Parquet, one file a unit of work, a row for each segment, in the order of the input:

    path        string  file, as in the listing of the input
    row         int64   0-based physical record of the file, blank and rejected ones counted;
                        null where a range of the file before it could not be read
    start       int64   first character of the segment in the text as it was read
    stop        int64   end of it, exclusive, its terminator not included
    first_path  string  file of the first occurrence
    first_row   int64   its record, as ``row``
"""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from gpucurate.spec.storage import storage_errors
from gpucurate.tasks.finished import Sync, sync_now

SCHEMA = pa.schema(
    [
        ("path", pa.string()),
        ("row", pa.int64()),
        ("start", pa.int64()),
        ("stop", pa.int64()),
        ("first_path", pa.string()),
        ("first_row", pa.int64()),
    ]
)


class CutFileWriter:
    """Writes the cuts of one unit.

    Args:
        path: of the file, which is made or replaced.

    Raises:
        StorageError: not possible.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.rows = 0
        with storage_errors(path):
            self._file = path.open("wb")
        self._parquet = pq.ParquetWriter(self._file, SCHEMA, compression="zstd")

    def append(self, columns: list[pa.Array]) -> None:
        """Add rows, by columns in the order of the schema."""
        table = pa.Table.from_arrays(columns, schema=SCHEMA)
        with storage_errors(self.path):
            self._parquet.write_table(table)
        self.rows += table.num_rows

    def close(self, sync: Sync = sync_now) -> int:
        """End the file, have it synced and closed; its bytes."""
        with storage_errors(self.path):
            self._parquet.close()
            self._file.flush()
            size = self._file.tell()
        sync(self._file, self.path)
        return size

    def abandon(self) -> None:
        """Let go of the file: neither it nor the writer complain of what is the matter already."""
        self._parquet.is_open = False  # it would else be closed once more when it is collected
        with suppress(OSError):
            self._file.close()
