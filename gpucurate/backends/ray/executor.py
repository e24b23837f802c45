"""A plan carried out by actors of a Ray cluster."""

from __future__ import annotations

import os
import secrets
from collections.abc import Mapping
from typing import Any

from gpucurate.backends.cores import usable_cores
from gpucurate.backends.drive import assignments_of, drive
from gpucurate.backends.driver import Outcome
from gpucurate.backends.environment import Environment
from gpucurate.backends.job import Job
from gpucurate.backends.lanes import WORKER_BASE, lanes_of, policy_of
from gpucurate.backends.ray.cluster import RayClient
from gpucurate.backends.ray.connection import Connection, connect
from gpucurate.backends.ray.surroundings import ADDRESS
from gpucurate.backends.settings import RunSettings
from gpucurate.memory.host import available_memory
from gpucurate.memory.torch_pool import TorchMode
from gpucurate.spec.bytesize import format_bytes, parse_bytes
from gpucurate.spec.cluster import MILLI, Gpu, Node
from gpucurate.spec.errors import ConfigurationError
from gpucurate.spec.progress import Observer

MEMORY_SHARE = 0.6
"""Share of the free memory of this machine that what runs here may use unless told otherwise."""

STORE_PARTS = 2
"""What waits between segments may take one part in so many of the object stores."""

MAX_SLOTS = 64
"""Units that a worker may have, where units take next to no time."""


class RayExecutor:
    """Runs workers as actors of a Ray cluster: of the one that is there, or else of one started for the run.

    Outputs, and the inputs that are files, have to be on a file system that all nodes share.

    Args:
        address: ``host:port`` of a cluster's head, or ``auto`` for the one on this machine. If None,
            the cluster that this process has joined, the one that ``RAY_ADDRESS`` names, or one of our own.
        workers: at most so many on all nodes together; as many as fit by default.
        memory: bytes that what runs in this process may use; 60% of what is free here by default.
        gpus: to be counted on a cluster of our own; all by default.
        gpu_memory: bytes of each GPU that workers may use, such as ``40GB``; most of it by default.
        torch_memory: as of :class:`~gpucurate.backends.executors.LocalExecutor`.
        include_dashboard: whether a cluster of our own has one.
        config: settings by name, see :class:`~gpucurate.backends.settings.RunSettings`.

    Raises:
        ConfigurationError: less than one worker, not a size, or a setting that is not known.

    >>> pipeline.run(RayExecutor("auto"))  # doctest: +SKIP
    """

    def __init__(
        self,
        address: str | None = None,
        workers: int | None = None,
        memory: int | str | None = None,
        *,
        gpus: int | None = None,
        gpu_memory: int | str | None = None,
        torch_memory: TorchMode = "separate",
        include_dashboard: bool = False,
        config: Mapping[str, Any] | RunSettings | None = None,
    ) -> None:
        if workers is not None and workers < 1:
            raise ConfigurationError(f"{workers} workers: at least 1 is needed")
        self.settings = RunSettings.of(config)
        self.address = address
        self.limit = workers
        self.gpus = gpus
        self.torch_memory = torch_memory
        self.gpu_memory = None if gpu_memory is None else parse_bytes(gpu_memory)
        self.workers = min(workers or usable_cores(), usable_cores())
        self.memory = int(available_memory() * MEMORY_SHARE) if memory is None else parse_bytes(memory)
        self.include_dashboard = include_dashboard
        self._joined: Connection | RayClient | None = None

    def describe(self) -> str:
        """Name and settings, for the report."""
        where = self.address or os.environ.get(ADDRESS) or "a cluster of its own"
        limit = "" if self.limit is None else f", {self.limit} workers at most"
        return f"ray on {where}{limit}, memory of the driver {format_bytes(self.memory)}"

    def machines(self) -> list[Node]:
        """The nodes of the cluster, for planning; how much memory their GPUs have is not known yet.

        Raises:
            ConfigurationError: no cluster can be joined.
        """
        self._join()
        from gpucurate.backends.ray.nodes import Nodes, gpus_of

        nodes = Nodes(self.settings.cpu_allocation_percentage)
        return [
            nodes.node(told, tuple(Gpu(str(at), 0) for at in range(gpus_of(told)))) for told in nodes.all()
        ]

    def execute(self, job: Job, observer: Observer) -> Outcome:
        """Run a phase.

        Raises:
            ConfigurationError: no cluster can be joined, or it has no GPU where stages need one.
            GpucurateError: see :meth:`Driver.run`.
        """
        self._join()
        from gpucurate.backends.ray.backend import RayBackend
        from gpucurate.backends.ray.exchange import RayExchange

        segments = job.plan.segments
        backend = RayBackend(
            assignments_of(
                job, gpu_memory=self.gpu_memory, torch_memory=self.torch_memory, exchange=RayExchange()
            ),
            [segment.need for segment in segments],
            [Environment.of(segment.environment) for segment in segments],
            self.settings.cpu_allocation_percentage,
        )
        try:
            nodes = backend.nodes()
            _check_gpus(job, nodes)
        except BaseException:
            backend.close()
            raise
        store = sum(node.scratch for node in nodes) // STORE_PARTS
        return drive(
            job,
            observer,
            backend,
            lanes=lanes_of(job.plan, edge_bytes=store // max(1, len(segments) - 1)),
            policy=policy_of(
                self.settings,
                workers=self.limit,
                budget_bytes=min((_budget(node) for node in nodes), default=1),
                max_slots=MAX_SLOTS,
            ),
            settings=self.settings,
        )

    @property
    def gpu_workers(self) -> int:
        """GPUs of the cluster.

        Raises:
            ConfigurationError: no cluster can be joined.
        """
        self._join()
        import ray

        return int(ray.cluster_resources().get("GPU", 0))

    def _join(self) -> None:
        import ray

        if ray.is_initialized():
            return
        namespace = f"gpucurate-{secrets.token_hex(8)}"
        address = self.address or os.environ.get(ADDRESS)
        if address:
            self._joined = connect(address, namespace)
            return
        self._joined = client = RayClient(
            num_cpus=max(self.limit or 1, usable_cores()),
            num_gpus=self.gpus,
            include_dashboard=self.include_dashboard,
        )
        client.start(namespace)

    def close(self) -> None:
        """Leave the cluster, or end it if it is our own; the executor can be used again."""
        joined, self._joined = self._joined, None
        if isinstance(joined, RayClient):
            joined.stop()
        elif joined is not None:
            joined.close()


def _budget(node: Node) -> int:
    """Bytes that units in work may hold on a node, beside a worker for each core."""
    return max(1, node.memory - node.cpus_milli * WORKER_BASE // MILLI)


def _check_gpus(job: Job, nodes: Any) -> None:
    if job.plan.uses_gpu and not any(node.gpus for node in nodes):
        raise ConfigurationError(
            f"{job.plan.name!r} has stages on GPUs, and no node of the cluster has one that is free "
            f"(nodes: {len(nodes)})"
        )
