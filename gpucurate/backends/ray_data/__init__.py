"""Face: ``RayDataExecutor`` where NeMo Curator's import path has it."""

from gpucurate.backends.adapters.ray_data_executor import RayDataExecutor

__all__ = ["RayDataExecutor"]
