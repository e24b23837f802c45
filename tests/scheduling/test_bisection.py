"""How many tries it takes to find the document that ends its worker."""

from __future__ import annotations

from math import log2

import pyarrow as pa
import pytest

from gpucurate.backends.part import Part
from gpucurate.scheduling.core import Core
from gpucurate.scheduling.policy import Lane, Policy
from gpucurate.spec import events as ev
from gpucurate.spec.cluster import Need, Node
from gpucurate.spec.suspect import Suspect
from gpucurate.tasks.document import DocumentBatch


def tries(rows: int, poison: int) -> int:
    """Tries of a unit of one batch until it goes through, by scheduler and workers."""
    batch = DocumentBatch("set", pa.table({"id": pa.nulls(rows)}), "b")
    core = Core([Lane("only", Need(1000))], [("unit", 1)], Policy(1, 10), [Node("here", 1000, 10**9)])
    (spawned,) = core.start()
    for attempt in range(1, 100):
        worker = spawned.worker
        (dispatched,) = core.on(ev.WorkerReady(worker))
        order = dispatched.order
        parts = Part([batch], 0).around(order.suspects)
        (at,) = [part for part in parts if part.start <= poison < part.stop]
        if at.is_doomed:
            core.on(ev.UnitDone(worker, "unit"))
            return attempt
        keeps_journal = order.bisect or order.suspects or order.alone
        suspect = Suspect(0, 0, at.start, at.stop) if keeps_journal else None
        (spawned,) = core.on(ev.WorkerDied(worker, "killed by SIGKILL", suspect=suspect))
    raise AssertionError("never")


@pytest.mark.parametrize("rows", [4, 5, 16, 17, 20, 100, 256, 1000, 4096, 65_536, 1_000_000])
def test_a_poison_document_costs_no_more_extra_tries_than_bisecting_and_two(rows):
    extra = max(tries(rows, poison) for poison in (0, rows // 3, rows - 1)) - 1
    print(f"{rows:,} documents: {extra} extra tries, {log2(rows) + 2:.1f} allowed")
    assert extra <= log2(rows) + 2


@pytest.mark.parametrize(("rows", "extra"), [(1, 3), (2, 4), (3, 4)])
def test_of_very_few_documents_the_retries_are_most_of_it(rows, extra):
    assert tries(rows, rows - 1) - 1 == extra


def test_a_unit_that_goes_on_killing_is_set_aside_after_so_many_deaths():
    policy = Policy(1, 10, max_bisections=2)
    core = Core([Lane("only", Need(1000))], [("unit", 1)], policy, [Node("here", 1000, 10**9)])
    (spawned,) = core.start()
    for death in range(6):
        core.on(ev.WorkerReady(spawned.worker))
        suspect = Suspect(0, 0, 100 * death, 100 * death + 1)  # another document each time
        actions = core.on(ev.WorkerDied(spawned.worker, "killed by SIGKILL", suspect=suspect))
        if any(isinstance(action, ev.Quarantine) for action in actions):
            break
        (spawned,) = actions
    assert death == 3 + policy.max_bisections
