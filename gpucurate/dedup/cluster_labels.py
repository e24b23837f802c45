"""The cluster artefact read back: the cluster of each record."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq

from gpucurate.dedup.cluster_file import FileSpan
from gpucurate.dedup.parquet_errors import parquet_errors
from gpucurate.spec.errors import InputError

Ids = npt.NDArray[np.uint32]

BATCH_ROWS = 1 << 17

_REMEDY = "it cannot be read as clusters; remove it, and give the command of the run that found them again"


def read_cluster_rows(folder: Path, columns: Sequence[str]) -> Iterator[pa.RecordBatch]:
    """Rows of a cluster artefact, some of its columns, in order of ids.

    Raises:
        InputError: the folder holds no artefact, or one that cannot be read.
    """
    parts = sorted(folder.glob("part-*.parquet"))
    if not parts:
        raise InputError(f"{folder} holds no clusters: name the folder of a run that has finished")
    for part in parts:
        with parquet_errors(part, _REMEDY, InputError), part.open("rb") as file:  # some paths look like URIs
            parquet = pq.ParquetFile(file)
            missing = [name for name in columns if name not in parquet.schema_arrow.names]
            if missing:
                raise InputError(f"{part} cannot be read as clusters: it has no {', '.join(missing)}")
            yield from parquet.iter_batches(BATCH_ROWS, columns=list(columns))


def read_labels(folder: Path, spans: Sequence[FileSpan]) -> Ids:
    """Label every record with the smallest record of its cluster.

    Args:
        folder: the artefact.
        spans: all records of the input, in order of ids; each row is held against them.

    Returns:
        uint32[records], as :func:`~gpucurate.dedup.components.find_components` gives them.

    Raises:
        InputError: the artefact is of another input.
    """
    places = _Places(spans)
    labels = np.arange(places.records, dtype=np.uint32)
    for batch in read_cluster_rows(folder, ["path", "row", "id", "cluster"]):
        ids, clusters = (batch.column(name).to_numpy() for name in ("id", "cluster"))
        if not places.hold(batch, ids) or bool(np.any((clusters < 0) | (clusters > ids))):
            raise InputError(f"{folder} holds clusters of other documents than those of the input")
        labels[ids] = clusters
    return labels


class _Places:
    """Where records stand: file and row of each id."""

    def __init__(self, spans: Sequence[FileSpan]) -> None:
        self._names = [span.name for span in spans]
        self._first_ids = np.array([span.first_id for span in spans], np.int64)
        self._first_rows = np.array([-1 if s.first_row is None else s.first_row for s in spans], np.int64)
        self.records = spans[-1].first_id + spans[-1].records if spans else 0

    def hold(self, batch: pa.RecordBatch, ids: npt.NDArray[np.int64]) -> bool:
        """Whether ids, files and rows of a batch belong together."""
        if not len(ids) or ids.min() < 0 or ids.max() >= self.records:
            return not len(ids)
        spans = np.searchsorted(self._first_ids, ids, side="right") - 1
        rows = batch.column("row").fill_null(-1).to_numpy()
        expected = self._first_rows[spans] + ids - self._first_ids[spans]
        known = (rows >= 0) & (self._first_rows[spans] >= 0)
        return bool(np.all((rows == expected) | ~known)) and self._are_named(batch.column("path"), spans)

    def _are_named(self, paths: Any, spans: npt.NDArray[np.int64]) -> bool:
        encoded = paths.dictionary_encode()
        names = encoded.dictionary.to_pylist()
        pairs = np.unique(np.stack([spans, encoded.indices.to_numpy()]), axis=1)
        return all(self._names[span] == names[name] for span, name in pairs.T.tolist())
