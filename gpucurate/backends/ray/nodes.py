"""Machines of the cluster: which there are, and which come and go."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

import ray

from gpucurate.spec.cluster import MILLI, Gpu, Node

WATCH_SECONDS = 1.0
"""The nodes are looked at so often."""


class Nodes:
    """What the run may use of each node of the cluster.

    Args:
        cpu_share: of the cores that Ray counts.
    """

    def __init__(self, cpu_share: float) -> None:
        self._cpu_share = cpu_share
        self._known: set[str] = set()
        self._looked = float("-inf")

    def all(self) -> list[dict[str, Any]]:
        """Nodes that are alive, as Ray tells of them; they count as known from now on."""
        found = {node["NodeID"]: node for node in ray.nodes() if node["Alive"]}
        self._known, self._looked = set(found), time.monotonic()
        return [found[name] for name in sorted(found)]

    def changes(self) -> Iterator[tuple[str, dict[str, Any] | None]]:
        """Names of nodes that have come, with what Ray tells of them, and of those that are gone."""
        if time.monotonic() - self._looked < WATCH_SECONDS:
            return
        before = self._known
        there = {node["NodeID"]: node for node in self.all()}
        yield from ((name, None) for name in sorted(before - there.keys()))
        yield from ((name, there[name]) for name in sorted(there.keys() - before))

    def node(self, told: dict[str, Any], gpus: tuple[Gpu, ...]) -> Node:
        """A node in the scheduler's words."""
        amounts = told["Resources"]
        return Node(
            id=told["NodeID"],
            cpus_milli=int(amounts.get("CPU", 0) * self._cpu_share * MILLI),
            memory=int(amounts.get("memory", 0)),
            gpus=gpus,
            scratch=int(amounts.get("object_store_memory", 0)),
        )


def gpus_of(told: dict[str, Any]) -> int:
    """GPUs that Ray counts on a node."""
    return int(told["Resources"].get("GPU", 0))
