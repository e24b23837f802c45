"""Clusters and removals of a run, of ours or of NeMo Curator, by file and row."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from gpucurate.dedup.agreement import Clustering, Places
from gpucurate.dedup.cluster_labels import read_cluster_rows
from gpucurate.spec.errors import InputError
from gpucurate.spec.names import encode_name
from gpucurate.stages.deduplication.id_batches import IdBatch, match_batches
from gpucurate.stages.deduplication.id_generator import IdGeneratorBase
from gpucurate.stages.deduplication.id_list import IdList
from gpucurate.workflows.finished import FinishedRun

GROUP_FIELD = "_duplicate_group_id"
"""What NeMo Curator calls the cluster of a document."""

ROW_BITS = 40


@dataclass(frozen=True, slots=True)
class ClusterSource:
    """What a run found, of the files that both runs read.

    Attributes:
        clustering: documents in clusters; None of a list of removals alone.
        removed: int64, places of the documents that do not survive; None where that is not told.
        unplaced: documents of clusters that cannot be compared: in files that only this run
            read, or after a part of a file that could not be read.
    """

    clustering: Clustering | None
    removed: Places | None
    unplaced: int = 0


def place_of(file: int, row: int) -> int:
    """Place of a row of a file, which is known by its position among the files."""
    return file << ROW_BITS | row


def of_run(run: FinishedRun, files: Mapping[str, int]) -> ClusterSource:
    """The clusters of a run of ours.

    Args:
        run: finished.
        files: position of each file that both runs read, by encoded name.

    Raises:
        InputError: the artefact cannot be read.
    """
    places, labels, kept, unplaced = [], [], [], 0
    for batch in read_cluster_rows(run.clusters_path, ["path", "row", "cluster", "is_kept"]):
        at = _positions(batch.column("path"), files)
        rows = batch.column("row").fill_null(-1).to_numpy()
        known = (at >= 0) & (rows >= 0)
        unplaced += int(np.count_nonzero(~known))
        places.append(((at << ROW_BITS) | rows)[known])
        labels.append(batch.column("cluster").to_numpy()[known])
        kept.append(batch.column("is_kept").to_numpy(zero_copy_only=False)[known])
    all_places = _joined(places)
    removed = all_places[~np.concatenate([*kept, np.zeros(0, bool)])]
    return ClusterSource(Clustering(all_places, _joined(labels)), removed, unplaced)


def _positions(paths: pa.Array, files: Mapping[str, int]) -> npt.NDArray[np.int64]:
    encoded = paths.dictionary_encode()
    known = np.array([files.get(name, -1) for name in encoded.dictionary.to_pylist()], np.int64)
    positions: npt.NDArray[np.int64] = known[encoded.indices.to_numpy()]
    return positions


def of_ids(
    ids: IdList, generator: IdGeneratorBase, run: FinishedRun, files: Mapping[str, int]
) -> ClusterSource:
    """Clusters or removals of NeMo Curator, by the files of a run of ours over the same input.

    Args:
        ids: with ``_duplicate_group_id``, members of clusters; else the documents to remove.
        generator: what gave the ids.
        run: tells how many records each file has.
        files: position of each of its files, by encoded name.

    Raises:
        InputError: the generator is of other files, or counts other rows in them.
    """
    places_of = _IdPlaces(match_batches(generator, run.listing.files), run.range_records(), files)
    has_groups = GROUP_FIELD in ids.columns
    places, labels = [], []
    for values, table in ids.integers([GROUP_FIELD] if has_groups else []):
        places.append(places_of(values))
        if has_groups:
            labels.append(table.column(GROUP_FIELD).to_numpy().astype(np.int64))
    if has_groups:
        return ClusterSource(Clustering(_joined(places), _joined(labels)), None)
    return ClusterSource(None, _joined(places))


class _IdPlaces:
    """From ids to places."""

    def __init__(
        self, batches: Sequence[IdBatch], records: Mapping[str, Sequence[int]], files: Mapping[str, int]
    ) -> None:
        spans = sorted(span for batch in batches for span in _spans(batch, records, files))
        self._first = np.array([first for first, _, _ in spans], np.int64)
        self._stop = np.array([first + count for first, count, _ in spans], np.int64)
        self._files = np.array([file for _, _, file in spans], np.int64)

    def __call__(self, ids: npt.NDArray[np.int64]) -> Places:
        at = np.searchsorted(self._first, ids, side="right") - 1
        lost = (at < 0) | (ids >= self._stop[at])
        if lost.any():
            raise InputError(
                f"id {int(ids[lost][0])} is in no batch of the id generator: it is of another run"
            )
        places: Places = (self._files[at] << ROW_BITS) | (ids - self._first[at])
        return places


def _spans(
    batch: IdBatch, records: Mapping[str, Sequence[int]], files: Mapping[str, int]
) -> Iterator[tuple[int, int, int]]:
    """First id, documents and position of each file of a batch that has any."""
    first = batch.first_id
    for file in batch.files:
        name = encode_name(file.name)
        count = sum(records.get(name, ()))
        if count:
            yield first, count, files[name]
        first += count
    if first != batch.last_id + 1:
        names = ", ".join(file.path for file in batch.files[:3])
        raise InputError(
            f"the id generator has {batch.count:,} rows in {names}, the run {first - batch.first_id:,}: "
            "NeMo Curator passes over blank lines, so that rows cannot be told apart"
        )


def generator_of(folder: Path, given: Path | None) -> IdGeneratorBase:
    """The id generator of a folder of ids: the file given, or the one that NeMo Curator put beside it.

    Raises:
        InputError: there is none, or another kind of file.
    """
    if given is not None:
        return IdGeneratorBase.from_disk(str(given))
    names = ("fuzzy_id_generator.json", "exact_id_generator.json")
    for path in (place / name for place in (folder, folder.parent) for name in names):
        if path.exists():
            return IdGeneratorBase.from_disk(str(path))
    raise InputError(f"no {' or '.join(names)} in or beside {folder}: name the file of the id generator")


def _joined(parts: Sequence[npt.NDArray[np.int64]]) -> npt.NDArray[np.int64]:
    return np.concatenate([*parts, np.zeros(0, np.int64)])
