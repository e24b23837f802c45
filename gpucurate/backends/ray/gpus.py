"""GPUs of a cluster: each is held by a placement group of its own, so that a worker can be put on it."""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import ray
from ray.util.placement_group import placement_group, remove_placement_group
from ray.util.scheduling_strategies import PlacementGroupSchedulingStrategy

from gpucurate.backends.gpu_share import memory_share
from gpucurate.backends.topology import Device, Nvml
from gpucurate.spec.cluster import MILLI, Gpu, Place

HOLD_SECONDS = 30.0
"""GPUs that another job does not give back within so long are not ours."""

NODE_LABEL = "ray.io/node-id"


class Held(NamedTuple):
    """A GPU, the placement group that holds it, and what is known of it."""

    name: str
    group: Any
    device: Device


def acquire(node: str, count: int, seconds: float = HOLD_SECONDS) -> list[Held]:
    """Hold the GPUs of a node that are free, and learn their names.

    Args:
        node: as Ray calls it.
        count: GPUs that it has.
        seconds: to wait for those that are in use.
    """
    groups = [placement_group([{"GPU": 1}], bundle_label_selector=[{NODE_LABEL: node}]) for _ in range(count)]
    asked = {_survey(group): group for group in groups}
    there, late = ray.wait(list(asked), num_returns=count, timeout=seconds)
    for ref in late:
        remove_placement_group(asked[ref])
    found = []
    for ref in there:
        with contextlib.suppress(ray.exceptions.RayError):  # the node is gone again
            name, device = ray.get(ref)
            found.append(Held(name, asked[ref], device))
    return found


@dataclass(slots=True)
class Holdings:
    """Placement groups of GPUs, by node and GPU.

    Each has one bundle of one GPU and no core: cores are counted by the scheduler, which would promise those
    that Ray keeps back for a group. What a group holds, nobody else gets; what runs in it is ours to say.
    A worker of several whole GPUs runs in the group of the first, and the others' stay empty meanwhile.

    Attributes:
        groups: by node and name of the GPU.
        devices: what is known of each.
    """

    groups: dict[tuple[str, str], Any] = field(default_factory=dict)
    devices: dict[tuple[str, str], Device] = field(default_factory=dict)

    def keep(self, node: str, held: Sequence[Held]) -> tuple[Gpu, ...]:
        """Count GPUs of a node in."""
        for gpu in held:
            self.groups[node, gpu.name], self.devices[node, gpu.name] = gpu.group, gpu.device
        found = [Gpu(gpu.name, gpu.device.memory) for gpu in held]
        return tuple(sorted(found, key=lambda gpu: (len(gpu.id), gpu.id)))

    def strategy(self, place: Place) -> PlacementGroupSchedulingStrategy:
        """How Ray is told to start an actor on the first GPU of a place."""
        return PlacementGroupSchedulingStrategy(
            placement_group=self.groups[place.node, place.gpu_ids[0]],
            placement_group_capture_child_tasks=False,
        )

    def memory(self, place: Place) -> int | None:
        """Bytes that a worker may use of a GPU that it shares; None if it has it to itself."""
        return memory_share(place, {gpu: self.devices[place.node, gpu].memory for gpu in place.gpu_ids})

    def threads(self, place: Place) -> int:
        """Threads for the libraries of a worker: its part of the cores near its GPU."""
        first = self.devices[place.node, place.gpu_ids[0]]
        if not first.cores:
            return 1
        beside = sum(
            1
            for (node, _), device in self.devices.items()
            if node == place.node and device.cores == first.cores
        )
        share = sum(share for _, share in place.gpus)
        return max(1, len(first.cores) * share // (beside * MILLI))

    def forget(self, node: str) -> None:
        """The node is gone, and its groups with it."""
        for key in [key for key in self.groups if key[0] == node]:
            self._remove(key)

    def close(self) -> None:
        """Give all GPUs back."""
        for key in list(self.groups):
            self._remove(key)

    def _remove(self, key: tuple[str, str]) -> None:
        del self.devices[key]
        with contextlib.suppress(ray.exceptions.RayError):  # it went with its node, or with the cluster
            remove_placement_group(self.groups.pop(key))


def _survey(group: Any) -> Any:
    strategy = PlacementGroupSchedulingStrategy(placement_group=group)
    task = ray.remote(num_cpus=0, num_gpus=1, max_retries=0)(_look)
    return task.options(scheduling_strategy=strategy).remote()


def _look() -> tuple[str, Device]:
    """The GPU of this task: its name, and what NVML knows of it."""
    name = str(ray.get_gpu_ids()[0])
    return name, Nvml().device(name)
