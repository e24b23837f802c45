"""Lower case and single spaces: what makes text comparable."""

from gpucurate.ops.normalize.contract import normalize

__all__ = ["normalize"]
