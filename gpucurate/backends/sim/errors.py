"""What a simulated scheduler did wrong."""

from __future__ import annotations

from gpucurate.spec.errors import GpucurateError


class SimulationError(GpucurateError):
    """A simulation came upon a fault of the scheduler."""


class IllegalActionError(SimulationError):
    """The scheduler asked for what no backend could carry out, or what would spoil results."""


class DeadlockError(SimulationError):
    """Work is left, nothing is under way, and the scheduler waits."""
