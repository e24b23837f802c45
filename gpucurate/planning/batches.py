"""How large the batches are that a segment is given."""

from __future__ import annotations

from gpucurate.spec.bytesize import GIB, MIB
from gpucurate.spec.device import Device
from gpucurate.spec.resources import Resources

CPU_BATCH = 256 * MIB
"""Large enough that a call costs nothing beside its work, small enough that a worker holds six of it."""

GPU_BATCH = 2 * GIB
"""A column of text has 32-bit offsets: more than this is two columns."""

GPU_PART = 12
"""Of a worker's memory a batch takes the twelfth part: up to six times its bytes are held while stages
work on it (``planning.memory.EXPANSION``), and half of the memory is for models and what is cut unevenly."""

SMALLEST_GPU = 16 * 10**9
"""What a GPU is taken to have whose memory is not known: the smallest one in servers today."""


def batch_bytes(device: Device, resources: Resources, gpu_memory: int | None) -> int:
    """Bytes that batches from another segment are joined up to, and cut above.

    Args:
        device: where the segment runs.
        resources: of one worker.
        gpu_memory: bytes of a GPU, None if that is not known.
    """
    if device == "cpu":
        return CPU_BATCH
    share = resources.gpu_memory_gb * 10**9 or min(1.0, resources.gpus) * (gpu_memory or SMALLEST_GPU)
    return max(1, min(GPU_BATCH, int(share) // GPU_PART))
