"""What a plan would take, where that can be worked out by hand."""

from __future__ import annotations

import pytest

from gpucurate.backends.sim.model import Links
from gpucurate.backends.sim.predict import LaneCost, simulate_plan
from gpucurate.backends.sim.scenario import uniform_nodes
from gpucurate.scheduling.policy import Lane, Policy
from gpucurate.spec.cluster import Need

MB = 10**6
AT_ONCE = Links(latency_s=0.0)


def seconds(workers: int, units: int, cost: LaneCost, seed: int = 0) -> float:
    """Makespan of units of 10 MB in one segment."""
    history = simulate_plan(
        (Lane("only", Need(1000)),),
        (cost,),
        [(f"u{index}", 10 * MB) for index in range(units)],
        uniform_nodes(1, cpus=workers, memory=10**9),
        Policy(workers, 10**9),
        links=AT_ONCE,
        seed=seed,
    )
    assert len(history.committed) == units
    return history.makespan


@pytest.mark.parametrize("workers", [1, 2, 4])
def test_equal_units_take_their_share_of_the_workers_and_one_setup(workers: int) -> None:
    expected = 2.0 + 40 / workers * (0.5 + 10 * 0.1)
    assert seconds(workers, 40, LaneCost(0.1, 0.5, setup_s=2.0)) == pytest.approx(expected, rel=0.08)


def test_noise_changes_each_unit_and_not_the_whole() -> None:
    still, noisy = seconds(2, 200, LaneCost(0.1)), seconds(2, 200, LaneCost(0.1, noise=0.2))
    assert noisy != still
    assert noisy == pytest.approx(still, rel=0.05)
    assert seconds(2, 200, LaneCost(0.1, noise=0.2), seed=1) != noisy


def test_what_a_segment_hands_on_is_what_the_next_is_charged_for() -> None:
    lanes = (Lane("shrink", Need(1000), edge_bytes=10**9), Lane("use", Need(1000)))
    units = [(f"u{index}", 10 * MB) for index in range(50)]
    nodes = uniform_nodes(1, cpus=2, memory=10**9)

    def makespan(ratio: float) -> float:
        costs = (LaneCost(0.01, ratio=ratio), LaneCost(0.1))
        return simulate_plan(lanes, costs, units, nodes, Policy(2, 10**9), links=AT_ONCE).makespan

    assert makespan(1.0) > 50 * (0.1 + 1.0) / 2  # two workers, wherever they work
    assert makespan(0.1) < makespan(1.0) / 2
