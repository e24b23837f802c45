"""The figures that the scheduler decides by."""

from __future__ import annotations

from dataclasses import dataclass, field

from gpucurate.spec.cluster import Need


@dataclass(frozen=True, slots=True)
class Lane:
    """What is known of a segment before it runs.

    Attributes:
        name: for messages.
        need: what one worker takes.
        max_workers: the stages' own limit; None for none.
        gang: so many workers that start and end together; 0 for workers that are on their own.
        edge_bytes: bytes that may wait behind it for the next segment; 0 for the last one.
        expansion: thousandths of the input's bytes that it hands on, until that is measured.
        setup_s: seconds that a worker is taken to need before its first unit, until that is measured.
        gpu_limit: bytes of its GPU that a worker may hold; 0 where it has none or that is not known.
        working: thousandths of the input's bytes that it holds of its machine while it works.
        splittable: whether a unit that fails can be looked through for the document that is to blame.
        stages: names of its stages, in order.
    """

    name: str
    need: Need = field(default_factory=Need)
    max_workers: int | None = None
    gang: int = 0
    edge_bytes: int = 0
    expansion: int = 1000
    setup_s: float = 1.0
    gpu_limit: int = 0
    working: int = 1000
    splittable: bool = True
    stages: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Policy:
    """Limits of a run.

    Attributes:
        workers: how many may live at a time, of all segments together; None for as many as fit.
        budget_bytes: bytes that units in work may hold on one node, as estimated.
        max_attempts: tries of one unit in one segment before it is bisected, or else set aside.
        max_bisections: deaths that a unit may cause while the document is looked for that causes them.
        systemic_failures: failures in a row, without one success, that end the run,
        systemic_units: if so many units (or workers that did not start) had a part in them.
        max_slots: units that a worker may have, the one it is at included.
        slot_seconds: a worker is given units ahead for so long.
        autoscale_interval_s: seconds between changes of the number of workers.
        worker_max_lifetime_s: a worker is replaced after so long; None for never.
        worker_restart_interval_s: and at most one of a segment in so long.
        worker_max_units: a worker is replaced after so many units; None for never.
        worker_max_growth: and when it has grown by so many bytes since its setup; None for never.
        worker_max_leak: and when it has grown by so many bytes, a little with every unit, and goes on;
            None for never.
        drain_s: a worker that was told to end may take so long to tear down; then it is killed.
        stall_s: nothing happens for so long though there is work: the worker of the oldest unit is killed.
        backoff_s: a unit that failed for storage or an unreachable worker waits so long, doubled each time.
        gang_setup_s: a gang may take so long to start.
        is_batch: whether a segment begins only when the one before it has done all units.
        seed: of what is random: jitter of lifetimes and of waits.
    """

    workers: int | None
    budget_bytes: int
    max_attempts: int = 3
    max_bisections: int = 12
    systemic_failures: int = 5
    systemic_units: int = 3
    max_slots: int = 1
    slot_seconds: float = 0.02
    autoscale_interval_s: float = 10.0
    worker_max_lifetime_s: float | None = None
    worker_restart_interval_s: float = 0.0
    worker_max_units: int | None = None
    worker_max_growth: int | None = None
    worker_max_leak: int | None = None
    drain_s: float = 300.0
    stall_s: float = 1800.0
    backoff_s: float = 0.5
    gang_setup_s: float = 300.0
    is_batch: bool = False
    seed: int = 0
