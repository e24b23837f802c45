"""Executors of gpucurate by name, with a cluster that is up where they need one."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from gpucurate import InlineExecutor, LocalExecutor

EXECUTORS = ("inline", "local", "ray")


@contextmanager
def chosen(name: str, workers: int, *, mode: str = "streaming", fuse: bool = True) -> Iterator[Any]:
    """An executor; Ray is started before and stopped after, as it is for the peers."""
    config = {"execution_mode": mode, "fuse": fuse}
    if name == "inline":
        yield InlineExecutor()
    elif name == "local":
        yield LocalExecutor(workers=workers, config=config)
    else:
        from gpucurate.backends.ray.cluster import RayClient
        from gpucurate.backends.ray.executor import RayExecutor

        with RayClient(num_cpus=workers):
            yield RayExecutor(config=config)
