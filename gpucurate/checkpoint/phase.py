"""One phase of a run: which of its units are done, and how one becomes so."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from typing import Any

import orjson

from gpucurate.checkpoint.changes import differences
from gpucurate.checkpoint.resume import ADVICE
from gpucurate.checkpoint.run_folder import RunFolder
from gpucurate.checkpoint.state_files import plan_name
from gpucurate.checkpoint.store import FOLDER
from gpucurate.disk.crash import reach
from gpucurate.memory.uncollected import uncollected
from gpucurate.spec.books import Books
from gpucurate.spec.errors import OutputInUseError
from gpucurate.spec.names import decode_name, encode_name
from gpucurate.spec.plan import Plan
from gpucurate.spec.statistics import StagePerfStats
from gpucurate.spec.unit import BytesTaken, OutputFile, RangeTally, Unit, UnitResult

_SCRATCH = f"{FOLDER}/scratch/"
_REJECTS = f"{_SCRATCH}rejects/"

AFTER = "after"
"""What a plan calls the digest of the phases that it follows from: another one is another plan, and is no
change that anybody made."""

SYNC_SECONDS = 0.05
"""A record waits so long for others before the log is synced."""


class Phase:
    """The commit records of one plan within a run folder.

    Args:
        folder: of the run.
        plan: what is run.
        units: all units of the plan, in order.

    Raises:
        OutputInUseError: the folder holds this phase for another plan or another input.
    """

    def __init__(self, folder: RunFolder, plan: Plan, units: Sequence[Unit]) -> None:
        self.folder = folder
        self.name = plan.name
        self.units = units
        self._last_sync = time.monotonic()
        folder.identity.adopt(units, plan.name)
        folder.reopen_unless_whole()
        folder.opened.add(plan.name)
        self._check(plan)
        reach("phase.after_plan")
        self.done = self._finished()
        if len(self.done) < len(units):
            folder.reopen()
            self._forget_quarantine()
        self._retire()

    def _finished(self) -> dict[str, UnitResult]:
        """Units that have a record and, under their final names, the files that it tells of."""
        standing = self.folder.ledger.standing(self.name)
        recorded = ((unit.id, standing[unit.id]) for unit in self.units if unit.id in standing)
        removed = _SCRATCH if self.folder.is_finished else None  # what lay there went when the run ended
        with uncollected():
            return {unit: from_record(record) for unit, record in recorded if self._is_whole(record, removed)}

    def _is_whole(self, record: Mapping[str, Any], removed: str | None) -> bool:
        files = record["files"]
        there = files if removed is None else [f for f in files if not f[0].startswith(removed)]
        return all(self._is_there(decode_name(name), size) for name, _, size, _ in there)

    def _is_there(self, name: str, size: int) -> bool:
        """Whether a file is as it was written; of rejects, or that they have been numbered."""
        size_of = self.folder.store.size
        if size_of(name) == size:
            return True
        return name.startswith(_REJECTS) and size_of(name.replace(_SCRATCH, f"{FOLDER}/", 1)) is not None

    def _retire(self) -> None:
        """Of units that another input or plan had, nothing stays."""
        known = {unit.id for unit in self.units}
        gone = [unit for unit in self.folder.ledger.standing(self.name) if unit not in known]
        self.folder.retire(self.name, gone)

    def _forget_quarantine(self) -> None:
        """What was set aside by an earlier run is tried again."""
        for name in self.folder.names("quarantine"):
            if name.startswith(f"quarantine/{self.name}-"):
                reach("quarantine.before_unlink")
                self.folder.remove(name)

    def _check(self, plan: Plan) -> None:
        """Refuse another plan, unless changes are wanted; a later phase may follow from other ones."""
        given = {
            "fingerprint": plan.fingerprint,
            "decides": orjson.loads(orjson.dumps(plan.decides)),
            "units": len(self.units),
            "bytes": sum(unit.est_bytes for unit in self.units),
        }
        name = plan_name(self.name)
        before = self.folder.read_json(name)
        if before is not None and all(before[key] == given[key] for key in ("fingerprint", "units")):
            return
        if before is not None and self.folder.resume.mode != "changed":
            then, now = ({**each["decides"], AFTER: None} for each in (before, given))
            found = differences(then, now)
            if found:
                raise OutputInUseError(
                    f"{self.folder.output} was begun with another plan: {'; '.join(found)}. {ADVICE}"
                )
        reach("phase.before_plan")
        self.folder.write_json_later(name, given)

    def commit(self, finished: Sequence[tuple[Unit, UnitResult]]) -> None:
        """Rename the files of units and record them; several at a time cost little more than one.

        Raises:
            StorageError: disk full, no permission, device error.
        """
        self.folder.store.publish([output for _, result in finished for output in result.outputs])
        for unit, result in finished:
            self.record(unit, result)
        self.folder.log.flush()
        self.sync_if_due()

    def record(self, unit: Unit, result: UnitResult) -> None:
        """Record a unit whose files are at their names."""
        record = to_record(self.name, unit, result)
        self.folder.log.append(record)
        self.folder.ledger.note(record)
        self.done[unit.id] = result

    def set_aside(self, unit: Unit, kind: str, why: str, attempts: int) -> None:
        """Record a unit that could not be done, and describe it under ``quarantine/``."""
        reach("quarantine.before_write")
        ranges = [
            {"path": encode_name(r.file.path), "start": r.start, "stop": r.stop}
            for g in unit.groups
            for r in g
        ]
        values = {
            "unit": unit.id,
            "phase": self.name,
            "kind": kind,
            "why": why,
            "attempts": attempts,
            "reads": ranges,
        }
        self.folder.write_json(f"quarantine/{self.name}-{unit.index:06d}.json", values)
        reach("quarantine.after_write")

    def sync_if_due(self) -> None:
        """Make records durable once the oldest has waited long enough."""
        now = time.monotonic()
        if now - self._last_sync >= SYNC_SECONDS:
            self.folder.log.sync()
            self._last_sync = now

    def results(self) -> list[UnitResult]:
        """Results of the finished units, in order of the listing."""
        return [self.done[unit.id] for unit in self.units if unit.id in self.done]


def to_record(phase: str, unit: Unit, result: UnitResult) -> dict[str, Any]:
    """A commit record of plain values."""
    return {
        "k": "done",
        "at": round(time.time(), 3),  # for people: nothing is decided by it
        "phase": phase,
        "unit": unit.id,
        "files": [[encode_name(f.name), f.rows, f.bytes, f.checksum] for f in result.outputs],
        "books": result.books.to_dict(),
        "stages": [_stage_to_plain(stats) for stats in result.stages],
        "ranges": [_range_to_plain(tally) for tally in result.tallies],
        "input_bytes": result.input_bytes,
        "reduced": result.reduced,
    }


def from_record(record: dict[str, Any]) -> UnitResult:
    """The result that a commit record tells of; its files are at their final names."""
    return UnitResult(
        unit_id=record["unit"],
        outputs=[OutputFile(decode_name(f[0]), "", *f[1:]) for f in record["files"]],
        books=Books.from_dict(record["books"]),
        stages=[StagePerfStats.from_dict(values) for values in record["stages"]],
        tallies=[_range_of(plain) for plain in record["ranges"]],
        input_bytes=record["input_bytes"],
        reduced=record.get("reduced", {}),  # records of version 0.1 have none
    )


def _stage_to_plain(stats: StagePerfStats) -> dict[str, Any]:
    """Figures of a stage; what is nothing is left out, since records are many."""
    return {key: value for key, value in stats.to_dict().items() if value or key == "stage_name"}


def _range_to_plain(tally: RangeTally) -> list[Any]:
    plain = [encode_name(tally.name), tally.ordinal, tally.records, tally.rejected]
    taken = tally.taken
    return plain if taken is None else [*plain, taken.start, taken.count, taken.digest]


def _range_of(plain: Sequence[Any]) -> RangeTally:
    name, ordinal, records, rejected, *bytes_taken = plain
    taken = BytesTaken(*bytes_taken) if bytes_taken else None  # none in version 0.1
    return RangeTally(decode_name(name), ordinal, records, rejected, taken)
