"""torch's names about memory, without torch: it notes what it is told."""

from types import SimpleNamespace

from torch import cuda

__all__ = ["backends", "cuda"]
__version__ = "2.13.0+stand-in"

backends = SimpleNamespace(cuda=SimpleNamespace(is_built=lambda: True))
