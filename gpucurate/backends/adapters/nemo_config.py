"""Configuration keys of NeMo Curator's executors, and what they come to here."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import fields
from typing import Any

from gpucurate.backends.settings import RunSettings
from gpucurate.spec.errors import ConfigurationError

_log = logging.getLogger("gpucurate.compatibility")

XENNA_WITHOUT_EFFECT = {
    "max_workers_per_stage": "stages say so themselves with num_workers()",
    "actor_pool_verbosity_level": "levels are those of Python's logging",
    "monitoring_verbosity_level": "levels are those of Python's logging",
    "autoscaler_verbosity_level": "levels are those of Python's logging",
    "executor_verbosity_level": "levels are those of Python's logging",
    "log_worker_allocation_layout": "every start of a worker is logged, with its place",
}
"""Keys of its XennaExecutor that change nothing here, each with the reason."""

ACTOR_POOL_ELSEWHERE = {
    "reserved_cpus": "give cpu_allocation_percentage",
    "reserved_gpus": "start Ray with fewer GPUs",
    "runtime_env": "give it to the stages: stage.with_(runtime_env=...)",
}
"""Keys of its RayActorPoolExecutor that would change what runs, each with what to do instead."""


def settings_of(
    config: Mapping[str, Any] | None,
    *,
    without_effect: Mapping[str, str] | None = None,
    elsewhere: Mapping[str, str] | None = None,
) -> RunSettings:
    """Settings from what NeMo Curator's executors take, and from our own.

    Args:
        config: as the user gave it.
        without_effect: keys that are taken and said to change nothing.
        elsewhere: keys that are refused unless they are empty.

    Raises:
        ConfigurationError: a key that neither knows, one that cannot be honoured, or a value that cannot be.
    """
    given, idle, refused = dict(config or {}), without_effect or {}, elsewhere or {}
    known = {field.name for field in fields(RunSettings)} | set(idle) | set(refused)
    if unknown := sorted(set(given) - known):
        raise ConfigurationError(
            f"config has {', '.join(map(repr, unknown))}, which is not known; "
            f"there are: {', '.join(sorted(known))}"
        )
    for key in [key for key in given if key in refused]:
        if given.pop(key):
            raise ConfigurationError(f"config has {key!r}, which is set elsewhere: {refused[key]}")
    for key in [key for key in given if key in idle]:
        del given[key]
        _log.info("config %r has no effect: %s", key, idle[key])
    return RunSettings.of(given)
