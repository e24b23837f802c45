"""Where amounts come from: the same seed draws the same ones."""

from __future__ import annotations

import math
from dataclasses import dataclass
from random import Random
from typing import Protocol


class Distribution(Protocol):
    """A positive amount that varies."""

    @property
    def mean(self) -> float:
        """Its expectation."""

    def draw(self, rng: Random) -> float:
        """One value."""


@dataclass(frozen=True, slots=True)
class Constant:
    """The same value each time."""

    value: float

    @property
    def mean(self) -> float:
        """The value."""
        return self.value

    def draw(self, rng: Random) -> float:
        """The value."""
        return self.value


@dataclass(frozen=True, slots=True)
class Lognormal:
    """Most values near the mean, few far above it.

    Attributes:
        mean: the expectation.
        sigma: standard deviation of the logarithm; 0.2 is a noise of 20%.
    """

    mean: float
    sigma: float

    def draw(self, rng: Random) -> float:
        """One value."""
        return rng.lognormvariate(math.log(self.mean) - self.sigma**2 / 2, self.sigma)


@dataclass(frozen=True, slots=True)
class Pareto:
    """A heavy tail: one value may outweigh thousands.

    Attributes:
        mean: the expectation.
        alpha: above 1; the smaller, the heavier the tail.
        most: values above it are cut to it.
    """

    mean: float
    alpha: float = 1.5
    most: float = math.inf

    def draw(self, rng: Random) -> float:
        """One value."""
        return min(self.most, self.mean * (self.alpha - 1) / self.alpha * rng.paretovariate(self.alpha))


@dataclass(frozen=True, slots=True)
class Measured:
    """One of the values that were measured, each as likely as another."""

    values: tuple[float, ...]

    @property
    def mean(self) -> float:
        """Their mean."""
        return math.fsum(self.values) / len(self.values)

    def draw(self, rng: Random) -> float:
        """One of them."""
        return rng.choice(self.values)
