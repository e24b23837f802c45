"""Random pipelines, clusters and faults, small enough to run thousands of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from hypothesis import strategies as st

from gpucurate.backends.sim.distributions import Constant, Distribution, Lognormal, Pareto
from gpucurate.backends.sim.faults import Faults, NodeLoss, Trouble
from gpucurate.backends.sim.model import BatchMemory, LaneModel
from gpucurate.backends.sim.scenario import Scenario
from gpucurate.scheduling.policy import Lane, Policy
from gpucurate.spec.cluster import MILLI, Gpu, Ledger, Need, Node

GPU_MEMORY = 80 * 10**9
NEVER = 10**9
MB = 10**6


def pick(*values: Any) -> st.SearchStrategy[Any]:
    """One of some values, the simplest first."""
    return st.sampled_from(values)


@st.composite
def nodes(draw: st.DrawFn, most: int = 3) -> tuple[Node, ...]:
    """Machines with few cores and fewer GPUs."""
    return tuple(
        Node(
            f"n{index}",
            draw(st.integers(1, 5)) * MILLI,
            64 * 10**9,
            tuple(Gpu(str(gpu), GPU_MEMORY) for gpu in range(draw(pick(0, 1, 2)))),
        )
        for index in range(draw(st.integers(1, most)))
    )


@st.composite
def needs(draw: st.DrawFn, cluster: tuple[Node, ...], gang: int) -> Need:
    """What a worker takes, so that one fits, or as many as a gang has."""
    asked = draw(
        pick(
            Need(MILLI),
            Need(500),
            Need(2 * MILLI),
            Need(MILLI, gpus_milli=MILLI),
            Need(500, gpus_milli=500),
            Need(250, gpus_milli=250),
            Need(MILLI, gpu_memory=8 * 10**9),
            Need(MILLI, gpus_milli=2 * MILLI),
        )
    )
    return next(need for need in (asked, Need(MILLI), Need(100)) if fits(cluster, need, max(1, gang)))


def fits(cluster: tuple[Node, ...], need: Need, count: int) -> bool:
    """Whether so many workers fit at a time."""
    ledger = Ledger.of(cluster)
    for _ in range(count):
        place = ledger.place(need)
        if place is None:
            return False
        ledger.take(place, need)
    return True


SECONDS: st.SearchStrategy[Distribution] = pick(
    Constant(1.0),
    Constant(0.0),
    Constant(0.01),
    Lognormal(1.0, 0.2),
    Lognormal(0.1, 1.0),
    Pareto(1.0, 1.5, 60.0),
)
SETUPS: st.SearchStrategy[Distribution] = pick(
    Constant(1.0), Constant(0.0), Lognormal(3.0, 0.5), Constant(8.0)
)
RATIOS: st.SearchStrategy[Distribution] = pick(
    Constant(1.0), Constant(0.0), Constant(0.5), Constant(3.0), Lognormal(1.0, 0.5), Pareto(1.0, 1.3)
)


@st.composite
def models(draw: st.DrawFn, *, batches: bool = False) -> LaneModel:
    """What a segment takes in truth."""
    memory = None
    if batches and draw(st.booleans()):
        memory = BatchMemory(
            limit=draw(pick(100, 30, 5)) * MB,
            per_byte=draw(pick(Constant(2.0), Lognormal(3.0, 0.5), Pareto(2.0, 2.0))),
            batch_bytes=draw(pick(10, 40)) * MB,
            row_bytes=draw(pick(1000, MB)),
        )
    return LaneModel(
        seconds=draw(SECONDS),
        noise=draw(pick(Constant(1.0), Lognormal(1.0, 0.2))),
        ratio=draw(RATIOS),
        setup=draw(SETUPS),
        batches=memory,
        leak=draw(pick(0, MB)),
        prefetch=draw(st.booleans()),
    )


@dataclass(frozen=True, slots=True)
class Shape:
    """What random scenarios may have.

    Attributes:
        gangs: segments may be gangs.
        recycling: workers may be replaced.
        batches: memory may run out.
        slots: the most units that a worker may have.
        units: the most units.
        workers: the run's limit on workers may be drawn.
        batch: segments may run one after the other.
    """

    gangs: bool = True
    recycling: bool = True
    batches: bool = True
    slots: int = 4
    units: int = 12
    workers: bool = True
    batch: bool = True


@st.composite
def policies(draw: st.DrawFn, shape: Shape, least: int) -> Policy:
    """Limits of a run, with at least as many workers as the largest gang."""
    workers = draw(pick(None, least, least + 1, least + 3)) if shape.workers else None
    recycled = shape.recycling and draw(st.booleans())
    return Policy(
        workers,
        budget_bytes=draw(pick(10**15, 100 * MB, MB, 1)),
        max_attempts=draw(pick(3, 2, 1)),
        systemic_failures=NEVER,
        max_slots=draw(st.integers(1, shape.slots)),
        slot_seconds=draw(pick(0.02, 30.0)),
        autoscale_interval_s=draw(pick(10.0, 1.0)),
        worker_max_units=draw(pick(None, 3, 1)) if recycled else None,
        worker_max_lifetime_s=draw(pick(None, 20.0, 3.0)) if recycled else None,
        worker_restart_interval_s=draw(pick(0.0, 5.0)) if recycled else 0.0,
        worker_max_growth=draw(pick(None, 3 * MB)) if recycled else None,
        drain_s=draw(pick(300.0, 2.0)),
        stall_s=200.0,
        gang_setup_s=200.0,
        is_batch=shape.batch and draw(pick(False, False, True)),
        seed=draw(st.integers(0, 3)),
    )


@st.composite
def scenarios(
    draw: st.DrawFn, shape: Shape = Shape(), faults: st.SearchStrategy[Faults] | None = None
) -> Scenario:
    """A pipeline of one to four segments on one to three machines."""
    cluster = draw(nodes())
    count = draw(st.integers(1, 4))
    gangs = [draw(pick(0, 0, 0, 2)) if shape.gangs else 0 for _ in range(count)]
    gangs = [gang if fits(cluster, Need(100), gang) else 0 for gang in gangs]
    lanes = tuple(
        Lane(
            f"lane {index}",
            draw(needs(cluster, gang)),
            max_workers=draw(pick(None, None, gang or 1, max(gang, 2))),
            gang=gang,
            edge_bytes=0 if index == count - 1 else draw(pick(1000, 50, 5, 0)) * MB,
            splittable=draw(st.booleans()),
        )
        for index, gang in enumerate(gangs)
    )
    sizes = draw(st.lists(pick(10 * MB, 0, 1, MB, 200 * MB), max_size=shape.units))
    return Scenario(
        lanes,
        tuple(draw(models(batches=shape.batches)) for _ in lanes),
        tuple((f"u{index}", size) for index, size in enumerate(sizes)),
        cluster,
        draw(policies(shape, max([1, *gangs]))),
        draw(faults) if faults is not None else Faults(),
        seed=draw(st.integers(0, 10**6)),
    )


@st.composite
def random_faults(draw: st.DrawFn) -> Faults:
    """Faults that units survive, or are set aside for; no machine goes for good."""
    return Faults(
        crashes_per_hour=draw(pick(0.0, 60.0, 400.0)),
        hangs_per_hour=draw(pick(0.0, 60.0, 200.0)),
        hang_s=draw(pick(None, 3.0, 100.0)),
        zombies=draw(pick(0.0, 0.5, 1.0)),
        setups_slow=draw(pick(0.0, 0.3)),
        inputs_lost=draw(pick(0.0, 0.1)),
        memory_kills_per_hour=draw(pick(0.0, 0.0, 100.0)),
        detected_s=draw(pick(0.01, 2.0)),
        losses=draw(losses()),
    )


@st.composite
def losses(draw: st.DrawFn) -> tuple[NodeLoss, ...]:
    """Machines that go, and come again."""
    return tuple(
        NodeLoss(
            f"n{draw(st.integers(0, 2))}",
            draw(st.floats(0.0, 20.0)),
            told_s=draw(pick(1.0, 0.0, 10.0)),
            back_s=draw(pick(5.0, 0.0, 40.0)),
        )
        for _ in range(draw(st.integers(0, 2)))
    )


@st.composite
def poisons(draw: st.DrawFn, units: int = 2) -> Faults:
    """One or two units that end their worker, or make a stage raise, each time."""
    bad = draw(st.lists(st.integers(0, 9), min_size=1, max_size=units, unique=True))
    return Faults(troubles={f"u{unit}": draw(troubles()) for unit in bad})


@st.composite
def troubles(draw: st.DrawFn) -> Trouble:
    """Something wrong with a unit, in one of its documents or in all of it."""
    rows = draw(pick(0, 1, 40, 1000))
    bad = tuple(draw(st.sets(st.integers(0, rows - 1), min_size=1, max_size=1))) if rows else ()
    return Trouble(draw(st.integers(0, 1)), draw(pick("kills", "user", "memory", "input")), None, rows, bad)
