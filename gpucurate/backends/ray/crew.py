"""Actors: how they are started, called and ended."""

from __future__ import annotations

import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import ray
from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

from gpucurate.backends.assignment import Assignment
from gpucurate.backends.environment import Environment
from gpucurate.backends.local import pickled
from gpucurate.backends.ray.gpus import Holdings
from gpucurate.backends.ray.worker import Hello, Worker, prepare
from gpucurate.backends.worker_process import Work
from gpucurate.spec.cluster import MILLI, Need
from gpucurate.spec.events import SpawnWorker, WorkerDied
from gpucurate.spec.worker import WorkerMetadata

START_SECONDS = 300.0
"""An actor's process may take so long to start; what Ray cannot start, it tries for ever."""

STOP_SECONDS = 10.0
"""A worker that was told to stop may take so long to tear down."""

KILL_SECONDS = 5.0
"""After so long a worker that was killed counts as gone, though nobody says so."""

STACK_SECONDS = 2.0
"""It may take so long to tell where it is; one whose calls hold Python's lock never does."""

LIFE, UP, SETUP, TEARDOWN, GONE = "life", "up", "setup", "teardown", "gone"
"""Calls of an actor, other than those that run units."""

_THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "POLARS_MAX_THREADS")


@dataclass(slots=True)
class Member:
    """An actor, with what it was given and has not answered yet.

    Attributes:
        actor: Ray's handle.
        node: where it is.
        segment: what it runs.
        memory: bytes of its machine that it said it holds.
        deadline: when it must have started, or ended; None while neither is due.
        is_up: whether its process runs.
        is_stopping: whether it was told to stop.
        killed: why it was killed.
        outbox: units to be sent with the next poll.
        given: what they take up, in the same order.
        attempts: units that it has, oldest first, each with the number of its attempt.
        farewell: what it said of its own end.
    """

    actor: Any
    node: str
    segment: int
    memory: int = 0
    deadline: float | None = None
    is_up: bool = False
    is_stopping: bool = False
    killed: str | None = None
    outbox: list[Work] = field(default_factory=list)
    given: list[Any] = field(default_factory=list)
    attempts: dict[str, int] = field(default_factory=dict)
    farewell: WorkerDied | None = None

    def has_started(self) -> None:
        """Its process runs: there is no hurry any more, unless it is to end."""
        self.is_up = True
        if not self.is_stopping and self.killed is None:
            self.deadline = None

    def limit(self, seconds: float) -> None:
        """Give it so long."""
        self.deadline = time.monotonic() + seconds

    def is_late(self) -> bool:
        """Whether the time is over."""
        return self.deadline is not None and time.monotonic() > self.deadline

    def stacks(self) -> str:
        """Where its threads are; a sentence where it does not answer."""
        try:
            return str(ray.get(self.actor.stacks.remote(), timeout=STACK_SECONDS))
        except ray.exceptions.RayError as error:
            return f"the actor on node {self.node} did not tell its stacks: {type(error).__name__}\n"

    def kill(self, why: str) -> None:
        """End its process; the first reason stays."""
        self.killed = self.killed or why
        self.limit(KILL_SECONDS)
        ray.kill(self.actor, no_restart=True)


class Crew:
    """Starts actors where they are to be.

    Args:
        assignments: what the workers of each segment run.
        needs: what one of them takes.
        environments: of each segment's workers; None for the run's.
        holdings: the GPUs that are held.

    Raises:
        ConfigurationError: a stage cannot be pickled, or a program that it asks for cannot be used.
    """

    def __init__(
        self,
        assignments: Sequence[Assignment],
        needs: Sequence[Need],
        environments: Sequence[Environment | None],
        holdings: Holdings,
    ) -> None:
        for environment in environments:
            if environment is not None:
                environment.check()
        self._payloads = [ray.put(pickled(assignment)) for assignment in assignments]
        self._needs = list(needs)
        self._environments = list(environments)
        self._holdings = holdings
        self._prepared: dict[tuple[str, int], Any] = {}
        self._addresses: dict[int, Any] = {}

    def start(self, action: SpawnWorker) -> tuple[Member, dict[str, Any]]:
        """Start an actor: the member, and the references of its first calls by their names.

        The setup waits for the node's, and in a gang for the address of rank 0, which starts first. It is
        called last: Ray sends the calls to an actor in order, and none past one that waits.
        """
        place = action.place
        actor = self._actor(action)
        address: Any = ""
        if action.rank is not None:
            address = self._addresses.get(action.gang)
            if address is None:
                address = self._addresses[action.gang] = actor.address.remote()
        metadata = WorkerMetadata(
            str(action.worker), place.node, place.gpu_ids, action.rank or 0, action.gang_size
        )
        hello = Hello(action.worker, metadata, self._gpu_memory(action), self._paths(action.segment))
        payload, node = self._payloads[action.segment], self._node(place.node, action.segment)
        calls = {
            LIFE: actor.life.remote(),
            UP: actor.__ray_ready__.remote(),
            SETUP: actor.setup.remote(hello, payload, node, address),
        }
        return Member(actor, place.node, action.segment), calls

    def forget_node(self, node: str, segment: int | None = None) -> None:
        """Let a node be set up again: it is gone, or its setup failed."""
        for key in [key for key in self._prepared if key[0] == node and segment in (None, key[1])]:
            del self._prepared[key]

    def python_of(self, member: Member) -> str | None:
        """The Python program that a worker's segment names."""
        environment = self._environments[member.segment]
        return None if environment is None else environment.python

    def suspicion(self, member: Member) -> str:
        """Why an actor may not have started."""
        if python := self.python_of(member):
            return f"is {python} (py_executable) there on node {member.node}, with Ray and gpucurate?"
        return f"does another job hold the cores of node {member.node}?"

    def _actor(self, action: SpawnWorker) -> Any:
        place, need = action.place, self._needs[action.segment]
        gpus = min(place.gpus[0][1], MILLI) / MILLI if place.gpus else 0
        actor = ray.remote(
            num_cpus=0 if place.gpus else need.cpus_milli / MILLI,
            num_gpus=gpus,
            max_restarts=0,
            max_task_retries=0,
            concurrency_groups={"work": 1, "control": 2},
        )(Worker)
        strategy = (
            self._holdings.strategy(place)
            if place.gpus
            else NodeAffinitySchedulingStrategy(place.node, soft=False)
        )
        threads = self._holdings.threads(place) if place.gpus else 1
        environment = self._runtime_env(action.segment, threads, sees_gpu=bool(place.gpus))
        return actor.options(scheduling_strategy=strategy, runtime_env=environment).remote()

    def _gpu_memory(self, action: SpawnWorker) -> int | None:
        shares = bool(action.place.gpus) and not self._needs[action.segment].gpu_memory
        return self._holdings.memory(action.place) if shares else None

    def _node(self, node: str, segment: int) -> Any:
        """The reference of what a node's setup for a segment comes to; begun with its first worker."""
        key = node, segment
        if key not in self._prepared:
            task = ray.remote(num_cpus=0, num_gpus=0, max_retries=0)(prepare)
            self._prepared[key] = task.options(
                scheduling_strategy=NodeAffinitySchedulingStrategy(node, soft=False),
                runtime_env=self._runtime_env(segment, 1, sees_gpu=False),
            ).remote(self._payloads[segment], node, self._paths(segment))
        return self._prepared[key]

    def _runtime_env(self, segment: int, threads: int, *, sees_gpu: bool) -> dict[str, Any]:
        variables = dict.fromkeys(_THREADS, str(threads))
        environment = self._environments[segment]
        python = None
        if environment is not None:
            variables |= dict(environment.variables)
            python = environment.python
        if not sees_gpu:
            variables["CUDA_VISIBLE_DEVICES"] = ""
        return {"env_vars": variables, **({"py_executable": python} if python else {})}

    def _paths(self, segment: int) -> tuple[str, ...]:
        environment = self._environments[segment]
        return () if environment is not None and environment.python else tuple(sys.path)
