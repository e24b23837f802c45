"""Clusters that a plan can be made for though nobody has them here: ``64x8xH200``."""

from __future__ import annotations

import re

from gpucurate.spec.bytesize import parse_bytes
from gpucurate.spec.cluster import MILLI, Gpu, Node
from gpucurate.spec.errors import ConfigurationError

GPU_MEMORY = {
    "A100": 80 * 10**9,
    "B200": 180 * 10**9,
    "H100": 80 * 10**9,
    "H200": 141 * 10**9,
    "L4": 24 * 10**9,
    "L40S": 48 * 10**9,
    "T4": 16 * 10**9,
}
"""Bytes, as NVIDIA's data sheets give them; of the B200 what a DGX has of it, of the A100 the larger one."""

CORES_PER_GPU = 14
"""Taken for granted unless told: a DGX H100 has 112 cores for 8 GPUs."""

MEMORY_PER_GPU = 256 * 10**9
"""Of the host, likewise: 2 TB for 8 GPUs."""

_PATTERN = re.compile(r"(\d{1,5})x(\d{1,3})x(.+)", re.IGNORECASE | re.ASCII)  # no more than anybody has


def parse_cluster(text: str, cpus_per_node: int | None = None) -> tuple[Node, ...]:
    """Equal machines, from ``NODESxGPUSxKIND``; a kind is a GPU's name or its memory.

    Args:
        text: such as ``64x8xH200`` or ``2x4x80GB``.
        cpus_per_node: cores of a machine; 14 for each GPU if not given.

    Raises:
        ConfigurationError: not of that form, a GPU that is not known, or no machine.
    """
    match = _PATTERN.fullmatch(text.strip())
    if match is None or not int(match[1]) or not int(match[2]):
        raise ConfigurationError(
            f"{text!r} is not the size of a cluster: write machines, GPUs of each, and their kind, such as "
            "64x8xH200 or 2x4x80GB, of at most 99999 machines and 999 GPUs each"
        )
    if cpus_per_node is not None and cpus_per_node < 1:
        raise ConfigurationError(f"{cpus_per_node} cores for a machine: at least 1 is needed")
    count, gpus, memory = int(match[1]), int(match[2]), _memory(match[3])
    cores = cpus_per_node or CORES_PER_GPU * gpus
    devices = tuple(Gpu(str(at), memory) for at in range(gpus))
    width = len(str(count - 1))
    return tuple(
        Node(f"node-{at:0{width}}", cores * MILLI, MEMORY_PER_GPU * gpus, devices) for at in range(count)
    )


def _memory(kind: str) -> int:
    known = GPU_MEMORY.get(kind.upper())
    if known is not None:
        return known
    if not kind[0].isdigit():
        raise ConfigurationError(
            f"GPU {kind!r} is not known, only {', '.join(sorted(GPU_MEMORY))}: give its memory, such as 80GB"
        )
    return parse_bytes(kind)
