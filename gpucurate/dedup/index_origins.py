"""Where the documents of an index come from: Parquet of ``path`` and ``row``, a row a document."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterable, Sequence
from contextlib import suppress
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq

from gpucurate.dedup.cluster_file import FileSpan
from gpucurate.dedup.index_arrow import plain_array, text_array
from gpucurate.dedup.parquet_errors import parquet_errors
from gpucurate.spec.errors import StorageError
from gpucurate.spec.storage import storage_errors

SCHEMA = pa.schema([("path", pa.dictionary(pa.int32(), pa.string())), ("row", pa.int64())])
"""File as in the listing of its run; physical record of it from 0, null where that is not known."""


class Origins:
    """Paths and rows of the records of a run.

    Args:
        spans: all records, in order of ids.
    """

    def __init__(self, spans: Sequence[FileSpan]) -> None:
        self._spans = spans
        self._first = np.array([span.first_id for span in spans], np.int64)

    def of(self, ids: npt.NDArray[np.int64]) -> pa.Table:
        """Where records come from: a table of :data:`SCHEMA`.

        Args:
            ids: int64[m], ascending.
        """
        at = np.searchsorted(self._first, ids, side="right") - 1
        used, which = np.unique(at, return_inverse=True)
        spans = [self._spans[span] for span in used.tolist()]
        first_row = np.array([-1 if span.first_row is None else span.first_row for span in spans], np.int64)
        known = first_row[which] >= 0
        rows = ids - self._first[at] + first_row[which]
        paths = pa.DictionaryArray.from_arrays(
            plain_array(which.astype(np.int32), pa.int32()), text_array([span.name for span in spans])
        )
        return pa.Table.from_arrays([paths, plain_array(rows, pa.int64(), known)], schema=SCHEMA)


class OriginsWriter:
    """Writes the origins of one file of an index.

    Args:
        path: of the file, which is made or replaced.

    Raises:
        StorageError: not possible.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        with storage_errors(path):
            self._file = path.open("wb")
        self._parquet = pq.ParquetWriter(self._file, SCHEMA, compression="zstd")

    def append(self, origins: pa.Table) -> None:
        """Add a table of :data:`SCHEMA`."""
        with storage_errors(self.path):
            self._parquet.write_table(origins)

    def close(self) -> None:
        """Finish the file, and sync it."""
        with storage_errors(self.path):
            self._parquet.close()
            self._file.flush()
            os.fsync(self._file.fileno())
            self._file.close()

    def abandon(self) -> None:
        """After an error, whose cause is what is told: neither file nor writer complain again."""
        self._parquet.is_open = False  # it would else be closed once more when it is collected
        with suppress(OSError):
            self._file.close()


def read_origins(path: Path, documents: int | None = None) -> pa.Table:
    """All origins of a file of an index: a table of :data:`SCHEMA`, in one chunk.

    Args:
        path: of the file.
        documents: how many it should tell of, if that is known.

    Raises:
        StorageError: the file cannot be read, or is damaged.
    """
    with parquet_errors(path, "save the index again"), path.open("rb") as file:
        table = pq.ParquetFile(file, read_dictionary=["path"]).read(use_threads=False)
    if table.column_names != SCHEMA.names or documents not in (None, table.num_rows):
        columns = ", ".join(table.column_names)
        raise StorageError(
            f"{path} tells of {table.num_rows:,} documents in the columns {columns}, which are not those of "
            "the index: it is damaged, save the index again"
        )
    return table.unify_dictionaries().combine_chunks()


def take_origins(origins: pa.Table, at: npt.NDArray[np.int64]) -> pa.Table:
    """Some of the origins, with no trace of the paths that only others have.

    Args:
        origins: as :func:`read_origins` gives them; at least one.
        at: int64[m], which of them.
    """
    taken = origins.take(plain_array(at, pa.int64()))
    paths = taken.column("path").cast(pa.string()).dictionary_encode()
    return pa.Table.from_arrays([paths, taken.column("row")], schema=SCHEMA)


def count_by_path(files: Iterable[Path]) -> list[tuple[str, int]]:
    """Documents of each path, in order of paths.

    Raises:
        StorageError: a file cannot be read, or is damaged.
    """
    counts: Counter[str] = Counter()
    for path in files:
        for chunk in read_origins(path).column("path").chunks:
            found = np.bincount(chunk.indices.to_numpy(), minlength=len(chunk.dictionary)).tolist()
            for name, count in zip(chunk.dictionary.to_pylist(), found, strict=True):
                counts[name] += count
    return sorted(counts.items())
