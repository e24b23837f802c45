"""This machine as a node: cores, memory, GPUs."""

from __future__ import annotations

from collections.abc import Sequence

from gpucurate.backends.cores import usable_cores
from gpucurate.memory.gpus import gpu_sizes
from gpucurate.spec.cluster import MILLI, Gpu, Node


def gpus_of_machine() -> list[Gpu]:
    """The GPUs that this process may use, with their memory."""
    return [Gpu(name, nbytes) for name, nbytes in gpu_sizes().items()]


def local_node(workers: int, memory: int, gpus: Sequence[Gpu] = ()) -> Node:
    """This machine.

    Args:
        workers: processes that may run at a time; more than there are cores share them.
        memory: bytes that the run may use.
        gpus: that it may use.
    """
    return Node("local", max(workers, usable_cores()) * MILLI, memory, tuple(gpus))
