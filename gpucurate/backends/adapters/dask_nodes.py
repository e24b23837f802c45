"""The workers of a Dask cluster, as they come and go."""

from __future__ import annotations

import queue
import sys
import threading
from collections.abc import Iterator, Sequence
from typing import Any

from gpucurate.backends.adapters import dask_worker
from gpucurate.backends.adapters.slot import NotPrepared, prepare
from gpucurate.spec.cluster import MILLI, Gpu, Node

_TOPIC = "all"


class DaskNodes:
    """Workers of Dask as nodes; hosts are set up before workers of theirs are told of.

    Args:
        client: of the cluster.
        memory: bytes that the run may use of one worker of Dask, where Dask sets it no limit.
        cpu_share: of the threads of each.
        uses_gpu: whether GPUs are looked for.
    """

    def __init__(self, client: Any, memory: int, cpu_share: float = 1.0, *, uses_gpu: bool = False) -> None:
        self._client = client
        self._memory = memory
        self._cpu_share = cpu_share
        self._uses_gpu = uses_gpu
        self._assignments: list[bytes] = []
        self._hosts: set[str] = set()
        self._has_nanny: dict[str, bool] = {}
        self._events: queue.SimpleQueue[dict[str, Any]] = queue.SimpleQueue()
        client.subscribe_topic(_TOPIC, self._note)

    def _note(self, event: tuple[float, Any]) -> None:
        """Called by Dask, from a thread of its own."""
        told = event[1]
        if isinstance(told, dict) and told.get("action") in ("add-worker", "remove-worker"):
            self._events.put(told)

    def all(self) -> Sequence[Node]:
        """Those that are there."""
        return [self._node(address, told) for address, told in self._workers().items()]

    def _workers(self) -> dict[str, Any]:
        workers: dict[str, Any] = self._client.scheduler_info(n_workers=-1)["workers"]
        return workers

    def _node(self, address: str, told: dict[str, Any]) -> Node:
        self._has_nanny[address] = bool(told["nanny"])
        threads = max(MILLI, int(told["nthreads"] * MILLI * self._cpu_share))
        gpus = self._client.run(dask_worker.gpus, workers=[address])[address] if self._uses_gpu else ()
        memory = told["memory_limit"] or self._memory
        return Node(address, threads, min(memory, self._memory), tuple(Gpu(*gpu) for gpu in gpus))

    def set_up(self, assignments: Sequence[bytes]) -> None:
        """Call ``setup_on_node`` once on each host, and on those that join later.

        Raises:
            GpucurateError: a stage could not be set up.
        """
        self._assignments = list(assignments)
        for address, told in self._workers().items():
            self._set_up_host(address, told["host"])

    def _set_up_host(self, address: str, host: str) -> None:
        if host in self._hosts:
            return
        paths = tuple(sys.path)
        done = self._client.submit(
            prepare, self._assignments, paths, workers=[address], pure=False, retries=0
        )
        failure: NotPrepared | None = done.result()
        if failure is not None:
            raise failure.to_error()
        self._hosts.add(host)

    def changes(self) -> Iterator[tuple[str, Node | None]]:
        """Workers of Dask that came, and addresses of those that went, since the last call.

        Raises:
            GpucurateError: as :meth:`set_up`.
        """
        while not self._events.empty():
            told = self._events.get()
            address = told["worker"]
            if told["action"] == "remove-worker" and address in self._has_nanny:
                del self._has_nanny[address]
                yield address, None
            elif told["action"] == "add-worker" and address not in self._has_nanny:
                joined = self._workers().get(address)
                if joined is not None:  # else it is gone again
                    self._set_up_host(address, joined["host"])
                    yield address, self._node(address, joined)

    def is_there(self, address: str) -> bool:
        """Whether a worker of Dask has not gone."""
        return address in self._has_nanny

    def end(self, address: str) -> None:
        """Have the process of a worker of Dask end; its nanny starts another. Waits for nothing."""
        if address in self._has_nanny:
            threading.Thread(target=self._end, args=(address, self._has_nanny[address]), daemon=True).start()

    def _end(self, address: str, has_nanny: bool) -> None:
        end = dask_worker.end_child if has_nanny else dask_worker.end
        self._client.run(end, workers=[address], nanny=has_nanny, wait=False, on_error="ignore")

    def close(self) -> None:
        """Listen no more."""
        self._client.unsubscribe_topic(_TOPIC)
