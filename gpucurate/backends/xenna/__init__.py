"""Face: ``XennaExecutor`` where NeMo Curator's import path has it."""

from gpucurate.backends.adapters.nemo import XennaExecutor

__all__ = ["XennaExecutor"]
