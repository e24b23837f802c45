"""Clusters of Ray on this machine; every process of theirs is ended by its number."""

from __future__ import annotations

import contextlib
import importlib.util
import os
import tempfile

import psutil
import pytest

HAS_RAY = importlib.util.find_spec("ray") is not None

FAST_HEALTH_CHECKS = {
    "RAY_health_check_initial_delay_ms": "0",
    "RAY_health_check_period_ms": "500",
    "RAY_health_check_timeout_ms": "1000",
    "RAY_health_check_failure_threshold": "6",  # other people's work slows this machine down
}


def pytest_collection_modifyitems(config, items):
    here = os.path.dirname(__file__)
    for item in items:
        if str(item.path).startswith(here):
            item.add_marker(pytest.mark.ray)
            if not HAS_RAY:
                item.add_marker(pytest.mark.skip(reason="Ray is not installed: pip install 'gpucurate[ray]'"))
            elif not config.getoption("--ray"):
                item.add_marker(pytest.mark.skip(reason="it takes minutes: make test-ray (--ray)"))


def ray_processes():
    """What this process has started and what that has; ids and times of start."""
    return psutil.Process().children(recursive=True)


@pytest.fixture(scope="module")
def reaped():
    """Nothing that begins while a module runs is left when it has ended."""
    before = set(ray_processes())
    seen = set()
    yield lambda: seen.update(set(ray_processes()) - before)
    seen.update(set(ray_processes()) - before)
    _, left = psutil.wait_procs(list(seen), timeout=10)
    for process in left:
        with contextlib.suppress(psutil.NoSuchProcess):
            process.kill()


@pytest.fixture(scope="module")
def cluster(reaped):
    """Two nodes of two cores and two GPUs each, of which nothing but the numbers is real; joined."""
    from gpucurate.backends.ray.surroundings import LOOPBACK, QUIET, Surroundings

    surroundings = Surroundings()
    token = {"RAY_AUTH_MODE": "token", "RAY_AUTH_TOKEN": "t" * 64}
    surroundings.set({**LOOPBACK, **QUIET, **FAST_HEALTH_CHECKS, **token})
    import ray
    from ray.cluster_utils import Cluster

    with tempfile.TemporaryDirectory(prefix="gc-", ignore_cleanup_errors=True) as folder:
        head = {"num_cpus": 4, "num_gpus": 2, "object_store_memory": 160 << 20}
        cluster = Cluster(
            initialize_head=True,
            head_node_args={
                **head,
                "include_dashboard": False,
                "temp_dir": folder,
                "node_ip_address": "127.0.0.1",
            },
        )
        try:
            cluster.add_node(**head)
            ray.init(address=cluster.address, namespace="tests", log_to_driver=False, logging_level="ERROR")
            yield cluster
        finally:
            reaped()
            ray.shutdown()
            cluster.shutdown()
            surroundings.restore()
