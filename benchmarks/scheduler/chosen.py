"""Executors of gpucurate by name, with a cluster that is up where they need one."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from gpucurate import InlineExecutor, LocalExecutor

EXECUTORS = ("inline", "local", "ray")


@contextmanager
def chosen(name: str, workers: int, mode: str = "streaming") -> Iterator[Any]:
    """An executor; Ray is started before and stopped after, as it is for the peers."""
    if name == "inline":
        yield InlineExecutor()
    elif name == "local":
        yield LocalExecutor(workers=workers, execution_mode=mode)
    else:
        with _cluster(workers):
            from gpucurate import RayExecutor

            yield RayExecutor(config={"execution_mode": mode})


@contextmanager
def _cluster(cores: int) -> Iterator[None]:
    import ray

    ray.init("local", num_cpus=cores, include_dashboard=False, log_to_driver=False, logging_level="error")
    try:
        yield
    finally:
        ray.shutdown()
