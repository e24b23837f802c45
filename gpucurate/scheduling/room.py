"""How many workers fit a cluster: places taken one by one, fast enough for a thousand at a time."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from gpucurate.spec.cluster import MILLI, Need, Node

_Taken = tuple[int, tuple[tuple[int, int], ...]]  # (node, ((GPU, thousandths), ...))


class Room:
    """What is left of a cluster while a number of workers is thought through.

    First fit: a node that has no room for a worker has none later, so the search for each kind of
    worker only moves on, and a thousand workers cost a thousand steps. Workers of the CPU go to
    nodes without a GPU first; shares of GPUs are taken from the first node on, whole GPUs from
    the last one back, so that shares pack.

    Args:
        nodes: the cluster.
        needs: by segment.
        workers: at most so many of all segments together; None for as many as fit.
    """

    def __init__(self, nodes: Iterable[Node], needs: Sequence[Need], workers: int | None = None) -> None:
        self._nodes = list(nodes)
        self._needs = needs
        self._left = workers
        self._cpus = [node.cpus_milli for node in self._nodes]
        self._memory = [node.memory for node in self._nodes]
        self._gpus = [[MILLI] * len(node.gpus) for node in self._nodes]
        self._orders = [self._order(need) for need in needs]
        self._at = [0] * len(needs)

    def _order(self, need: Need) -> list[int]:
        nodes = range(len(self._nodes))
        if not need.uses_gpu:
            return sorted(nodes, key=lambda node: len(self._gpus[node]) > 0)
        with_gpus = [node for node in nodes if self._gpus[node]]
        return with_gpus[::-1] if need.gpus_milli >= MILLI else with_gpus

    def take(self, segment: int, count: int = 1) -> bool:
        """Make room for ``count`` workers, all or none; whether there was."""
        if self._left is not None and self._left < count:
            return False
        at = self._at[segment]
        taken: list[_Taken] = []
        for _ in range(count):
            one = self._take_one(segment)
            if one is None:
                self._give_back(segment, at, taken)
                return False
            taken.append(one)
        if self._left is not None:
            self._left -= count
        return True

    def _take_one(self, segment: int) -> _Taken | None:
        need, order, at = self._needs[segment], self._orders[segment], self._at[segment]
        while at < len(order):
            node = order[at]
            if self._cpus[node] >= need.cpus_milli and self._memory[node] >= need.memory:
                gpus = self._find_gpus(node, need) if need.uses_gpu else ()
                if gpus is not None:
                    self._at[segment] = at
                    self._add((node, gpus), need, -1)
                    return node, gpus
            at += 1
        self._at[segment] = at
        return None

    def _find_gpus(self, node: int, need: Need) -> tuple[tuple[int, int], ...] | None:
        free, gpus = self._gpus[node], self._nodes[node].gpus
        found: list[tuple[int, int]] = []
        for index in reversed(range(len(free))) if need.gpus_milli >= MILLI else range(len(free)):
            share = need.share_of(gpus[index])
            if free[index] >= share:
                found.append((index, share))
                if len(found) == need.whole_gpus:
                    return tuple(found)
        return None

    def _add(self, taken: _Taken, need: Need, sign: int) -> None:
        node, gpus = taken
        self._cpus[node] += sign * need.cpus_milli
        self._memory[node] += sign * need.memory
        for gpu, share in gpus:
            self._gpus[node][gpu] += sign * share

    def _give_back(self, segment: int, at: int, taken: list[_Taken]) -> None:
        self._at[segment] = at
        for one in taken:
            self._add(one, self._needs[segment], 1)
