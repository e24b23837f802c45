"""The cluster artefact: what deduplication found, whatever is then done with it.

Parquet with a row for each document of a cluster of two and more, by ascending ``id``:

    path          string    file, as in the listing of the input
    row           int64     0-based physical record of the file, blank and rejected ones counted;
                            null where a range of the file before it could not be read
    id            int64     records before it in the whole input, files by name
    cluster       int64     smallest id of its cluster
    cluster_size  int32     documents in its cluster
    is_kept       bool      whether the policy keeps it
    similarity    float32   to the survivor; null where pairs were not verified
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq

from gpucurate.dedup.survivors import Clusters
from gpucurate.disk.behind import Later, do_now
from gpucurate.disk.crash import reach
from gpucurate.disk.files import fsync_folder, open_private
from gpucurate.spec.storage import storage_errors

SCHEMA = pa.schema(
    [
        ("path", pa.string()),
        ("row", pa.int64()),
        ("id", pa.int64()),
        ("cluster", pa.int64()),
        ("cluster_size", pa.int32()),
        ("is_kept", pa.bool_()),
        ("similarity", pa.float32()),
    ]
)

ROWS_A_GROUP = 1 << 17
ROWS_A_FILE = 1 << 26


@dataclass(frozen=True, slots=True)
class FileSpan:
    """Consecutive records of one file.

    Attributes:
        name: the file, printable.
        first_row: physical record of the file that the span begins with; None where a range
            before it could not be read.
        first_id: its id.
        records: length of the span.
    """

    name: str
    first_row: int | None
    first_id: int
    records: int


def write_clusters(folder: Path, spans: Sequence[FileSpan], clusters: Clusters, later: Later = do_now) -> int:
    """Write ``part-00000.parquet`` and so on: all of them, or nothing is seen of it.

    Args:
        folder: is replaced.
        spans: all records of the input, in order of ids.
        clusters: what was found.
        later: does what waits for the disk: syncs the files, gives the folder its name, syncs that.

    Returns:
        Rows written.

    Raises:
        StorageError: not possible.
    """
    making = folder.with_name(f".{folder.name}.tmp")
    parts: list[_Part] = []
    with storage_errors(making):
        shutil.rmtree(making, ignore_errors=True)
        making.mkdir(parents=True)
        try:
            rows = _write_parts(making, _tables(spans, clusters), parts)
        except BaseException:
            _let_go(parts)
            raise
    later(partial(_make_final, making, folder, parts))
    return rows


def _make_final(making: Path, folder: Path, parts: Sequence[_Part]) -> None:
    with storage_errors(making):
        _sync(parts)
    with storage_errors(folder):
        reach("clusters.before_remove")
        shutil.rmtree(folder, ignore_errors=True)
        reach("clusters.before_rename")
        making.replace(folder)
        reach("clusters.after_rename")
        fsync_folder(folder)


def _sync(parts: Sequence[_Part]) -> None:
    try:
        for part in parts:
            part.sync()
    finally:
        _let_go(parts)


def _write_parts(folder: Path, tables: Iterator[pa.Table], parts: list[_Part]) -> int:
    """Write all, and leave the files open."""
    rows = in_part = 0
    parts.append(_Part(folder, 0))
    for table in tables:
        if in_part >= ROWS_A_FILE:
            parts[-1].finish()
            in_part = 0
            parts.append(_Part(folder, len(parts)))
        parts[-1].parquet.write_table(table)
        rows, in_part = rows + table.num_rows, in_part + table.num_rows
    parts[-1].finish()
    return rows


def _let_go(parts: Sequence[_Part]) -> None:
    for part in parts:
        part.let_go()


class _Part:
    """One file of the artefact, opened here: pyarrow takes some paths for URIs, and not all names."""

    def __init__(self, folder: Path, part: int) -> None:
        self._file = open_private(folder / f"part-{part:05d}.parquet", "wb")
        self.parquet = pq.ParquetWriter(self._file, SCHEMA, compression="zstd")

    def finish(self) -> None:
        self.parquet.close()
        self._file.flush()

    def sync(self) -> None:
        reach("clusters.before_fsync")
        os.fsync(self._file.fileno())

    def let_go(self) -> None:
        """After an error, whose cause is what is told: neither file nor writer complain again."""
        self.parquet.is_open = False  # it would else be closed once more when it is collected
        with suppress(OSError):
            self._file.close()


def _tables(spans: Sequence[FileSpan], clusters: Clusters) -> Iterator[pa.Table]:
    """Tables of at most a row group, spans put together."""
    held: list[pa.Table] = []
    rows = 0
    for span in spans:
        for table in _span_tables(span, clusters):
            if rows + table.num_rows > ROWS_A_GROUP and held:
                yield pa.concat_tables(held)
                held, rows = [], 0
            held.append(table)
            rows += table.num_rows
    if held:
        yield pa.concat_tables(held)


def _span_tables(span: FileSpan, clusters: Clusters) -> Iterator[pa.Table]:
    for start in range(span.first_id, span.first_id + span.records, ROWS_A_GROUP):
        stop = min(start + ROWS_A_GROUP, span.first_id + span.records)
        labels = clusters.labels[start:stop]
        sizes = clusters.sizes[labels]
        members = np.flatnonzero(sizes > 1)
        if not len(members):
            continue
        ids = members + start
        columns = [
            _repeated(span.name.encode(), len(ids)),
            _rows(span, ids),
            _array(ids, pa.int64()),
            _array(labels[members].astype(np.int64), pa.int64()),
            _array(sizes[members].astype(np.int32), pa.int32()),
            _array(
                np.packbits(clusters.is_kept(start, stop)[members], bitorder="little"), pa.bool_(), len(ids)
            ),
            _similarity(clusters, ids),
        ]
        yield pa.Table.from_arrays(columns, schema=SCHEMA)


def _rows(span: FileSpan, ids: npt.NDArray[np.int64]) -> pa.Array:
    if span.first_row is None:
        return pa.nulls(len(ids), pa.int64())
    return _array(ids - span.first_id + span.first_row, pa.int64())


def _similarity(clusters: Clusters, ids: npt.NDArray[np.int64]) -> pa.Array:
    if clusters.similarity is None:
        return pa.nulls(len(ids), pa.float32())
    return _array(clusters.similarity[ids], pa.float32())


def _repeated(text: bytes, count: int) -> pa.Array:
    offsets = np.arange(count + 1, dtype=np.int32) * np.int32(len(text))
    return pa.Array.from_buffers(
        pa.string(), count, [None, pa.py_buffer(offsets), pa.py_buffer(text * count)]
    )


def _array(values: npt.NDArray[np.generic], type: pa.DataType, length: int | None = None) -> pa.Array:
    """Arrow over the memory of an array; ``pa.array`` would load pandas, which takes a while."""
    return pa.Array.from_buffers(
        type, len(values) if length is None else length, [None, pa.py_buffer(values)]
    )
