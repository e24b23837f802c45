"""RMM's names over the memory of the emulated device: limits, failures and statistics are real."""

from rmm import mr

__all__ = ["mr"]
