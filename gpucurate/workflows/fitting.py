"""The part of the input that fits, where all of it does not: whole units, chosen by a hash of their ids.

Neither workers nor the order of files have a part in the choice. What was chosen stands in the run folder,
so that a run that goes on keeps to it, whatever memory there is then. Documents of other units are not
compared and not written: the books call them ``not sampled``.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from gpucurate.checkpoint.run_folder import RunFolder
from gpucurate.pipeline.run import Run
from gpucurate.spec.bytesize import format_bytes
from gpucurate.spec.errors import ConfigurationError
from gpucurate.stages.deduplication.sample import DocumentSample
from gpucurate.workflows.found import Found

CHOICE = "sample.json"
"""Where the run folder has what was chosen."""


@dataclass(frozen=True, slots=True)
class Amounts:
    """What takes memory, by unit.

    Attributes:
        what: in the plural: ``records``.
        counts: of each unit of the first pass; 0 of one that could not be read.
        refuse: raises ``ConfigurationError`` with the numbers where so many do not fit.
    """

    what: str
    counts: Sequence[int]
    refuse: Callable[[int], None]

    def fits(self, count: int) -> bool:
        """Whether so many can be deduplicated at a time."""
        try:
            self.refuse(count)
        except ConfigurationError:
            return False
        return True

    def sample(self, ids: Sequence[str]) -> list[int]:
        """Units that fit together: in the order of a hash of their ids, whichever still fits.

        >>> Amounts("records", [3, 3, 3], lambda count: None).sample(["a", "b", "c"])
        [0, 1, 2]
        """
        chosen: list[int] = []
        total = 0
        for at in sorted(range(len(ids)), key=lambda at: hashlib.sha256(ids[at].encode()).digest()):
            if self.counts[at] and self.fits(total + self.counts[at]):
                chosen.append(at)
                total += self.counts[at]
        return sorted(chosen)


def fitting(run: Run, folder: RunFolder, found: Found, amounts: Amounts, on_infeasible: str) -> Found:
    """What the first pass found, or the part of it that fits.

    Args:
        run: whose report says so.
        folder: where the choice is kept.
        found: by the first pass.
        amounts: what takes memory.
        on_infeasible: ``fail``, or ``sample`` to go on with the part that fits.

    Raises:
        ConfigurationError: it does not fit, and is not to be sampled; or not even one unit fits.
    """
    chosen: list[str] | None = folder.read_json(CHOICE) if on_infeasible == "sample" else None
    total = sum(amounts.counts)
    if chosen is None:
        if on_infeasible == "fail" or amounts.fits(total):
            amounts.refuse(total)
            return found
        chosen = [found.units[at].id for at in amounts.sample([unit.id for unit in found.units])]
        if chosen:
            folder.write_json(CHOICE, chosen)
    wanted = set(chosen)
    kept = sum(n for unit, n in zip(found.units, amounts.counts, strict=True) if unit.id in wanted)
    if not kept:
        raise ConfigurationError(
            f"not one unit of {len(found.units):,} fits into memory={format_bytes(run.executor.memory)} "
            f"(--memory), so there is nothing to sample: the smallest has "
            f"{min(filter(None, amounts.counts), default=0):,} {amounts.what}. Give it more, or smaller "
            "units (input_blocksize, --blocksize) and another output"
        )
    amounts.refuse(kept)
    _tell(run, found, wanted, amounts, kept)
    outcome = replace(found.outcome, results=[r for r in found.outcome.results if r.unit_id in wanted])
    return Found.of(folder, found.units, outcome)


def _tell(run: Run, found: Found, wanted: set[str], amounts: Amounts, kept: int) -> None:
    """Enter into the report what is left out, and say so."""
    what, total = amounts.what, sum(amounts.counts)
    left_out = [result.books for result in found.outcome.results if result.unit_id not in wanted]
    documents = sum(books.read - books.total_rejected - books.total_dropped for books in left_out)
    run.report.books.dropped[DocumentSample.name] += documents
    run.report.details["sample"] = {
        "units": len(wanted),
        "of_units": len(found.units),
        what: kept,
        f"of_{what}": total,
        "share": round(kept / total, 6),
    }
    sentence = (
        f"only a sample was deduplicated and written: {kept:,} of {total:,} {what} ({kept / total:.1%}), in "
        f"{len(wanted):,} of {len(found.units):,} units, since all of them do not fit into "
        f"memory={format_bytes(run.executor.memory)}; {documents:,} documents of the others were left out"
    )
    run.report.warnings.append(sentence)
    run.observer.trouble(sentence)
