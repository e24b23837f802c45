"""Face: ``RayActorPoolExecutor`` where NeMo Curator's import path has it."""

from gpucurate.backends.adapters.nemo import RayActorPoolExecutor

__all__ = ["RayActorPoolExecutor"]
