"""What adapters cannot do, told before anything starts."""

from __future__ import annotations

from gpucurate.backends.job import Job
from gpucurate.spec.errors import ConfigurationError


def refuse_environments(job: Job, executor: str) -> None:
    """Workers that the cluster has started are in its environment.

    Raises:
        ConfigurationError: a stage asks for one of its own.
    """
    for segment in job.plan.segments:
        if segment.environment:
            raise ConfigurationError(
                f"{segment.name} asks for runtime_env, and {executor} starts no processes of its own: use "
                "LocalExecutor or RayExecutor"
            )


def refuse_gangs(job: Job, executor: str) -> None:
    """Workers come and go one by one there.

    Raises:
        ConfigurationError: a stage wants workers that know of each other.
    """
    for segment in job.plan.segments:
        if segment.gang:
            raise ConfigurationError(
                f"{segment.name} asks for {segment.gang} workers that know of each other, and {executor} has "
                "no gangs: use LocalExecutor or RayExecutor"
            )


def refuse_checkpoints(job: Job, executor: str) -> None:
    """What one segment has made of a unit is not known there before all have.

    Raises:
        ConfigurationError: there is a checkpoint between stages, and units that are not in it.
    """
    for checkpoint in job.checkpoints:
        raise ConfigurationError(
            f"units are missing in the checkpoint {checkpoint.path}, and {executor} writes none: use "
            "LocalExecutor or RayExecutor"
        )
