"""The executor over Ray Data."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gpucurate.backends.adapters.refusals import refuse_checkpoints, refuse_gangs
from gpucurate.backends.drive import assignments_of, drive
from gpucurate.backends.driver import Outcome
from gpucurate.backends.job import Job
from gpucurate.backends.lanes import policy_of
from gpucurate.backends.local import pickled
from gpucurate.backends.node_setup import set_up_node
from gpucurate.backends.ray.executor import RayExecutor
from gpucurate.backends.session import Session, scratch_room
from gpucurate.scheduling.policy import Lane
from gpucurate.spec.cluster import MILLI, Need
from gpucurate.spec.errors import ConfigurationError
from gpucurate.spec.plan import Segment
from gpucurate.spec.progress import Observer
from gpucurate.spec.worker import WorkerMetadata

if TYPE_CHECKING:
    from gpucurate.backends.adapters.ray_data_pass import Crew

_ANY = 1 << 61


class RayDataExecutor(RayExecutor):
    """Runs segments as actors of Ray Data, for comparison and for those who have built on it.

    Units go through ``map_batches`` as rows of their own, and are committed as their rows come. Ray Data says
    how many are in flight and where; it is told to repeat nothing: what was at a dead actor, and what had
    not come out by then, goes into another pass. :class:`RayExecutor` is faster, and is what to use.

    Args and errors are those of :class:`RayExecutor`.
    """

    def describe(self) -> str:
        """Name and settings, for the report."""
        return f"ray data: {super().describe()}"

    def execute(self, job: Job, observer: Observer) -> Outcome:
        """Run a phase.

        Raises:
            ConfigurationError: a stage asks for a gang; or as :class:`RayExecutor`.
            GpucurateError: see :meth:`Driver.run`.
        """
        refuse_gangs(job, "RayDataExecutor")
        refuse_checkpoints(job, "RayDataExecutor")
        self._join()
        from gpucurate.backends.adapters.ray_data_backend import RayDataBackend
        from gpucurate.backends.ray.exchange import RayExchange

        assignments = assignments_of(
            job, gpu_memory=self.gpu_memory, torch_memory=self.torch_memory, exchange=RayExchange()
        )
        crews = self._crews(job, [pickled(assignment) for assignment in assignments])
        session = Session(scratch_room(0).folder) if job.phase is None else None
        marks = session.path if session is not None else Path(job.phase.folder.attempts)  # type: ignore[union-attr]
        splittable = all(segment.splittable for segment in job.plan.segments)
        try:
            return drive(
                job,
                observer,
                RayDataBackend(assignments, crews, marks),
                lanes=[Lane("all segments", Need(MILLI), splittable=splittable)],
                policy=policy_of(self.settings, workers=None, budget_bytes=_ANY),
                settings=self.settings,
                before=lambda: set_up_node(job.stages),
            )
        finally:
            if session is not None:
                session.close()

    def _crews(self, job: Job, payloads: list[bytes]) -> list[Crew]:
        """Actors of each segment, as many as fit beside one of each of the others: Ray Data waits for all."""
        import ray

        from gpucurate.backends.adapters.ray_data_pass import Crew
        from gpucurate.backends.adapters.slot import Hello

        there = ray.cluster_resources()
        share = there.get("CPU", 1.0) * self.settings.cpu_allocation_percentage / len(job.plan.segments)
        crews = []
        for segment, payload in zip(job.plan.segments, payloads, strict=True):
            hello = Hello(segment.index, WorkerMetadata(), tuple(sys.path), payload)
            options, actors = _options(segment, share, there.get("GPU", 0.0))
            limit = min(segment.max_workers or actors, self.limit or actors)
            crews.append(Crew(segment.name, hello, max(1, min(actors, limit)), options))
        return crews


def _options(segment: Segment, cores: float, gpus: float) -> tuple[dict[str, Any], int]:
    """What Ray is told of the actors of a segment that may take so many cores, and how many there are."""
    variables = dict((segment.environment or {}).get("env_vars") or {})
    environment: dict[str, Any] = {"env_vars": variables}
    if python := (segment.environment or {}).get("py_executable"):
        environment["py_executable"] = python
    need = segment.resources.on(segment.device)
    if need.requires_gpu:
        return _on_gpus(segment, environment, gpus)
    variables["CUDA_VISIBLE_DEVICES"] = ""
    actors = max(1, int(cores / need.cpus)) if need.cpus else 1
    taken = min(need.cpus, cores / actors * 0.99)  # one of each fits, whatever the machine
    return {"num_cpus": taken, "runtime_env": environment}, actors


def _on_gpus(segment: Segment, environment: dict[str, Any], gpus: float) -> tuple[dict[str, Any], int]:
    if segment.resources.gpu_memory_gb:
        raise ConfigurationError(
            f"{segment.name} asks for gpu_memory_gb, and Ray Data knows shares of GPUs only: give gpus, or "
            "use RayExecutor"
        )
    share = segment.resources.gpus
    if gpus < share:
        raise ConfigurationError(f"{segment.name} asks for {share:g} GPUs, and the cluster has {gpus:g}")
    return {"num_cpus": 0, "num_gpus": share, "runtime_env": environment}, int(gpus / share)
