"""What an executor is given, and what it must be able to do."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import pairwise
from typing import Protocol

from gpucurate.backends.call import Stage
from gpucurate.backends.driver import Outcome
from gpucurate.backends.settings import RunSettings
from gpucurate.checkpoint.phase import Phase
from gpucurate.checkpoint.saved_units import SavedUnits
from gpucurate.checkpoint.uploads import Uploads
from gpucurate.planning.memory import unit_memory
from gpucurate.spec.cluster import Node
from gpucurate.spec.plan import Plan, Segment
from gpucurate.spec.progress import Observer
from gpucurate.spec.unit import Unit, UnitResult


@dataclass(frozen=True, slots=True)
class Job:
    """A phase to be carried out.

    Attributes:
        plan: of the phase.
        stages: the stage objects, in the plan's order.
        units: all units of the phase.
        phase: where results become final; None for a run that leaves nothing on disk.
        collect: whether final tasks come back with their data.
        begun: what an earlier run has made of units that begin from a checkpoint; all of the job do, or none.
        checkpoints: those that the stages write, in order.
        stages_before: how many stages of the pipeline stand before those of the job.
    """

    plan: Plan
    stages: Sequence[Stage]
    units: Sequence[Unit]
    phase: Phase | None
    collect: bool
    begun: Mapping[str, UnitResult] = field(default_factory=dict)
    checkpoints: Sequence[SavedUnits] = ()
    stages_before: int = 0

    @property
    def piece_bytes(self) -> int | None:
        """The most that the source holds at a time."""
        return self.plan.segments[0].stages[0].piece_bytes

    @property
    def sizes(self) -> dict[str, int]:
        """Bytes that each unit is taken to hold in the first segment, by its name."""
        return {unit.id: unit_memory(unit, self.piece_bytes) for unit in self.units}

    @property
    def legs(self) -> list[Sequence[Segment]]:
        """The segments, in runs of which each but the last ends with a checkpoint."""
        ends = [segment.index + 1 for segment in self.plan.segments if segment.stages[-1].is_checkpoint]
        return [self.plan.segments[a:b] for a, b in pairwise([0, *ends, len(self.plan.segments)])]

    @property
    def uploads(self) -> Uploads | None:
        """What workers do with finished attempts; a checkpoint copies what was written before it."""
        uploads = self.phase.folder.uploads if self.phase else None
        return replace(uploads, keeps=bool(self.checkpoints)) if uploads else None

    def stages_of(self, segment: int) -> Sequence[Stage]:
        """The stage objects of one segment."""
        first = self.plan.segments[segment].first
        return self.stages[first : first + len(self.plan.segments[segment].stages)]


class Executor(Protocol):
    """Runs the units of a phase to their end.

    Attributes:
        workers: how many run at a time, at most.
        memory: bytes that the run may use in all.
        gpu_memory: bytes that it may use of each GPU; a share of it if None.
        settings: how runs are carried out.
    """

    workers: int
    memory: int
    gpu_memory: int | None
    settings: RunSettings

    @property
    def gpu_workers(self) -> int:
        """Workers of a phase with stages on GPUs."""
        ...

    def machines(self) -> Sequence[Node] | None:
        """Machines that plans are made for; None for this one."""

    def describe(self) -> str:
        """Name and settings, for the report."""

    def execute(self, job: Job, observer: Observer) -> Outcome:
        """Run a phase.

        Raises:
            GpucurateError: see :meth:`Driver.run`.
        """

    def close(self) -> None:
        """End what is kept between phases; the executor can be used again."""
