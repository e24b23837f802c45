"""Ids of documents to remove, and the id generator they come from, as NeMo Curator's removal reads them.

``FuzzyDuplicateIds/`` (of exact deduplication ``ExactDuplicateIds/``) holds Parquet with the column
``_curator_dedup_id``, ascending; ``fuzzy_id_generator.json`` gives each file of the input a batch of
its own. So NeMo Curator is to read the input with one file a partition.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from itertools import groupby
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq

from gpucurate.dedup.survivors import Clusters
from gpucurate.disk.files import PUBLIC, publish, write_atomic
from gpucurate.spec.errors import InputError
from gpucurate.spec.storage import storage_errors
from gpucurate.spec.unit import OutputFile
from gpucurate.stages.deduplication.id_generator import CURATOR_DEDUP_ID_STR, IdGeneratorBase
from gpucurate.workflows.found import Found

SCHEMA = pa.schema([(CURATOR_DEDUP_ID_STR, pa.int64())])
STEP = 1 << 20
"""Records looked at at a time, and the most ids in a row group."""


def write_nemo_ids(output: Path, kind: str, found: Found, clusters: Clusters, blank: int) -> list[OutputFile]:
    """Write the ids of the documents that do not survive, and the id generator.

    Args:
        output: folder that they go to.
        kind: ``exact`` or ``fuzzy``, which names them.
        found: what the first pass found; ids are those of the records.
        clusters: with their survivors.
        blank: blank lines of the input.

    Returns:
        The files, relative to the folder.

    Raises:
        InputError: there are blank lines, which NeMo Curator does not count.
        StorageError: not possible.
    """
    if blank:
        raise InputError(
            f"the input has {blank:,} blank lines, which NeMo Curator passes over: its ids would be others. "
            "Remove them, or do without nemo_ids"
        )
    ids, generator = f"{kind.capitalize()}DuplicateIds/part.0.parquet", f"{kind}_id_generator.json"
    with storage_errors(output):
        (output / ids).parent.mkdir(parents=True, exist_ok=True)
        rows = _write(output / ids, _removed(clusters, found.keys.records))
    write_atomic(
        output / generator, _generator(found).to_json().encode(), PUBLIC
    )  # syncs the name of the folder too
    return [_output(output, ids, rows), _output(output, generator, 0)]


def _output(output: Path, name: str, rows: int) -> OutputFile:
    return OutputFile(name, "", rows, (output / name).stat().st_size, "")


def _removed(clusters: Clusters, records: int) -> Iterator[npt.NDArray[np.int64]]:
    for first in range(0, records, STEP):
        stop = min(records, first + STEP)
        yield first + np.flatnonzero(~clusters.is_kept(first, stop))


def _write(path: Path, ids: Iterator[npt.NDArray[np.int64]]) -> int:
    made = path.with_name(f".{path.name}.tmp")
    rows = 0
    with made.open("wb") as file:
        with pq.ParquetWriter(file, SCHEMA) as parquet:
            for some in ids:
                array = pa.Array.from_buffers(pa.int64(), len(some), [None, pa.py_buffer(some)])
                parquet.write_table(pa.Table.from_arrays([array], schema=SCHEMA))
                rows += len(some)
        file.flush()
        os.fsync(file.fileno())
    publish([(made, path)])
    return rows


def _generator(found: Found) -> IdGeneratorBase:
    """A batch for each file that has records; ids are those of the clusters."""
    generator = IdGeneratorBase()
    for path, counts in groupby(_counts(found), lambda entry: entry[0]):
        count = sum(records for _, records in counts)
        if count:
            generator.register_batch(path, count)
    return generator


def _counts(found: Found) -> Sequence[tuple[str, int]]:
    return [(r.file.path, span.records) for r, span in zip(found.ranges, found.spans, strict=True)]
