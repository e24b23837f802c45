"""Which old document a cluster was found to hold: Parquet with a row for each such cluster.

cluster        int64    as in the cluster artefact
index          string   folder of the index
path           string   file of the old document, as in the listing of its run
row            int64    its physical record from 0; null where that is not known
old_documents  int32    documents of indexes in the cluster; the one that is told is the first
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq

from gpucurate.dedup.index_against import OldMembers
from gpucurate.dedup.index_arrow import plain_array, repeated_text
from gpucurate.dedup.index_origins import read_origins
from gpucurate.disk.files import open_private
from gpucurate.spec.names import encode_name
from gpucurate.spec.storage import storage_errors

HITS = "in_index.parquet"
"""Of the run folder."""

SCHEMA = pa.schema(
    [
        ("cluster", pa.int64()),
        ("index", pa.string()),
        ("path", pa.string()),
        ("row", pa.int64()),
        ("old_documents", pa.int32()),
    ]
)


@dataclass(frozen=True, slots=True)
class OldFile:
    """One file of an index, and the ids that its documents have in a run.

    Attributes:
        index: folder of the index.
        keys: path of the keys.
        origins: path of the origins.
        first_id: id of its first document.
        documents: how many.
    """

    index: Path
    keys: Path
    origins: Path
    first_id: int
    documents: int


def write_hits(path: Path, files: Sequence[OldFile], members: OldMembers) -> None:
    """Write the file, whole or not at all.

    Args:
        path: of the file, which is replaced.
        files: of all indexes, in order of ids.
        members: what was found.

    Raises:
        StorageError: it cannot be written, or the origins cannot be read.
    """
    making = path.with_name(f".{path.name}.tmp")
    with storage_errors(path):
        with open_private(making, "wb") as file:
            with pq.ParquetWriter(file, SCHEMA, compression="zstd") as writer:
                for table in _tables(files, members):
                    writer.write_table(table)
            file.flush()
            os.fsync(file.fileno())
        making.replace(path)


def _tables(files: Sequence[OldFile], members: OldMembers) -> Iterator[pa.Table]:
    order = np.argsort(members.first)
    first = members.first[order].astype(np.int64)
    for file in files:
        here = slice(*np.searchsorted(first, [file.first_id, file.first_id + file.documents]).tolist())
        if here.start < here.stop:
            at = order[here]
            yield _table(file, members.clusters[at], first[here] - file.first_id, members.counts[at])


def _table(
    file: OldFile,
    clusters: npt.NDArray[np.int64],
    places: npt.NDArray[np.int64],
    counts: npt.NDArray[np.uint32],
) -> pa.Table:
    origins = read_origins(file.origins, file.documents).take(plain_array(places, pa.int64()))
    columns = [
        plain_array(clusters, pa.int64()),
        repeated_text(encode_name(str(file.index)), len(clusters)),
        origins.column("path").cast(pa.string()),
        origins.column("row"),
        plain_array(counts.astype(np.int32), pa.int32()),
    ]
    return pa.Table.from_arrays(columns, schema=SCHEMA)
