"""Machines, and what a worker takes of one. Amounts are integers: sums of them are exact."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field

MILLI = 1000
"""Parts that a core and a GPU are counted in."""

UNLIMITED = 1 << 30
"""Workers that take nothing of a node."""


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
        return self.share_of_memory(gpu.memory)

    def share_of_memory(self, memory: int) -> int:
        """Thousandths of a GPU of ``memory`` bytes that one worker takes, rounded up."""
        if self.gpu_memory:
            return -(-self.gpu_memory * MILLI // max(1, memory))
        return min(self.gpus_milli, MILLI)

    @property
    def size(self) -> tuple[int, ...]:
        """The larger, the harder to find a place for."""
        return self.whole_gpus, self.gpus_milli, self.gpu_memory, self.cpus_milli, self.memory

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
    """What is left of a node.

    Attributes:
        levels: thousandths left of its GPUs, sorted.
        largest: the most memory that one of its GPUs has.
        is_even: whether all of them have so much, so that a worker takes the same share of any.
    """

    cpus_milli: int
    memory: int
    gpus: dict[str, int]
    levels: list[int]
    largest: int
    is_even: bool

    @classmethod
    def of(cls, node: Node) -> _Free:
        sizes = [gpu.memory for gpu in node.gpus]
        return cls(
            node.cpus_milli,
            node.memory,
            {gpu.id: MILLI for gpu in node.gpus},
            [MILLI] * len(sizes),
            max(sizes, default=0),
            len(set(sizes)) <= 1,
        )

    def count(self, place: Place, need: Need, sign: int) -> None:
        """Add or take away what a worker has."""
        self.cpus_milli += sign * need.cpus_milli
        self.memory += sign * need.memory
        for gpu, share in place.gpus:
            self.gpus[gpu] += sign * share
        if place.gpus:
            self.levels = sorted(self.gpus.values())

    def tightness(self, count: int, share: int) -> tuple[int, int]:
        """Less where a worker goes first: shares where least is left, whole GPUs and cores where most is.

        Args:
            count: GPUs that it has.
            share: thousandths of each.
        """
        if not count:
            return 0, -self.cpus_milli
        at = bisect_left(self.levels, share)
        return self.levels[at] if share < MILLI else at - len(self.levels), -self.cpus_milli


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
        """A node joins, with nothing taken; one that is there already keeps what is taken of it.

        Raises:
            ValueError: it is there already, and not the same.
        """
        there = self.nodes.get(node.id)
        if there is not None and there != node:
            raise ValueError(f"machine {node.id} is there as {there}: remove it before it is added as {node}")
        if there is None:
            self.nodes[node.id] = node
            self._free[node.id] = _Free.of(node)

    def remove(self, node: str) -> None:
        """A node is gone, and whatever was taken of it."""
        self.nodes.pop(node, None)
        self._free.pop(node, None)

    def place(self, need: Need, near: Collection[Place] = ()) -> Place | None:
        """Where a worker fits, or None.

        GPUs of ``near`` come first, then its nodes; then a share goes where least is left that is
        enough, so that shares pack, and a whole GPU or a worker of the CPU where most is free, so that
        they spread. Of equal nodes the first by name is taken.
        """
        return self.place_beside(need, near) or self._anywhere(need)

    def place_beside(self, need: Need, near: Collection[Place]) -> Place | None:
        """Where a worker fits on a node of ``near``, on as many of its GPUs as can be; None if on none."""
        close: dict[str, set[str]] = {place.node: set() for place in near}
        if need.uses_gpu:
            for place in near:
                for gpu, _ in place.gpus:
                    close[place.node].add(gpu)
        return self._best(close.items(), need)

    def _anywhere(self, need: Need) -> Place | None:
        return self._best(dict.fromkeys(self._free, ()).items(), need)

    def _best(self, nodes: Iterable[tuple[str, Collection[str]]], need: Need) -> Place | None:
        """On the node where it goes first, of some, each with the GPUs that it should be on.

        Asked at each start of a worker, of each node of the cluster: so the GPUs are chosen only once.
        """
        cpus, memory, count, shares = need.cpus_milli, need.memory, need.whole_gpus, _Shares(need)
        best: tuple[int, tuple[int, int], str] | None = None
        wanted: Collection[str] = ()
        for name, beside in nodes:
            free = self._free.get(name)
            if free is None or free.cpus_milli < cpus or free.memory < memory or len(free.levels) < count:
                continue
            share = shares[free.largest] if count else 0
            if count and free.levels[-count] < share:
                continue
            if count and not free.is_even and self._gpus(name, need, beside) is None:
                continue
            fitting = sum(free.gpus.get(gpu, 0) >= share for gpu in beside) if count and beside else 0
            rank = (max(0, count - fitting), free.tightness(count, share), name)
            if best is None or rank < best:
                best, wanted = rank, beside
        if best is None:
            return None
        return Place(best[2], (self._gpus(best[2], need, wanted) or ()) if count else ())

    def _gpus(self, name: str, need: Need, near: Collection[str]) -> tuple[tuple[str, int], ...] | None:
        """GPUs of a node for a worker, with the share of each; None if it has not enough."""
        left = self._free[name].gpus
        fitting = [gpu for gpu in self.nodes[name].gpus if left[gpu.id] >= need.share_of(gpu)]
        if len(fitting) < need.whole_gpus:
            return None
        fitting.sort(key=lambda gpu: (gpu.id not in near, left[gpu.id]))  # stable
        return tuple((gpu.id, need.share_of(gpu)) for gpu in fitting[: need.whole_gpus])

    def take(self, place: Place, need: Need) -> None:
        """Count a worker in.

        Raises:
            ValueError: it does not fit there.
        """
        free = self._free[place.node]
        short = free.cpus_milli < need.cpus_milli or free.memory < need.memory
        if short or any(free.gpus[gpu] < share for gpu, share in place.gpus):
            raise ValueError(f"a worker that takes {need} does not fit at {place}")
        free.count(place, need, -1)

    def give(self, place: Place, need: Need) -> None:
        """Count a worker out; nothing if its node is gone.

        Raises:
            ValueError: no such worker was counted in.
        """
        free, node = self._free.get(place.node), self.nodes.get(place.node)
        if free is None or node is None:
            return
        over = free.cpus_milli + need.cpus_milli > node.cpus_milli or free.memory + need.memory > node.memory
        if over or any(free.gpus[gpu] + share > MILLI for gpu, share in place.gpus):
            raise ValueError(f"no worker that takes {need} was counted in at {place}")
        free.count(place, need, 1)

    def capacity(self, need: Need) -> int:
        """Workers of one kind that would fit if nothing were taken."""
        return sum(capacity(node, need) for node in self.nodes.values())


def capacity(node: Node, need: Need) -> int:
    """Workers of one kind that a node holds when it holds nothing else."""
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
    return min(limits, default=UNLIMITED)


def fit_together(nodes: Iterable[Node], needs: Iterable[tuple[Need, int]]) -> bool:
    """Whether so many workers of each kind fit side by side, placed largest first.

    Args:
        nodes: with nothing taken.
        needs: what a worker takes, and how many there are to be.
    """
    ledger = Ledger.of(nodes)
    for need, count in sorted(needs, key=lambda entry: entry[0].size, reverse=True):
        for _ in range(count):
            place = ledger.place(need)
            if place is None:
                return False
            ledger.take(place, need)
    return True


class _Shares(dict[int, int]):
    """Thousandths that a worker takes of a GPU, by the GPU's memory."""

    def __init__(self, need: Need) -> None:
        super().__init__()
        self._need = need

    def __missing__(self, memory: int) -> int:
        self[memory] = share = self._need.share_of_memory(memory)
        return share
