"""Integer finalisers and the generator of parameters."""

from gpucurate.ops.mixing.contract import fmix32, fmix64, splitmix64, splitmix64_finaliser

__all__ = ["fmix32", "fmix64", "splitmix64", "splitmix64_finaliser"]
