"""One phase of a run: which of its units are done, and how one becomes so."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any

import orjson

from gpucurate.checkpoint.run_folder import RunFolder, differences
from gpucurate.disk.crash import reach
from gpucurate.spec.books import Books
from gpucurate.spec.errors import OutputInUseError
from gpucurate.spec.names import decode_name, encode_name
from gpucurate.spec.plan import Plan
from gpucurate.spec.statistics import StagePerfStats
from gpucurate.spec.unit import OutputFile, RangeTally, Unit, UnitResult

_SCRATCH = "_gpucurate/scratch/"

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
        self._check(plan)
        reach("phase.after_plan")
        self.done = self._finished()
        if len(self.done) < len(units):
            folder.reopen()
            self._forget_quarantine()

    def _finished(self) -> dict[str, UnitResult]:
        """Units that have a record and, under their final names, the files that it tells of."""
        known = {unit.id for unit in self.units}
        recorded = {
            record["unit"]: from_record(record)
            for record in self.folder.log.records
            if record["k"] == "done" and record["phase"] == self.name and record["unit"] in known
        }
        return {unit: result for unit, result in recorded.items() if self._is_whole(result)}

    def _is_whole(self, result: UnitResult) -> bool:
        # What lay in scratch/ was removed when the run was finished.
        names = [f for f in result.outputs if not (self.folder.is_finished and f.name.startswith(_SCRATCH))]
        return all(self.folder.store.size(output.name) == output.bytes for output in names)

    def _forget_quarantine(self) -> None:
        """What was set aside by an earlier run is tried again."""
        for name in self.folder.names("quarantine"):
            if name.startswith(f"quarantine/{self.name}-"):
                reach("quarantine.before_unlink")
                self.folder.remove(name)

    def _check(self, plan: Plan) -> None:
        files = {r.file.name: r.file for unit in self.units for group in unit.groups for r in group}
        listing: dict[str, Any] = {
            encode_name(f.name): [encode_name(f.path), f.size, f.mtime_ns, f.etag] for f in files.values()
        }
        listing.update({f"task {u.index}": u.id for u in self.units if u.payload is not None})
        given = {
            "fingerprint": plan.fingerprint,
            "decides": plan.decides,
            "units": len(self.units),
            "inputs": listing,
        }
        before = self.folder.read_json(f"phases/{self.name}.json")
        if before is None:
            reach("phase.before_plan")
            self.folder.write_json(f"phases/{self.name}.json", given)
            return
        found = differences(before, orjson.loads(orjson.dumps(given)))
        if found:
            raise OutputInUseError(
                f"{self.folder.output} was begun with another input or plan: {'; '.join(found)}. "
                "Give another output, or remove that one"
            )

    def commit(self, finished: Sequence[tuple[Unit, UnitResult]]) -> None:
        """Rename the files of units and record them; several at a time cost little more than one.

        Raises:
            StorageError: disk full, no permission, device error.
        """
        self.folder.store.publish([output for _, result in finished for output in result.outputs])
        for unit, result in finished:
            self.folder.log.append(to_record(self.name, unit, result))
            self.done[unit.id] = result
        self.sync_if_due()

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
        "phase": phase,
        "unit": unit.id,
        "files": [[encode_name(f.name), f.rows, f.bytes, f.checksum] for f in result.outputs],
        "books": result.books.to_dict(),
        "stages": [stats.to_dict() for stats in result.stages],
        "ranges": [[encode_name(t.name), t.ordinal, t.records, t.rejected] for t in result.tallies],
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
        tallies=[RangeTally(decode_name(t[0]), *t[1:]) for t in record["ranges"]],
        input_bytes=record["input_bytes"],
        reduced=record.get("reduced", {}),  # records of version 0.1 have none
    )
