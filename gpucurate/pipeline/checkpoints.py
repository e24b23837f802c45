"""The checkpoints of a pipeline: where they may stand, what they hold, and which units begin from them."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from itertools import combinations
from pathlib import Path
from typing import Any

from gpucurate.backends.chain import Stage
from gpucurate.backends.job import Job
from gpucurate.checkpoint.phase import Phase
from gpucurate.checkpoint.resume import Resume
from gpucurate.checkpoint.saved_units import SavedUnits, saved_names
from gpucurate.planning.fingerprint import digest
from gpucurate.spec.errors import ConfigurationError
from gpucurate.spec.plan import Plan, Segment
from gpucurate.spec.unit import Unit, UnitResult
from gpucurate.stages.shapes.checkpoint import Checkpoint
from gpucurate.stages.text.io.writer import DocumentWriter

REJECTS = "_gpucurate/scratch/rejects/"
_OF_STAGE = re.compile(r"(?:-s([0-9]+))?\.jsonl\.zst")

UnitsOf = Callable[[Plan], Sequence[Unit]]
"""The units of the input, named by a plan."""

_NAMED = 3
"""Files that a sentence names."""


def positions(stages: Sequence[Stage]) -> list[int]:
    """Where checkpoints stand."""
    return [at for at, stage in enumerate(stages) if isinstance(stage, Checkpoint)]


def checkpoints(stages: Iterable[Stage]) -> list[Checkpoint]:
    """The checkpoints among the stages."""
    return [stage for stage in stages if isinstance(stage, Checkpoint)]


def check_checkpoints(stages: Sequence[Stage]) -> None:
    """Whether each stands between two stages and has a folder of its own.

    Raises:
        ConfigurationError: naming the stage.
    """
    for at in positions(stages):
        if at in (0, len(stages) - 1):
            raise ConfigurationError(
                f"stage {stages[at].name!r} is the {'last' if at else 'first'} of the pipeline: a checkpoint "
                "stands between two stages"
            )
    for one, other in combinations([stage.path for stage in checkpoints(stages)], 2):
        if _overlap(one, other):
            raise ConfigurationError(
                f"two checkpoints lie in {one} and {other}: give each a folder of its own"
            )


def refuse_overlap_with_output(stages: Iterable[Stage], output: Path) -> None:
    """Refuse a checkpoint in the output, whose files all belong to its run, or around it.

    Raises:
        ConfigurationError: naming both.
    """
    for stage in checkpoints(stages):
        if _overlap(stage.path, output):
            raise ConfigurationError(
                f"the checkpoint {stage.path} and the output {output} overlap: give it a folder of its own, "
                "which may outlive the output"
            )


def _overlap(one: Path, other: Path) -> bool:
    a, b = one.resolve(), other.resolve()
    return a.is_relative_to(b) or b.is_relative_to(a)


def decides_before(plan: Plan, stages: Sequence[Stage], at: int) -> dict[str, Any]:
    """Everything that decides what reaches stage ``at``, but the input."""
    count = sum(not stage.is_checkpoint for stage in stages[:at])
    before = {f"{n} {each['name']}": each for n, each in enumerate(plan.decides["stages"][:count], 1)}
    return {**plan.decides, "stages": before, "tasks_per_unit": plan.tasks_per_unit}


def names_before(plan: Plan, stages: Sequence[Stage], at: int, units_of: UnitsOf) -> list[str]:
    """What units are called by the stages before a checkpoint, in order of the listing."""
    prefix = replace(plan, fingerprint=digest(decides_before(plan, stages, at)))
    return [unit.id for unit in units_of(prefix)]


def plan_behind(plan: Plan, at: int) -> Plan:
    """What is left of a plan behind stage ``at``, which ends a segment. It is known as the whole one is."""
    left = [segment for segment in plan.segments if segment.first > at]
    return replace(plan, segments=tuple(_moved(segment, left[0].index, at + 1) for segment in left))


def _moved(segment: Segment, index: int, first: int) -> Segment:
    cut = segment.cut if segment.index > index else "begins from the checkpoint before it"
    return replace(segment, index=segment.index - index, first=segment.first - first, cut=cut)


@dataclass
class Held:
    """The checkpoints of a run, open, and what they hold of its units.

    Attributes:
        plan: of the whole pipeline.
        stages: its stages.
        units: all units.
        saved: the checkpoints, by position.
        begun: by position, units that begin behind it, with what was made of them.
        remarks: what a user should know.
    """

    plan: Plan
    stages: list[Stage]
    units: Sequence[Unit]
    saved: dict[int, SavedUnits] = field(default_factory=dict)
    begun: dict[int, dict[str, UnitResult]] = field(default_factory=dict)
    remarks: list[str] = field(default_factory=list)

    def jobs(self, phase: Phase | None, *, collect: bool) -> list[Job]:
        """What there is to do: units that begin at one place are a job; those from the input are the last."""
        begin = {unit: at for at, begun in self.begun.items() for unit in begun}
        done = phase.done if phase else {}
        jobs = []
        for at in [*self.begun, -1]:
            units = [unit for unit in self.units if begin.get(unit.id, -1) == at]
            if units and any(unit.id not in done for unit in units):
                jobs.append(self._job(at, units, phase, collect))
        return jobs or [self._job(-1, self.units, phase, collect)]

    def _job(self, at: int, units: Sequence[Unit], phase: Phase | None, collect: bool) -> Job:
        plan = self.plan if at < 0 else plan_behind(self.plan, at)
        begun = self.begun[at] if at >= 0 else {}
        given = [replace(u, begins=tuple(begun[u.id].outputs)) if u.id in begun else u for u in units]
        seeds = {
            unit.id: _for_unit(unit, self.plan.name, at, begun[unit.id]) for unit in units if unit.id in begun
        }
        later = [saved for position, saved in self.saved.items() if position > at]
        return Job(plan, self.stages[at + 1 :], given, phase, collect, seeds, later, at + 1)


def _for_unit(unit: Unit, phase: str, at: int, result: UnitResult) -> UnitResult:
    """Rejects are named after the unit, which another pipeline may have called otherwise."""
    saved = [
        replace(output, name=f"{REJECTS}{phase}-{unit.id}{_of_stage(output.name, at, number)}.jsonl.zst")
        if output.name.startswith(REJECTS)
        else output
        for number, output in enumerate(result.saved)
    ]
    return replace(result, unit_id=unit.id, saved=saved)


def _of_stage(name: str, at: int, number: int) -> str:
    """What a file of rejects is called after its unit, as it would be without the checkpoint.

    A stage may have stood further back in the pipeline that saved it, where stages behind the checkpoint
    stand now: then the file is counted.
    """
    found = _OF_STAGE.search(name)
    if found is None or int(found[1] or 0) > at:
        return f"-c{number}"
    return f"-s{found[1]}" if found[1] else ""


def open_checkpoints(
    plan: Plan,
    stages: Sequence[Stage],
    units: Sequence[Unit],
    units_of: UnitsOf,
    *,
    ending: ExitStack,
    resume: Resume = Resume(),  # noqa: B008 - frozen
) -> Held:
    """Open the checkpoints, and see from which of them each unit begins: the last that has it whole.

    Args:
        plan: of the pipeline.
        stages: its stages.
        units: its units.
        units_of: the same units, named by another plan.
        ending: closes the checkpoints.
        resume: what becomes of what they hold.

    Raises:
        OutputInUseError: a folder holds something else, or another run uses it.
        StorageError: it cannot be made or read.
    """
    held = Held(plan, list(stages), units)
    left = list(units)
    for at in positions(stages):
        stage: Any = stages[at]
        saved = held.saved[at] = SavedUnits(stage.path, decides_before(plan, stages, at), resume)
        ending.callback(saved.close)
        held.stages[at] = stage.within(saved.attempts)
        known = saved.inputs
        found = saved.take(units, names_before(plan, stages, at, units_of))
        if any(isinstance(each, DocumentWriter) for each in stages):
            found = {unit: result for unit, result in found.items() if _has_rejects(result)}
        held.begun[at] = found
        if known:
            held.remarks += _remark(
                stage, [unit for unit in units if unit.id not in found], known, len(units)
            )
    for at in sorted(held.begun, reverse=True):
        there = {unit.id for unit in left}
        held.begun[at] = {unit: result for unit, result in held.begun[at].items() if unit in there}
        left = [unit for unit in left if unit.id not in held.begun[at]]
    return held


def _has_rejects(result: UnitResult) -> bool:
    """Whether rejected rows are there with their number: a run without a writer keeps none."""
    kept = any(output.name.startswith(REJECTS) for output in result.saved)
    return kept or not result.books.rejected.total()


def _remark(stage: Checkpoint, missing: Sequence[Unit], known: set[str], count: int) -> list[str]:
    """What is not taken from a checkpoint that holds something, and why."""
    if not missing:
        return []
    names = list(dict.fromkeys(r.file.name for unit in missing for group in unit.groups for r in group))
    new = [name for name in names if name not in known]
    other = [name for name in names if name in known]
    why = [
        *([f"{_listed(other)} changed, or not finished then"] if other else []),
        *([f"{_listed(new)} not in it"] if new else []),
    ]
    told = f"checkpoint {stage.path}: {len(missing):,} of {count:,} units begin before it"
    return [f"{told} ({'; '.join(why)})" if why else told]


def _listed(names: Sequence[str]) -> str:
    more = f" and {len(names) - _NAMED:,} more" if len(names) > _NAMED else ""
    return f"{', '.join(names[:_NAMED])}{more}"


def held_already(plan: Plan, stages: Sequence[Stage], units_of: UnitsOf) -> list[str]:
    """What checkpoints hold of a run that is not begun, in sentences; nothing is written or locked."""
    told = []
    for at in positions(stages):
        stage: Any = stages[at]
        names = names_before(plan, stages, at, units_of)
        there = saved_names(stage.path, decides_before(plan, stages, at))
        what = (
            f"holds what other stages made: {'; '.join(there)}"
            if isinstance(there, list)
            else f"{sum(name in there for name in names):,} of {len(names):,} units begin behind it"
        )
        told.append(f"checkpoint {stage.path}: {what}")
    return told
