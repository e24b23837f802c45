"""Text operations over ``TextBuffers``, integer throughout, the same on every device."""

from gpucurate.ops.version import ALGORITHMS_VERSION

__all__ = ["ALGORITHMS_VERSION"]
