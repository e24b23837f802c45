"""NeMo Curator's name for a cluster of one's own."""

from gpucurate.backends.ray.cluster import RayClient

__all__ = ["RayClient"]
