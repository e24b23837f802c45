"""Rejects of one attempt at a unit: a file, once there is one."""

from __future__ import annotations

from gpucurate.backends.assignment import Assignment
from gpucurate.checkpoint.rejects import RejectWriter
from gpucurate.spec.reject import Reject
from gpucurate.spec.unit import OutputFile
from gpucurate.stages.context import UnitContext

REJECTS = 10**9
"""Number of the file of rejects among those of an attempt, beyond all that a stage may write."""


class UnitRejects:
    """Keeps the rejects of a unit, where the run writes anything.

    Args:
        assignment: of the worker; each segment has files of its own.
        context: of the unit; is given what writes a reject.
    """

    def __init__(self, assignment: Assignment, context: UnitContext) -> None:
        self._assignment, self._context = assignment, context
        self._writer: RejectWriter | None = None
        if context.folder is not None:
            context.write_reject = self._write

    def _write(self, name: str, ordinal: int, reject: Reject) -> None:
        if self._writer is None:
            self._writer = RejectWriter(self._context.attempt_path(REJECTS))
        self._writer.write(name, ordinal, reject)

    def keep(self) -> None:
        """Close the file and enter it among the outputs of the unit.

        Raises:
            StorageError: not possible.
        """
        if self._writer is None:
            return
        size, first = self._writer.close(self._context.sync), self._assignment.first
        later = f"-s{first}" if first else ""
        stem = f"{self._assignment.phase}-{self._context.unit_id}{later}"
        name = f"_gpucurate/scratch/rejects/{stem}.jsonl.zst"
        self._context.outputs.append(OutputFile(name, str(self._writer.path), self._writer.rows, size, ""))

    def abandon(self) -> None:
        """Let go of the file."""
        if self._writer is not None:
            self._writer.abandon()
