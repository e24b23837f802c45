"""What a worker that shares a GPU may use of its memory."""

from __future__ import annotations

from collections.abc import Mapping

from gpucurate.memory.gpu_pool import SHARE
from gpucurate.spec.cluster import MILLI, Place


def memory_share(place: Place, sizes: Mapping[str, int]) -> int | None:
    """Bytes of each of its GPUs that a worker may use; None where it shares none, or the size is not known.

    Together workers get as much as one alone would take: each process needs some of the GPU for itself.

    Args:
        place: of the worker.
        sizes: bytes of memory by name of the GPU.
    """
    shares = [int(sizes[gpu] * SHARE) * share // MILLI for gpu, share in place.gpus if share < MILLI]
    return min(shares, default=0) or None
