"""The executor for people who come from Dask."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from gpucurate.backends.adapters.dask_backend import DaskBackend
from gpucurate.backends.adapters.dask_nodes import DaskNodes
from gpucurate.backends.adapters.refusals import refuse_environments, refuse_gangs
from gpucurate.backends.cores import usable_cores
from gpucurate.backends.drive import assignments_of, drive
from gpucurate.backends.driver import Outcome
from gpucurate.backends.exchange import Exchange, FolderExchange
from gpucurate.backends.executors import EDGE_SHARE, MEMORY_SHARE, Config
from gpucurate.backends.job import Job
from gpucurate.backends.lanes import WORKER_BASE, lanes_of, policy_of
from gpucurate.backends.session import Session, scratch_room
from gpucurate.backends.settings import RunSettings
from gpucurate.memory.gpus import visible_gpus
from gpucurate.memory.host import available_memory
from gpucurate.spec.bytesize import format_bytes, parse_bytes
from gpucurate.spec.cluster import Node
from gpucurate.spec.errors import ConfigurationError
from gpucurate.spec.progress import Observer

_log = logging.getLogger("gpucurate.dask")


class DaskExecutor:
    """Runs the workers of the scheduler inside the workers of a Dask cluster.

    Dask starts processes, brings calls to them and says when one is gone; what runs where, retries and
    commits are the scheduler's, as with every executor. Without ``client`` and ``address`` a cluster is
    started on this machine: ``dask_cuda.LocalCUDACluster`` for a pipeline that uses GPUs, else
    ``distributed.LocalCluster``. On a cluster of several machines the output has to be on a file system
    that all share.

    Args:
        client: a ``distributed.Client``; it is not closed.
        address: of a scheduler.
        workers: processes of the cluster that is started; one a core, or a GPU, by default.
        memory: bytes that the run may use in all of this machine, or of each worker of a cluster that is
            there already and sets no limit; 60% of what is free by default.
        gpu_memory: bytes of each GPU that workers may use, such as ``40GB``; most of it by default.
        config: settings by name, see :class:`RunSettings`.

    Raises:
        ConfigurationError: Dask is not installed, both ``client`` and ``address``, or a setting that is not
            known.

    >>> Pipeline("pages", stages=stages).run(DaskExecutor(address="tcp://head:8786"))  # doctest: +SKIP
    """

    def __init__(
        self,
        client: Any = None,
        *,
        address: str | None = None,
        workers: int | None = None,
        memory: int | str | None = None,
        gpu_memory: int | str | None = None,
        config: Config = None,
    ) -> None:
        _require_dask()
        if client is not None and address is not None:
            raise ConfigurationError("give client or address, not both")
        if workers is not None and (workers < 1 or client is not None or address is not None):
            raise ConfigurationError(
                f"workers is {workers}: it must be at least 1, and is for a cluster that is started here"
            )
        self.settings = RunSettings.of(config)
        self.address = address
        self.workers = workers or max(1, int(usable_cores() * self.settings.cpu_allocation_percentage))
        self.memory = parse_bytes(memory) if memory is not None else int(available_memory() * MEMORY_SHARE)
        self.gpu_memory = None if gpu_memory is None else parse_bytes(gpu_memory)
        self._given = client
        self._client: Any = None
        self._cluster: Any = None

    def describe(self) -> str:
        """Name and settings, for the report."""
        where = "a client's cluster" if self._given is not None else self.address
        if where is None:
            where = f"{self.workers} workers, memory {format_bytes(self.memory)}"
        return f"dask, {where}"

    @property
    def gpu_workers(self) -> int:
        """Workers of a phase with stages on GPUs: one each."""
        return max(1, len(visible_gpus()))

    def machines(self) -> Sequence[Node] | None:
        """The workers of a cluster that is there; None where one is started on this machine."""
        if self._given is None and self.address is None:
            return None
        nodes = DaskNodes(self._connect(uses_gpu=False), self.memory, uses_gpu=True)
        try:
            return nodes.all()
        finally:
            nodes.close()

    def execute(self, job: Job, observer: Observer) -> Outcome:
        """Run a phase.

        Raises:
            ConfigurationError: a stage asks for an environment of its own, or for a gang.
            GpucurateError: see :meth:`Driver.run`.
        """
        refuse_environments(job, "DaskExecutor")
        refuse_gangs(job, "DaskExecutor")
        client = self._connect(uses_gpu=job.plan.uses_gpu)
        is_ours, count = self._cluster is not None, len(job.plan.segments)
        memory = max(1, (self.memory - WORKER_BASE) // (self.workers if is_ours else 1))
        edges = memory // EDGE_SHARE if count > 1 else 0
        session = None
        try:
            exchange: Exchange | None = None
            if count > 1:
                session, exchange = self._exchange(job, edges, is_ours=is_ours)
            nodes = DaskNodes(
                client, memory, self.settings.cpu_allocation_percentage, uses_gpu=job.plan.uses_gpu
            )
            assignments = assignments_of(
                job, gpu_memory=self.gpu_memory, torch_memory="separate", exchange=exchange
            )
            backend = DaskBackend(assignments, client, nodes, exchange)
            return drive(
                job,
                observer,
                backend,
                lanes=lanes_of(job.plan, edge_bytes=edges // max(1, count - 1)),
                policy=policy_of(
                    self.settings, workers=None, budget_bytes=max(1, memory - edges - WORKER_BASE)
                ),
                settings=self.settings,
                before=lambda: nodes.set_up(backend.payloads),
            )
        finally:
            if session is not None:
                session.close()

    def _connect(self, *, uses_gpu: bool) -> Any:
        """A client; the cluster is started here if none was given."""
        if self._given is not None:
            return self._given
        if self._client is None:
            from distributed import Client

            if self.address is None:
                self._cluster = _start(self.workers, uses_gpu=uses_gpu)
            self._client = Client(self.address or self._cluster)  # type: ignore[no-untyped-call]
            _log.info("Dask at %s", self._client.scheduler.address)
        return self._client

    def _exchange(self, job: Job, edges: int, *, is_ours: bool) -> tuple[Session | None, Exchange]:
        """Where units lie between segments: in memory of this machine, or in the output that all share."""
        if is_ours:
            room = scratch_room(edges, on_disk=self.settings.execution_mode == "batch")
            session = Session(room.folder)
            return session, FolderExchange(session.path)
        if job.phase is None:
            raise ConfigurationError(
                "workers of a Dask cluster hand units on in the run folder, and this pipeline writes "
                "nothing: add a writer, use DaskExecutor() without a cluster, or LocalExecutor"
            )
        return None, FolderExchange(Path(job.phase.folder.attempts) / "handed-on")

    def close(self) -> None:
        """End the cluster that was started, and the connection that was made."""
        if self._client is not None:
            self._client.close()
            self._client = None
        if self._cluster is not None:
            self._cluster.close()
            self._cluster = None


def _require_dask() -> None:
    from importlib.util import find_spec

    if find_spec("distributed") is None:
        raise ConfigurationError(
            "DaskExecutor needs Dask, and distributed is not installed: pip install gpucurate[dask]"
        )


def _start(workers: int, *, uses_gpu: bool) -> Any:
    """A cluster on this machine, without a dashboard, for this machine alone."""
    local = {"host": "127.0.0.1", "dashboard_address": None, "threads_per_worker": 1}
    if uses_gpu:
        from dask_cuda import LocalCUDACluster

        return LocalCUDACluster(device_memory_limit=None, memory_limit=None, **local)
    from distributed import LocalCluster

    return LocalCluster(  # type: ignore[no-untyped-call]
        n_workers=workers, processes=True, memory_limit=None, silence_logs=logging.ERROR, **local
    )
