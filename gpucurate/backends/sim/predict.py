"""What a plan would take on machines that are not here."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from gpucurate.backends.sim.distributions import Constant, Distribution, Lognormal
from gpucurate.backends.sim.faults import Faults
from gpucurate.backends.sim.history import History
from gpucurate.backends.sim.model import LaneModel, Links
from gpucurate.backends.sim.scenario import Scenario
from gpucurate.backends.sim.simulation import Simulation
from gpucurate.scheduling.policy import Lane, Policy
from gpucurate.spec.cluster import Node


@dataclass(frozen=True, slots=True)
class LaneCost:
    """What a segment was measured to take.

    Attributes:
        seconds_per_mb: for 10**6 bytes of its input, in one worker.
        seconds_per_unit: and for each unit, whatever its size.
        ratio: bytes handed on for each byte of input.
        setup_s: seconds before a worker's first unit.
        noise: standard deviation of the logarithm of a unit's seconds; 0.2 is a noise of 20%.
    """

    seconds_per_mb: float
    seconds_per_unit: float = 0.0
    ratio: float = 1.0
    setup_s: float = 1.0
    noise: float = 0.0

    def model(self) -> LaneModel:
        """The same, for the simulation."""
        noise: Distribution = Lognormal(1.0, self.noise) if self.noise else Constant(1.0)
        return LaneModel(
            seconds=Constant(self.seconds_per_unit),
            seconds_per_mb=Constant(self.seconds_per_mb),
            noise=noise,
            ratio=Constant(self.ratio),
            setup=Constant(self.setup_s),
        )


def simulate_plan(
    lanes: Sequence[Lane],
    costs: Sequence[LaneCost],
    units: Sequence[tuple[str, int]],
    nodes: Sequence[Node],
    policy: Policy,
    *,
    faults: Faults | None = None,
    links: Links | None = None,
    seed: int = 0,
) -> History:
    """Run a plan's segments on virtual machines, by the scheduler that would run them on real ones.

    Args:
        lanes: the segments, as the scheduler is given them.
        costs: what each was measured to take.
        units: (id, bytes of input) in order.
        nodes: machines.
        policy: limits of the run.
        faults: what goes wrong; nothing by default.
        links: speeds between workers.
        seed: of all that is drawn.

    Raises:
        ConfigurationError: another number of costs than of lanes.
        DeadlockError: the scheduler would wait for ever.
    """
    scenario = Scenario(
        tuple(lanes),
        tuple(cost.model() for cost in costs),
        tuple(units),
        tuple(nodes),
        policy,
        faults or Faults(),
        links or Links(),
        seed=seed,
    )
    return Simulation(scenario).run()
