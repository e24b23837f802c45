"""Sizes and seconds of every unit in every segment, drawn before anything runs.

They do not depend on the order in which things happen, so two schedulers are given the same work.
"""

from __future__ import annotations

from dataclasses import dataclass
from random import Random

from gpucurate.backends.sim.scenario import Scenario


@dataclass(frozen=True, slots=True)
class Amount:
    """One unit in one segment.

    Attributes:
        seconds: that it takes, before the noise of an attempt.
        given: bytes of its input.
        made: bytes handed on.
        per_byte: memory held for each byte of a batch.
    """

    seconds: float
    given: int
    made: int
    per_byte: float


def draw_amounts(scenario: Scenario) -> list[dict[str, Amount]]:
    """By segment, then by unit."""
    sizes = dict(scenario.units)
    drawn: list[dict[str, Amount]] = []
    last = len(scenario.models) - 1
    for index, model in enumerate(scenario.models):
        rng = Random(f"{scenario.seed}/amounts/{index}")
        amounts = {}
        for unit, given in sizes.items():
            seconds = model.seconds.draw(rng) + model.seconds_per_mb.draw(rng) * given / 1e6
            made = int(given * model.ratio.draw(rng))
            per_byte = model.batches.per_byte.draw(rng) if model.batches else 0.0
            amounts[unit] = Amount(seconds, given, made if index < last else 0, per_byte)
        sizes = {unit: amount.made for unit, amount in amounts.items()}
        drawn.append(amounts)
    return drawn
