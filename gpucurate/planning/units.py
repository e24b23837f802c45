"""Groups of file ranges to units of work."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from gpucurate.planning.fingerprint import digest, unit_id
from gpucurate.spec.plan import Plan
from gpucurate.spec.source import FileRange
from gpucurate.spec.unit import Unit


def make_units(plan: Plan, groups: Sequence[tuple[FileRange, ...]]) -> tuple[Unit, ...]:
    """Units of as many tasks as the widest stage takes at a time.

    Boundaries depend on the listing and on the plan alone, never on workers or memory.
    """
    width = plan.tasks_per_unit
    bundles = [tuple(groups[at : at + width]) for at in range(0, len(groups), width)]
    return tuple(
        Unit(unit_id(plan.fingerprint, bundle), index, bundle, sum(r.est_bytes for g in bundle for r in g))
        for index, bundle in enumerate(bundles)
    )


def units_of_tasks(plan: Plan, tasks: Iterable[tuple[Any, int, str]]) -> tuple[Unit, ...]:
    """Units of tasks that the caller holds in memory, named by their position and content.

    Args:
        plan: the plan.
        tasks: (task, bytes, digest of the content) of each.
    """
    given = list(tasks)
    width = plan.tasks_per_unit
    bundles = [given[at : at + width] for at in range(0, len(given), width)]
    return tuple(
        Unit(
            digest([plan.fingerprint, "memory", index, [content for _, _, content in bundle]]),
            index,
            (),
            sum(size for _, size, _ in bundle),
            [task for task, _, _ in bundle],
        )
        for index, bundle in enumerate(bundles)
    )
