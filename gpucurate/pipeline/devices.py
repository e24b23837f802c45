"""Devices that this machine offers to the stages of a pipeline."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from gpucurate.backends.chain import Stage
from gpucurate.backends.cores import usable_cores
from gpucurate.backends.machine import gpus_of_machine, local_node
from gpucurate.frame.table import cuda_is_available
from gpucurate.memory.host import available_memory
from gpucurate.spec.cluster import Node
from gpucurate.spec.device import Device
from gpucurate.spec.errors import ConfigurationError


def devices_for(stages: Sequence[Stage]) -> frozenset[Device]:
    """What there is; GPUs are looked for only if a stage asks for one, since that loads libraries."""
    asks = any(stage.resources.requires_gpu or "cpu" not in stage.devices for stage in stages)
    return frozenset({"cpu", "cuda"}) if asks and cuda_is_available() else frozenset({"cpu"})


def devices_of(nodes: Iterable[Node]) -> tuple[frozenset[Device], int | None]:
    """Devices that machines offer, and the memory in bytes of their smallest GPU, if it is known."""
    sizes = [gpu.memory for node in nodes for gpu in node.gpus]
    return frozenset({"cpu", "cuda"} if sizes else {"cpu"}), min(sizes, default=0) or None


def this_machine(stages: Sequence[Stage]) -> Node:
    """This machine, with its GPUs if a stage asks for one."""
    gpus = gpus_of_machine() if "cuda" in devices_for(stages) else []
    return local_node(usable_cores(), available_memory(), gpus)


def require_cuda() -> None:
    """Make sure that kernels can run.

    Raises:
        ConfigurationError: they cannot.
    """
    if not cuda_is_available():
        raise ConfigurationError(
            "device cuda was asked for, and this machine has no GPU that CuPy can use: "
            "gpucurate doctor says what is missing; without it the same run is done on the CPU (--device cpu)"
        )
