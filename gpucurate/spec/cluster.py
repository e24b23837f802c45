"""Machines, and what a worker takes of one. Amounts are integers: sums of them are exact."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

MILLI = 1000
"""Parts that a core and a GPU are counted in."""


@dataclass(frozen=True, slots=True)
class Gpu:
    """A GPU of a node.

    Attributes:
        id: as the backend calls it, unique in the node.
        memory: bytes that workers may use of it.
    """

    id: str
    memory: int


@dataclass(frozen=True, slots=True)
class Node:
    """A machine, or what the run may use of it.

    Attributes:
        id: as the backend calls it, unique in the cluster.
        cpus_milli: thousandths of cores.
        memory: bytes of host memory.
        gpus: in the order of the driver.
        scratch: bytes of disk for what crosses between workers.
    """

    id: str
    cpus_milli: int
    memory: int
    gpus: tuple[Gpu, ...] = ()
    scratch: int = 0


@dataclass(frozen=True, slots=True)
class Need:
    """What one worker takes.

    Attributes:
        cpus_milli: thousandths of cores.
        memory: bytes of host memory, before its first unit.
        gpus_milli: thousandths of GPUs: up to 1000 of one, above that whole ones.
        gpu_memory: bytes of one GPU, instead.
    """

    cpus_milli: int = MILLI
    memory: int = 0
    gpus_milli: int = 0
    gpu_memory: int = 0

    @property
    def uses_gpu(self) -> bool:
        """Whether it takes any share of a GPU."""
        return self.gpus_milli > 0 or self.gpu_memory > 0

    def share_of(self, gpu: Gpu) -> int:
        """Thousandths of ``gpu`` that one worker takes, rounded up."""
        if self.gpu_memory:
            return -(-self.gpu_memory * MILLI // max(1, gpu.memory))
        return min(self.gpus_milli, MILLI)

    @property
    def whole_gpus(self) -> int:
        """GPUs taken: one for any share of one."""
        return max(1, self.gpus_milli // MILLI) if self.uses_gpu else 0


@dataclass(frozen=True, slots=True)
class Place:
    """Where a worker is: its node, and its GPUs with the thousandths that it has of each."""

    node: str
    gpus: tuple[tuple[str, int], ...] = ()

    @property
    def gpu_ids(self) -> tuple[str, ...]:
        """Names of its GPUs."""
        return tuple(gpu for gpu, _ in self.gpus)


@dataclass(slots=True)
class _Free:
    cpus_milli: int
    memory: int
    gpus: dict[str, int]


@dataclass(slots=True)
class Ledger:
    """What is taken of a cluster, and what is left.

    Attributes:
        nodes: by their names.
    """

    nodes: dict[str, Node] = field(default_factory=dict)
    _free: dict[str, _Free] = field(default_factory=dict)

    @classmethod
    def of(cls, nodes: Iterable[Node]) -> Ledger:
        """A ledger in which nothing is taken."""
        ledger = cls()
        for node in nodes:
            ledger.add(node)
        return ledger

    def add(self, node: Node) -> None:
        """A node joins, with nothing taken."""
        self.nodes[node.id] = node
        self._free[node.id] = _Free(node.cpus_milli, node.memory, {gpu.id: MILLI for gpu in node.gpus})

    def remove(self, node: str) -> None:
        """A node is gone, and whatever was taken of it."""
        self.nodes.pop(node, None)
        self._free.pop(node, None)

    def place(self, need: Need, near: Iterable[Place] = ()) -> Place | None:
        """Where a worker fits, or None.

        GPUs of ``near`` come first, then its nodes; then a share goes where least is left that is
        enough, so that shares pack, and a whole GPU or a worker of the CPU where most is free, so that
        they spread.
        """
        close = list(near)
        gpus = {(place.node, gpu) for place in close for gpu in place.gpu_ids}
        nodes = {place.node for place in close}
        found: list[tuple[tuple[int, ...], str, Place]] = []
        for name, node in self.nodes.items():
            free = self._free[name]
            if free.cpus_milli < need.cpus_milli or free.memory < need.memory:
                continue
            chosen = self._gpus(node, free, need, gpus)
            if chosen is None:
                continue
            near_gpu = sum((name, gpu) not in gpus for gpu, _ in chosen)
            rank = (near_gpu, name not in nodes, self._tightness(free, need, chosen))
            found.append((rank, name, Place(name, chosen)))
        return min(found, key=lambda entry: entry[:2])[2] if found else None

    def _gpus(
        self, node: Node, free: _Free, need: Need, near: set[tuple[str, str]]
    ) -> tuple[tuple[str, int], ...] | None:
        """GPUs of a node for a worker, with the share of each; None if it has not enough."""
        if not need.uses_gpu:
            return ()
        fitting = [gpu for gpu in node.gpus if free.gpus[gpu.id] >= need.share_of(gpu)]
        fitting.sort(key=lambda gpu: ((node.id, gpu.id) not in near, free.gpus[gpu.id]))  # stable
        if len(fitting) < need.whole_gpus:
            return None
        return tuple((gpu.id, need.share_of(gpu)) for gpu in fitting[: need.whole_gpus])

    @staticmethod
    def _tightness(free: _Free, need: Need, chosen: tuple[tuple[str, int], ...]) -> int:
        if any(share < MILLI for _, share in chosen):
            return sum(free.gpus[gpu] for gpu, _ in chosen)
        return -free.cpus_milli

    def take(self, place: Place, need: Need) -> None:
        """Count a worker in."""
        free = self._free[place.node]
        free.cpus_milli -= need.cpus_milli
        free.memory -= need.memory
        for gpu, share in place.gpus:
            free.gpus[gpu] -= share

    def give(self, place: Place, need: Need) -> None:
        """Count a worker out; nothing if its node is gone."""
        free = self._free.get(place.node)
        if free is None:
            return
        free.cpus_milli += need.cpus_milli
        free.memory += need.memory
        for gpu, share in place.gpus:
            free.gpus[gpu] += share

    def capacity(self, need: Need) -> int:
        """Workers of one kind that would fit if nothing were taken."""
        return sum(_capacity(node, need) for node in self.nodes.values())


def _capacity(node: Node, need: Need) -> int:
    limits = []
    if need.cpus_milli:
        limits.append(node.cpus_milli // need.cpus_milli)
    if need.memory:
        limits.append(node.memory // need.memory)
    if need.uses_gpu:
        shares = [need.share_of(gpu) for gpu in node.gpus]
        limits.append(
            len(node.gpus) // need.whole_gpus
            if need.whole_gpus > 1
            else sum(MILLI // share for share in shares if share)
        )
    return min(limits, default=1 << 30)
