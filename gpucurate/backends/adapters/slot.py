"""A worker inside a process that another program started and ends."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from typing import Any, NamedTuple

import cloudpickle

from gpucurate.backends.exchange import Exchange
from gpucurate.backends.node_setup import set_up_node
from gpucurate.backends.reporter import packed_report
from gpucurate.backends.runner import Runner, failure_of
from gpucurate.backends.worker_process import STOPPED, Work, run_unit
from gpucurate.memory.host_peak import resident_memory
from gpucurate.spec.errors import ConfigurationError, GpucurateError, InputError, StageError, StorageError
from gpucurate.spec.events import FailureKind, SetupFailed, WorkerDied, WorkerReady
from gpucurate.spec.worker import WorkerMetadata

Reports = list[tuple[Any, bytes]]
"""Events, each with a pickled result."""


@dataclass(frozen=True, slots=True)
class Hello:
    """What a slot is told to become.

    Attributes:
        worker: its number.
        metadata: for ``setup``.
        paths: the driver's ``sys.path``.
        assignment: pickled.
    """

    worker: int
    metadata: WorkerMetadata
    paths: tuple[str, ...]
    assignment: bytes


class NotPrepared(NamedTuple):
    """Why a machine could not be set up: errors themselves do not travel."""

    kind: FailureKind
    message: str
    notes: tuple[str, ...]

    def to_error(self) -> GpucurateError:
        """The error to be raised in the driver."""
        known: dict[str, type[GpucurateError]] = {
            "input": InputError,
            "storage": StorageError,
            "configuration": ConfigurationError,
        }
        error = known[self.kind](self.message) if self.kind in known else StageError(self.message, "")
        for note in self.notes:
            error.add_note(note)
        return error


class Slot:
    """One worker of the scheduler's.

    Args:
        hello: what it is to be.
    """

    def __init__(self, hello: Hello) -> None:
        self.worker = hello.worker
        self._hello = hello
        self._runner: Runner | None = None

    def set_up(self) -> Reports:
        """Set the stages up; where one fails, what was begun is torn down."""
        try:
            extend_paths(self._hello.paths)
            self._runner = Runner(
                cloudpickle.loads(self._hello.assignment), self.worker, self._hello.metadata
            )
            self._runner.setup()
        except Exception as error:
            failed = SetupFailed(self.worker, *failure_of(error))
            return [packed_report((failed, None)), *self.tear_down()]
        return [packed_report((WorkerReady(self.worker, resident_memory()), None))]

    @property
    def is_ready(self) -> bool:
        """Whether units can be run."""
        return self._runner is not None

    @property
    def exchange(self) -> Exchange | None:
        """Where it leaves what it hands on."""
        return None if self._runner is None else self._runner.assignment.exchange

    def run(self, work: Work, worker: int | None = None) -> Reports:
        """Run one unit.

        Args:
            work: which, and how.
            worker: number of the worker that the scheduler gave it to, where that is another with each unit.
        """
        assert self._runner is not None
        self._runner.worker = self.worker if worker is None else worker
        return [packed_report(run_unit(self._runner, *work))]

    def tear_down(self) -> Reports:
        """Tear the stages down."""
        runner, self._runner = self._runner, None
        why = STOPPED
        if runner is not None:
            try:
                runner.teardown()
            except Exception as error:
                why = failure_of(error)[1]
        return [packed_report((WorkerDied(self.worker, why, "stopped"), None))]


def prepare(assignments: list[bytes], paths: tuple[str, ...]) -> NotPrepared | None:
    """What is done once on a machine; why it could not be done.

    Args:
        assignments: pickled, of all segments.
        paths: the driver's ``sys.path``.
    """
    try:
        extend_paths(paths)
        for assignment in assignments:
            set_up_node(cloudpickle.loads(assignment).stages)
    except Exception as error:
        notes = tuple(getattr(error, "__notes__", ()))
        return NotPrepared(*failure_of(error), notes)
    return None


def extend_paths(paths: tuple[str, ...]) -> None:
    """Let modules be found that the driver finds."""
    sys.path.extend(path for path in paths if path not in sys.path)
