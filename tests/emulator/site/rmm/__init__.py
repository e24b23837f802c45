"""RMM's names over the memory of the emulated device (``cupy._memory``): limits, failures and statistics are real."""

from rmm import mr

__all__ = ["mr"]
