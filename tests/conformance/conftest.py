"""Every executor, over clusters that all tests share."""

from __future__ import annotations

import contextlib
import gc
import logging
from importlib.util import find_spec

import psutil
import pytest

from gpucurate import InlineExecutor, LocalExecutor
from tests.backends.corpus import write_corpus

UNFUSED = {"fuse": False}
EXECUTORS = ("inline", "local-2", "local-unfused", "ray", "ray-data", "dask")
NAMESAKES = ("xenna", "ray-actor-pool")
VARIANTS = (*EXECUTORS, *NAMESAKES, "local-1", "local-4", "ray-unfused", "ray-data-unfused", "dask-unfused")
"""The same under other names, with other numbers of workers, and with a worker a stage: for what could differ
there. With ``--ray`` those of other names go through the whole suite."""


@pytest.fixture(scope="session")
def ray_cluster():
    """Two cores of Ray, which executors of this process join."""
    if find_spec("ray") is None:
        pytest.skip("Ray is not installed: pip install 'gpucurate[ray]'")
    from gpucurate.backends.ray.cluster import RayClient

    with RayClient(num_cpus=2, num_gpus=0) as client, left_nothing():
        gc.freeze()  # what Ray has loaded is no garbage (tests/conftest.py)
        yield client


@pytest.fixture(scope="session")
def dask_client():
    """Two workers of Dask."""
    if find_spec("distributed") is None:
        pytest.skip("Dask is not installed: pip install 'gpucurate[dask]'")
    from distributed import Client, LocalCluster

    with (
        LocalCluster(
            n_workers=2,
            threads_per_worker=1,
            dashboard_address=None,
            host="127.0.0.1",
            memory_limit=None,
            silence_logs=logging.CRITICAL,
        ) as cluster,
        Client(cluster) as client,
    ):
        gc.freeze()
        yield client


@contextlib.contextmanager
def left_nothing():
    """Processes that begin meanwhile are ended, should a test leave them."""
    before = set(psutil.Process().children(recursive=True))
    yield
    started = set(psutil.Process().children(recursive=True)) - before
    for process in started:
        with contextlib.suppress(psutil.NoSuchProcess):
            process.kill()


def make(name: str, request: pytest.FixtureRequest):
    """An executor by its name."""
    kind, _, how = name.partition("-")
    config = UNFUSED if name.endswith("unfused") else None
    if kind == "inline":
        return InlineExecutor()
    if kind == "local":
        return LocalExecutor(workers=int(how) if how.isdigit() else 2, config=config)
    if kind == "dask":
        from gpucurate.backends.adapters.dask_executor import DaskExecutor

        return DaskExecutor(request.getfixturevalue("dask_client"), config=config)
    request.getfixturevalue("ray_cluster")
    if name == "xenna":
        from gpucurate.backends.xenna import XennaExecutor

        return XennaExecutor({"execution_mode": "streaming", "autoscale_interval_s": 5})
    if name == "ray-actor-pool":
        from gpucurate.backends.ray_actor_pool import RayActorPoolExecutor

        return RayActorPoolExecutor()
    if name.startswith("ray-data"):
        from gpucurate.backends.ray_data import RayDataExecutor

        return RayDataExecutor(config=config)
    from gpucurate.backends.ray.executor import RayExecutor

    return RayExecutor(config=config)


FIRST_OF_RAY = {
    "test_bytes_books_and_counts_are_the_same_and_a_second_run_does_nothing": ("ray", "ray-data"),
    "test_a_worker_that_is_killed_costs_a_retry_and_nothing_else": ("ray",),
    "test_a_document_that_a_stage_cannot_do_is_rejected_and_nothing_else": ("ray",),
    "test_a_unit_that_cannot_be_divided_is_set_aside_with_the_same_sentence": (),
    "test_a_fault_of_every_unit_ends_the_run_early": (),
    "test_input_that_goes_after_it_was_listed_is_named": (),
    "test_a_set_up_that_fails_ends_the_run_with_the_same_sentence": (),
    "test_tasks_in_memory_come_back_in_order_with_their_data": ("xenna", "ray-data"),
    "test_a_later_run_begins_at_a_checkpoint_and_a_fresh_one_before_it": (),
}
"""What starts processes of Ray again and again takes up to a minute: there, which executors are tried without
``--ray``. (Ray Data with several actors a unit hung once on a crowded machine, where one was killed.) How a
failure comes back from a worker of Ray is seen where one document is bad and where a worker is killed; what
several of them lead to is decided by the driver, which is the same for all."""


def tried_with_ray_only(name: str, request: pytest.FixtureRequest) -> bool:
    """Whether an executor goes through a test for ``--ray`` alone."""
    if not name.startswith(("ray", "xenna")) or request.config.getoption("--ray"):
        return False
    tried = FIRST_OF_RAY.get(request.node.originalname)
    if tried is None:
        return "executor" in request.fixturenames and name in NAMESAKES
    return name not in tried


@pytest.fixture(params=(*EXECUTORS, *NAMESAKES))
def executor(request):
    """Each of them."""
    if tried_with_ray_only(request.param, request):
        pytest.skip("Ray goes through it with make test-ray (--ray)")
    return make(request.param, request)


@pytest.fixture(params=VARIANTS)
def variant(request):
    """Each of them in each way."""
    if tried_with_ray_only(request.param, request):
        pytest.skip("Ray goes through it in this way with make test-ray (--ray)")
    return make(request.param, request)


@pytest.fixture
def corpus(tmp_path):
    """120 documents in six files."""
    return write_corpus(tmp_path / "in")
