"""How far two runs agree: clusters, removals, and some documents on which they do not."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from os import PathLike
from pathlib import Path
from typing import Any

import numpy as np

from gpucurate.checkpoint.store import FOLDER
from gpucurate.dedup.agreement import Agreement, Places, Table
from gpucurate.io.limits import ReadLimits
from gpucurate.io.ranges import split_file
from gpucurate.spec.errors import ConfigurationError, InputError
from gpucurate.spec.names import encode_name
from gpucurate.spec.place import Url, place_of
from gpucurate.stages.deduplication.id_list import IdList
from gpucurate.workflows.cluster_sources import ROW_BITS, ClusterSource, generator_of, of_ids, of_run
from gpucurate.workflows.examples import first_line, locate
from gpucurate.workflows.finished import FinishedRun, open_run

Source = FinishedRun | IdList


@dataclass(frozen=True, slots=True)
class Removals:
    """Documents that do not survive: in both runs, or in one of them only."""

    in_both: int
    first_only: int
    second_only: int


@dataclass(frozen=True, slots=True)
class Example:
    """Two documents that one run puts together and the other apart.

    Attributes:
        together_in: ``first`` or ``second``.
        documents: (file, row, beginning of the text) of each.
    """

    together_in: str
    documents: tuple[tuple[str, int, str], ...]


@dataclass(frozen=True, slots=True)
class Comparison:
    """How far two runs agree.

    Attributes:
        first: name of the first run, taken for the truth.
        second: of the second.
        agreement: of their clusters; None if one of them tells none.
        removals: None if one of the runs does not tell them.
        not_compared: documents of clusters that only one run could have.
        examples: on which they disagree.
    """

    first: str
    second: str
    agreement: Agreement | None
    removals: Removals | None
    not_compared: int
    examples: tuple[Example, ...]

    def to_dict(self, texts: bool = True) -> dict[str, Any]:
        """Plain values, for JSON; ``texts`` with those of the examples."""
        return {
            "runs": [encode_name(self.first), encode_name(self.second)],
            "agreement": None if self.agreement is None else self.agreement.to_dict(),
            "removals": None if self.removals is None else asdict(self.removals),
            "not_compared": self.not_compared,
            "examples": [
                {
                    "together_in": one.together_in,
                    "documents": [
                        {"path": path, "row": row, **({"text": text} if texts else {})}
                        for path, row, text in one.documents
                    ],
                }
                for one in self.examples
            ],
        }


def compare_runs(
    first: str | PathLike[str],
    second: str | PathLike[str],
    *,
    id_generator: str | PathLike[str] | None = None,
    examples: int = 3,
) -> Comparison:
    """Compare what two runs found in the same input.

    Documents are matched by file and row. One of the two may be a folder of ids that NeMo Curator
    wrote: clusters (with ``_duplicate_group_id``) or the documents to remove.

    Args:
        first: output of a finished run, or its run folder; taken for the truth.
        second: another one.
        id_generator: file of the id generator of the ids; beside them if None.
        examples: so many pairs each way on which they disagree.

    Raises:
        InputError: a run that is none or has not finished; ids of other files; no file in common.
        ConfigurationError: neither is a run of gpucurate.

    >>> compare_runs("unique/", "unique-nemo/").agreement.f1
    """
    runs = [_open(path) for path in (first, second)]
    files, names = _common_files(runs)
    sources = [
        _load(run, runs, files, path, id_generator) for run, path in zip(runs, (first, second), strict=True)
    ]
    clusterings = [source.clustering for source in sources if source.clustering is not None]
    agreement, shown = None, []
    if len(clusterings) == 2:
        table = Table(*clusterings)
        agreement = table.agreement(max(run.documents for run in runs if isinstance(run, FinishedRun)))
        reader = _Examples(next(run for run in runs if isinstance(run, FinishedRun)), names)
        shown = [Example("first", reader.pair(pair)) for pair in table.split_in_second(examples)]
        shown += [Example("second", reader.pair(pair)) for pair in table.split_in_first(examples)]
    return Comparison(
        str(first),
        str(second),
        agreement,
        _removals(*sources),
        sum(s.unplaced for s in sources),
        tuple(shown),
    )


def _open(path: str | PathLike[str]) -> Source:
    if isinstance(place_of(path), Url):
        return open_run(path)
    folder = Path(path)
    if (folder / "run.json").exists() or (folder / FOLDER).exists():
        return open_run(path)
    try:
        return IdList(path)
    except InputError:
        return open_run(path)  # which says what it should be


def _common_files(runs: list[Source]) -> tuple[dict[str, int], list[str]]:
    """The files that the runs read, by encoded name with their position, and those names."""
    listings = [
        {encode_name(f.name) for f in run.listing.files} for run in runs if isinstance(run, FinishedRun)
    ]
    if not listings:
        raise ConfigurationError(
            "neither is a run of gpucurate: ids alone do not tell files and rows, so one of the two has to be"
        )
    names = sorted(set.intersection(*listings))
    if not names:
        raise InputError(
            f"the runs have no file in common: one read {min(listings[0])}, the other {min(listings[-1])} "
            "(files are known by their path below the input)"
        )
    return {name: at for at, name in enumerate(names)}, names


def _load(
    run: Source,
    runs: list[Source],
    files: dict[str, int],
    path: str | PathLike[str],
    id_generator: str | PathLike[str] | None,
) -> ClusterSource:
    if isinstance(run, FinishedRun):
        return of_run(run, files)
    other = next(other for other in runs if isinstance(other, FinishedRun))
    generator = generator_of(Path(path), None if id_generator is None else Path(id_generator))
    return of_ids(run, generator, other, files)


def _removals(first: ClusterSource, second: ClusterSource) -> Removals | None:
    if first.removed is None or second.removed is None:
        return None
    both = len(np.intersect1d(first.removed, second.removed))
    return Removals(both, _distinct(first.removed) - both, _distinct(second.removed) - both)


def _distinct(places: Places) -> int:
    return len(np.unique(places))


class _Examples:
    """Beginnings of documents that are known by their place."""

    def __init__(self, run: FinishedRun, names: list[str]) -> None:
        self._run, self._names = run, names
        self._files = {encode_name(file.name): file for file in run.listing.files}
        self._records = run.range_records()
        limits = {
            name: run.decides.get(name) for name in ("on_corrupt", "max_record_bytes", "encoding_errors")
        }
        self._limits = ReadLimits(**{name: value for name, value in limits.items() if value is not None})

    def pair(self, places: tuple[int, int]) -> tuple[tuple[str, int, str], ...]:
        return tuple(self._document(place) for place in places)

    def _document(self, place: int) -> tuple[str, int, str]:
        name, row = self._names[place >> ROW_BITS], place & ((1 << ROW_BITS) - 1)
        counts = self._records[name]
        ranges = split_file(self._files[name], self._run.unit_bytes)
        if len(ranges) != len(counts):  # it was read whole, though it is worth several
            ranges = split_file(self._files[name], max(1, self._files[name].size))
        bases = [sum(counts[:at]) for at in range(len(counts))]
        source, record = locate(row, bases, ranges)
        return name, row, first_line(source, record, self._run.decides["text_field"], self._limits)
