"""Clusters of one's own that are refused, half dead, killed or stopped: each of a test of its own."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

pytest.importorskip("ray", reason="Ray is not installed: pip install 'gpucurate[ray]'")

from gpucurate.backends.ray.connection import connect
from gpucurate.core.client import RayClient
from gpucurate.spec.errors import ConfigurationError
from tests.backends.corpus import wait_for
from tests.ray.conftest import ray_processes

STORE = 100 << 20

OWN = """
import json, os, time
from gpucurate.core.client import RayClient
with RayClient(num_cpus=1, num_gpus=0, object_store_memory=100 << 20) as client:
    from ray._private import worker
    pids = {name: [i.process.pid for i in infos] for name, infos in worker._global_node.all_processes.items()}
    told = {"address": client.address, "token": os.environ["RAY_AUTH_TOKEN_PATH"], **pids}
    print(json.dumps(told), flush=True)
    time.sleep(600)
"""


@pytest.fixture
def unnamed(monkeypatch):
    """No cluster is named, though another test's may run."""
    for name in ("RAY_ADDRESS", "RAY_AUTH_MODE", "RAY_AUTH_TOKEN_PATH"):
        monkeypatch.delenv(name, raising=False)


def test_an_object_store_that_does_not_fit_is_refused_with_both_figures(unnamed):
    with pytest.raises(ConfigurationError, match=r"an object store of .*/dev/shm has room for"):
        RayClient(object_store_memory=1 << 50).start()
    with pytest.raises(ConfigurationError, match="at least"):
        RayClient(object_store_memory=1000).start()


def test_a_long_folder_is_refused_before_ray_fails_on_its_sockets(unnamed, tmp_path):
    with pytest.raises(ConfigurationError, match="give a shorter one"):
        RayClient(ray_temp_dir=str(tmp_path / ("x" * 60)), object_store_memory=STORE).start()


def test_a_token_that_others_can_read_is_refused(unnamed, tmp_path, monkeypatch):
    loose = tmp_path / "token"
    loose.write_text("t" * 64)
    loose.chmod(0o644)
    monkeypatch.setenv("RAY_AUTH_TOKEN_PATH", str(loose))
    monkeypatch.delenv("RAY_AUTH_MODE", raising=False)
    with pytest.raises(ConfigurationError, match=r"may be read by other users .*chmod 600"):
        RayClient(object_store_memory=STORE).start()


@pytest.fixture
def other(unnamed):
    """A cluster of another process's: where and what it is, the process, and all below it."""
    started = subprocess.Popen([sys.executable, "-c", OWN], stdout=subprocess.PIPE, text=True)
    told = json.loads(started.stdout.readline())
    tree = psutil.Process(started.pid).children(recursive=True)
    yield told, started, tree
    for process in [psutil.Process(started.pid), *tree] if started.poll() is None else tree:
        if process.is_running():
            process.kill()
    started.wait()


def test_a_half_dead_head_is_given_up_in_time(other, monkeypatch):
    told, _, _ = other
    monkeypatch.setenv("RAY_AUTH_MODE", "token")
    monkeypatch.setenv("RAY_AUTH_TOKEN_PATH", told["token"])
    os.kill(told["raylet"][0], signal.SIGSTOP)
    began = time.monotonic()
    with pytest.raises(ConfigurationError, match="answers, but it could not be joined within 8 s"):
        connect(told["address"], "test", seconds=8)
    assert time.monotonic() - began < 20


def has_ended(pid: int) -> bool:
    return not psutil.pid_exists(pid) or psutil.Process(pid).status() == psutil.STATUS_ZOMBIE


def test_a_cluster_goes_with_its_process_killed_and_leaves_nothing(other):
    told, started, tree = other
    assert len(tree) > 5
    started.kill()
    started.wait()
    wait_for(lambda: all(has_ended(process.pid) for process in tree), 20)
    wait_for(lambda: not Path(told["token"]).parent.exists(), 20)


def test_a_cluster_that_is_stopped_leaves_neither_process_nor_folder_nor_variable(unnamed):
    before = set(ray_processes())
    variables = {name: value for name, value in os.environ.items() if "RAY" in name}
    with RayClient(num_cpus=1, num_gpus=0, object_store_memory=STORE) as client:
        folder = Path(os.environ["RAY_AUTH_TOKEN_PATH"]).parent
        assert os.environ["RAY_ADDRESS"] == client.address
        started = set(ray_processes()) - before
    assert len(started) > 5
    assert all(has_ended(process.pid) for process in started)
    assert not folder.exists()
    assert {name: value for name, value in os.environ.items() if "RAY" in name} == variables
