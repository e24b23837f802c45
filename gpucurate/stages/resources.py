"""Face: what a worker of a stage asks for."""

from gpucurate.spec.resources import Resources

__all__ = ["Resources"]
