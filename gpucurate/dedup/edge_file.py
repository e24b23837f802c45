"""The artefact of accepted pairs: Parquet, by ascending ids.

id_a        int64     records before it in the whole input; the smaller of the two; below zero for
                      documents of indexes, of which -1 is the last
id_b        int64
similarity  float64   of their sets of shingles, or its estimate: the threshold or more
"""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq

from gpucurate.dedup.pair_table import PairTable, unpack
from gpucurate.disk.crash import reach
from gpucurate.disk.files import open_private
from gpucurate.spec.storage import storage_errors

SCHEMA = pa.schema([("id_a", pa.int64()), ("id_b", pa.int64()), ("similarity", pa.float64())])


def write_edges(folder: Path, table: PairTable, threshold: float, old: int = 0) -> int:
    """Write ``part-00000.parquet``, whole or not at all.

    Args:
        folder: is replaced.
        table: all pairs that were compared.
        threshold: of similarity.
        old: documents of indexes, which in the table come before those of the input.

    Returns:
        Pairs written.

    Raises:
        StorageError: not possible.
    """
    making = folder.with_name(f".{folder.name}.tmp")
    with storage_errors(folder):
        shutil.rmtree(making, ignore_errors=True)
        making.mkdir(parents=True)
        edges = 0
        with open_private(making / "part-00000.parquet", "wb") as file:  # pyarrow takes some paths for URIs
            with pq.ParquetWriter(file, SCHEMA, compression="zstd") as writer:
                for pairs, values in table.blocks():
                    accepted = values >= threshold
                    edges += int(np.count_nonzero(accepted))
                    writer.write_table(_rows(pairs[accepted], values[accepted], old))
            file.flush()
            reach("edges.before_fsync")
            os.fsync(file.fileno())
        reach("edges.before_remove")
        shutil.rmtree(folder, ignore_errors=True)
        reach("edges.before_rename")
        making.replace(folder)
        reach("edges.after_rename")
    return edges


def _rows(pairs: npt.NDArray[np.uint64], values: npt.NDArray[np.float64], old: int) -> pa.Table:
    columns = [ids.astype(np.int64) - old for ids in unpack(pairs)]
    arrays = [
        pa.Array.from_buffers(field.type, len(pairs), [None, pa.py_buffer(np.ascontiguousarray(column))])
        for field, column in zip(SCHEMA, [*columns, values], strict=True)
    ]
    return pa.Table.from_arrays(arrays, schema=SCHEMA)
