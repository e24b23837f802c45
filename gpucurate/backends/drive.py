"""From a job and a backend to what came of it."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from gpucurate.backends.assignment import Assignment
from gpucurate.backends.base import Backend
from gpucurate.backends.driver import Driver, Outcome
from gpucurate.backends.exchange import Exchange
from gpucurate.backends.job import Job
from gpucurate.backends.settings import RunSettings
from gpucurate.memory.torch_pool import TorchMode
from gpucurate.scheduling.policy import Lane, Policy
from gpucurate.spec.plan import Segment
from gpucurate.spec.progress import Observer


def drive(
    job: Job,
    observer: Observer,
    backend: Backend,
    *,
    lanes: Sequence[Lane],
    policy: Policy,
    settings: RunSettings,
    before: Callable[[], object] = lambda: None,
    ends: Sequence[int] | None = None,
) -> Outcome:
    """Run the units of a job that are not done yet.

    Args:
        job: what to run.
        observer: is told of progress.
        backend: carries it out.
        lanes: the segments, as the scheduler sees them.
        policy: limits.
        settings: the user's.
        before: is called before the first worker starts, if there is anything to do.
        ends: lanes that end with a checkpoint, in order; of a lane a segment, those of the plan.

    Raises:
        GpucurateError: see :meth:`Driver.run`.
    """
    lanes_that_save = [leg[-1].index for leg in job.legs[:-1]] if ends is None else ends
    driver = Driver(
        job.units,
        sizes=job.sizes,
        lanes=lanes,
        policy=policy,
        backend=backend,
        observer=observer,
        phase=job.phase,
        begun=job.begun,
        saves=dict(zip(lanes_that_save, job.checkpoints, strict=True)),
        logging_interval=settings.logging_interval,
    )
    if driver.has_work:
        try:
            before()
        except BaseException:
            backend.close()
            raise
    return driver.run(job.plan.name)


def assignments_of(
    job: Job,
    *,
    gpu_memory: int | None,
    torch_memory: TorchMode,
    exchange: Exchange | None,
) -> list[Assignment]:
    """What the workers of each segment are told."""
    return [_assignment(job, segment, gpu_memory, torch_memory, exchange) for segment in job.plan.segments]


def _assignment(
    job: Job, segment: Segment, gpu_memory: int | None, torch_memory: TorchMode, exchange: Exchange | None
) -> Assignment:
    asked = segment.need.gpu_memory or None
    limits = [limit for limit in (gpu_memory, asked) if limit is not None]
    is_last = segment.index == len(job.plan.segments) - 1
    return Assignment(
        phase=job.plan.name,
        stages=job.stages_of(segment.index),
        folder=job.phase.folder.attempts if job.phase else None,
        collect=job.collect and is_last,
        devices=[segment.device] * len(segment.stages) if job.plan.uses_gpu else (),
        gpu_memory=min(limits, default=None),
        torch_memory=torch_memory,
        segment=segment.index,
        first=job.stages_before + segment.first,
        is_first=segment.index == 0,
        is_last=is_last,
        batch_bytes=segment.batch_bytes,
        splittable=segment.splittable,
        exchange=exchange,
        uploads=job.uploads,
    )
