"""A worker that is an actor of Ray, in a process of its own on some node."""

from __future__ import annotations

import faulthandler
import socket
import sys
import tempfile
import threading
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import cloudpickle
import ray

from gpucurate.backends.assignment import Assignment
from gpucurate.backends.base import Report
from gpucurate.backends.node_setup import set_up_node
from gpucurate.backends.ray.exchange import Parcel, RayExchange
from gpucurate.backends.reporter import packed_report
from gpucurate.backends.runner import Runner, failure_of
from gpucurate.backends.topology import Nvml, stay_near
from gpucurate.backends.worker_process import STOPPED, Work, run_unit
from gpucurate.memory.gpus import use_gpu
from gpucurate.spec.errors import ConfigurationError
from gpucurate.spec.events import FailureKind, SetupFailed, WorkerDied, WorkerReady
from gpucurate.spec.worker import WorkerMetadata

Failure = tuple[FailureKind, str]
"""What kind, and a message."""

Reports = list[tuple[Any, bytes]]
"""Events, each with a pickled result."""


@dataclass(frozen=True, slots=True)
class Hello:
    """What an actor is told to become.

    Attributes:
        worker: its number.
        metadata: for ``setup``.
        gpu_memory: bytes of its GPU that it may use; the assignment's if None.
        paths: the driver's ``sys.path``; empty for a worker in an environment of its own.
    """

    worker: int
    metadata: WorkerMetadata
    gpu_memory: int | None
    paths: tuple[str, ...]


class Worker:
    """The actor. Calls of the group ``work`` come one after the other, in the order they were made.

    Its first call is :meth:`life`, which ends when the actor does: so the driver learns of the end of one
    that has nothing to do.
    """

    def __init__(self) -> None:
        self._over = threading.Event()
        self._runner: Runner | None = None

    @ray.method(concurrency_group="control")
    def life(self) -> None:
        """Returns when the worker was told to end."""
        self._over.wait()

    @ray.method(concurrency_group="control")
    def address(self) -> str:
        """``host:port`` that rank 0 of a gang may listen on."""
        host = ray.util.get_node_ip_address()
        with socket.socket() as probe:
            probe.bind((host, 0))
            return f"{host}:{probe.getsockname()[1]}"

    @ray.method(concurrency_group="control")
    def stacks(self) -> str:
        """The stacks of all threads."""
        with tempfile.TemporaryFile() as file:
            faulthandler.dump_traceback(file, all_threads=True)
            file.seek(0)
            return file.read().decode(errors="backslashreplace")

    @ray.method(concurrency_group="work")
    def setup(self, hello: Hello, assignment: bytes, node: Failure | None, address: str) -> Reports:
        """Set the stages up.

        Args:
            hello: what to become.
            assignment: pickled.
            node: why the node could not be set up; None if it could.
            address: of rank 0; empty for a worker that is on its own.
        """
        if node is not None:
            return [packed_report((SetupFailed(hello.worker, *node), None))]
        try:
            self._runner = _runner(hello, assignment, address)
            self._runner.setup()
        except Exception as error:
            failed = SetupFailed(hello.worker, *failure_of(error))
            return [packed_report((failed, None)), *self._tear_down(hello.worker)]
        return [
            packed_report((WorkerReady(hello.worker, self._runner.memory, self._runner.gpu_memory), None))
        ]

    @ray.method(concurrency_group="work")
    def run(self, work: list[Work], *given: Parcel | None) -> Any:
        """Run units.

        Returns:
            The reports; then, of a segment that hands on, what it made of each unit.
        """
        assert self._runner is not None
        exchange = self._runner.assignment.exchange
        assert isinstance(exchange, RayExchange)
        reports: Reports = []
        parcels: list[Parcel | None] = []
        for (unit_id, order, unit, _), parcel in zip(work, given or [None] * len(work), strict=True):
            report: Report = run_unit(self._runner, unit_id, order, unit, parcel)
            reports.append(packed_report(report))
            parcels.append(exchange.take())
        return reports if self._runner.assignment.is_last else (reports, *parcels)

    @ray.method(concurrency_group="work")
    def teardown(self, worker: int) -> Reports:
        """Tear the stages down; then the process can go."""
        return self._tear_down(worker) or [packed_report((WorkerDied(worker, STOPPED, "stopped"), None))]

    def _tear_down(self, worker: int) -> Reports:
        """A report where a stage fails at its end."""
        self._over.set()
        try:
            if self._runner is not None:
                self._runner.teardown()
        except Exception as error:
            return [packed_report((WorkerDied(worker, failure_of(error)[1]), None))]
        return []


def _runner(hello: Hello, packed: bytes, address: str) -> Runner:
    sys.path.extend(path for path in hello.paths if path not in sys.path)
    metadata = replace(hello.metadata, address=address)
    if metadata.gpus:
        _take_gpus(metadata)
    assignment: Assignment = cloudpickle.loads(packed)
    if hello.gpu_memory is not None:
        assignment = replace(assignment, gpu_memory=hello.gpu_memory)
    return Runner(assignment, hello.worker, metadata)


def _take_gpus(metadata: WorkerMetadata) -> None:
    """Make sure that Ray gave the GPU that was planned, see all that were, and stay near them.

    Raises:
        ConfigurationError: it gave another.
    """
    given = [str(gpu) for gpu in ray.get_gpu_ids()]
    if given != [metadata.gpus[0]]:
        raise ConfigurationError(
            f"worker {metadata.worker_id} was to have GPU {metadata.gpus[0]} of node {metadata.node_id}, and "
            f"Ray gave it {', '.join(given) or 'none'}: is CUDA_VISIBLE_DEVICES set in runtime_env?"
        )
    use_gpu(",".join(metadata.gpus))
    stay_near([Nvml().device(gpu) for gpu in metadata.gpus])


def prepare(assignment: bytes, node: str, paths: tuple[str, ...]) -> Failure | None:
    """What is done once on a node for the workers of a segment; why it could not be done.

    Args:
        assignment: pickled.
        node: where this runs, for messages.
        paths: as of :class:`Hello`.
    """
    try:
        sys.path.extend(path for path in paths if path not in sys.path)
        loaded: Assignment = cloudpickle.loads(assignment)
        if loaded.folder is not None and not loaded.folder.is_dir():
            return "configuration", _not_shared(loaded.folder, node)
        set_up_node(loaded.stages)
    except Exception as error:
        return failure_of(error)
    return None


def _not_shared(folder: Path, node: str) -> str:
    return (
        f"{folder} is not there on node {node} ({socket.gethostname()}): the output has to be on a "
        "file system that all nodes share"
    )
