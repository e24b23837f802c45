"""Executors under NeMo Curator's names: they take its configuration, and run our Ray executor."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any

from gpucurate.backends.adapters.nemo_config import (
    ACTOR_POOL_ELSEWHERE,
    XENNA_WITHOUT_EFFECT,
    settings_of,
)
from gpucurate.backends.driver import Outcome
from gpucurate.backends.job import Job
from gpucurate.backends.ray.executor import RayExecutor
from gpucurate.backends.settings import RunSettings
from gpucurate.spec.errors import ConfigurationError
from gpucurate.spec.progress import Observer

_log = logging.getLogger("gpucurate.compatibility")


class _Namesake(RayExecutor):
    """Says that it is the Ray executor."""

    def __init__(self, settings: RunSettings, *, ignore_head_node: bool) -> None:
        if ignore_head_node:
            raise ConfigurationError(
                "ignore_head_node is not offered: start the head of the cluster with --num-cpus=0 "
                "--num-gpus=0"
            )
        super().__init__(config=settings)

    def describe(self) -> str:
        """Name, that of the executor that runs, and settings, for the report."""
        return f"{type(self).__name__}, which is RayExecutor: {super().describe()}"

    def execute(self, job: Job, observer: Observer) -> Outcome:
        """Run a phase.

        Raises:
            GpucurateError: as :meth:`RayExecutor.execute`.
        """
        _log.info("%s runs %s with RayExecutor", type(self).__name__, job.plan.name)
        return super().execute(job, observer)


class XennaExecutor(_Namesake):
    """NeMo Curator's name for a streaming executor on Ray; cosmos-xenna is not needed.

    Args:
        config: keys of NeMo Curator's XennaExecutor (``execution_mode``, ``cpu_allocation_percentage``,
            ``autoscale_interval_s``, ``logging_interval``, ``ignore_failures``, ...) and those of
            :class:`RunSettings`.
        ignore_head_node: not offered.

    Raises:
        ConfigurationError: a key that is not known, or a value that cannot be.
    """

    def __init__(self, config: Mapping[str, Any] | None = None, ignore_head_node: bool = False) -> None:
        settings = settings_of(config, without_effect=XENNA_WITHOUT_EFFECT)
        super().__init__(settings, ignore_head_node=ignore_head_node)


class RayActorPoolExecutor(_Namesake):
    """NeMo Curator's name for an executor of pools of actors.

    There, each stage does all tasks before the next one starts; here, that is ``execution_mode="batch"``, and
    units stream through the stages unless it is asked for.

    Args:
        config: as of :class:`XennaExecutor`; of NeMo Curator's own keys, ``runtime_env``,
            ``reserved_cpus`` and ``reserved_gpus`` say where they are set here.
        ignore_head_node: not offered.
        show_progress: not used: the observer of the run shows it.
        progress_interval: seconds between lines of the log, unless ``config`` has ``logging_interval``.

    Raises:
        ConfigurationError: a key that is not known, or a value that cannot be.
    """

    def __init__(
        self,
        config: Mapping[str, Any] | None = None,
        ignore_head_node: bool = False,
        show_progress: bool = True,
        progress_interval: float = 10.0,
    ) -> None:
        given = {"logging_interval": progress_interval if show_progress else RunSettings().logging_interval}
        settings = settings_of({**given, **(config or {})}, elsewhere=ACTOR_POOL_ELSEWHERE)
        super().__init__(settings, ignore_head_node=ignore_head_node)
