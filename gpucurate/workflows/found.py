"""What the first pass of a deduplication leaves for those after it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np
import numpy.typing as npt

from gpucurate.backends.driver import Outcome
from gpucurate.checkpoint.run_folder import RunFolder
from gpucurate.dedup.cluster_file import FileSpan
from gpucurate.dedup.key_file import KeySet
from gpucurate.dedup.saved_forest import SavedForest
from gpucurate.pipeline.run import first_rows
from gpucurate.planning.fingerprint import digest
from gpucurate.spec.names import encode_name
from gpucurate.spec.source import FileRange
from gpucurate.spec.unit import Unit
from gpucurate.stages.deduplication.keys import key_file_of


@dataclass(frozen=True, slots=True)
class Found:
    """Keys, and the records that they stand for.

    Attributes:
        keys: key files of all units, and the ids of their records.
        units: of the first pass, those included that were set aside.
        outcome: of the first pass.
        spans: consecutive records, one entry a file range, in order of ids.
        ranges: the file range of each span.
        forest: where their grouping is saved.
        following: digest of all that later passes follow from: what decides results, and what was read.
    """

    keys: KeySet
    units: Sequence[Unit]
    outcome: Outcome
    spans: Sequence[FileSpan]
    ranges: Sequence[FileRange]
    following: str
    forest: SavedForest

    @classmethod
    def of(cls, folder: RunFolder, units: Sequence[Unit], outcome: Outcome) -> Self:
        """What the units of the first pass left in the run folder."""
        by_unit = {result.unit_id: result for result in outcome.results}
        files = {unit: folder.final_path(key_file_of(result).name) for unit, result in by_unit.items()}
        paths = [files.get(unit.id) for unit in units]
        bases = record_bases(units, outcome)
        spans, ranges = record_spans(units, outcome)
        following = digest([folder.identity.decides, [unit.id for unit in units if unit.id in by_unit]])
        forest = SavedForest(folder.writable(f"scratch/forest-{following[:16]}.u32"))
        return cls(KeySet(paths, bases), units, outcome, spans, ranges, following, forest)

    @property
    def read(self) -> set[str]:
        """Ids of the units that were read, rather than set aside."""
        return {result.unit_id for result in self.outcome.results}

    @property
    def range_records(self) -> list[list[int]]:
        """Records of each range of each unit; none of a unit that was set aside."""
        by_unit = {
            result.unit_id: [tally.records for tally in result.tallies] for result in self.outcome.results
        }
        return [by_unit.get(unit.id, []) for unit in self.units]


def record_bases(units: Sequence[Unit], outcome: Outcome) -> npt.NDArray[np.int64]:
    """Id of each unit's first record, and the number of records at the end: int64[units + 1]."""
    by_unit = {result.unit_id: result for result in outcome.results}
    records = [sum(t.records for t in by_unit[u.id].tallies) if u.id in by_unit else 0 for u in units]
    return np.concatenate(([0], np.cumsum(records, dtype=np.int64))).astype(np.int64)


def record_spans(units: Sequence[Unit], outcome: Outcome) -> tuple[list[FileSpan], list[FileRange]]:
    """Consecutive records, one entry a file range, in order of ids; and the file range of each."""
    first = first_rows(units, outcome.results)
    sources = {(r.file.name, r.ordinal): r for unit in units for group in unit.groups for r in group}
    spans, ranges, next_id = [], [], 0
    for result in outcome.results:
        for tally in result.tallies:
            name = encode_name(tally.name)
            spans.append(FileSpan(name, first[name, tally.ordinal], next_id, tally.records))
            ranges.append(sources[tally.name, tally.ordinal])
            next_id += tally.records
    return spans, ranges
