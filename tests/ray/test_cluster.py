"""A cluster of one's own, and joining one that is there."""

from __future__ import annotations

import importlib
import json
import os
import socket
import stat
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
from tests.ray.conftest import ray_processes

STORE = 100 << 20

JOIN = """
import sys
from gpucurate.backends.ray.connection import connect
from gpucurate.spec.errors import ConfigurationError
try:
    joined = connect(sys.argv[1], "test")
    import ray
    print("joined", len(ray.nodes()), ray.get_runtime_context().namespace)
    joined.close()
except ConfigurationError as error:
    print(error)
"""


def join(address: str, **changed: str | None) -> str:
    """What another process says that joins, its environment changed."""
    environment = {**os.environ, **changed}
    given = {name: value for name, value in environment.items() if value is not None}
    command = [sys.executable, "-c", JOIN, address]
    return subprocess.run(command, env=given, capture_output=True, text=True, check=True).stdout.strip()


@pytest.fixture(scope="module")
def own(reaped):
    """A cluster of this process's own."""
    with RayClient(num_cpus=1, num_gpus=0, object_store_memory=STORE) as client:
        yield client
        reaped()


def test_it_serves_nobody_but_this_machine(own):
    there = [
        place.laddr.ip
        for process in ray_processes()
        for place in process.net_connections()
        if place.status == psutil.CONN_LISTEN
    ]
    assert there
    assert {ip.removeprefix("::ffff:") for ip in there} == {"127.0.0.1"}


def test_its_token_is_the_users_alone(own):
    path = Path(os.environ["RAY_AUTH_TOKEN_PATH"])
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700


def test_a_process_that_it_started_joins_and_gets_a_namespace(own):
    assert join(own.address) == "joined 1 test"


@pytest.mark.parametrize(
    "changed",
    [
        {"RAY_AUTH_TOKEN_PATH": None},
        {"RAY_AUTH_TOKEN_PATH": None, "RAY_AUTH_TOKEN": "wrong" * 10},
        {"RAY_AUTH_MODE": None, "RAY_AUTH_TOKEN_PATH": None},
    ],
    ids=["no token", "a wrong token", "no mode"],
)
def test_whoever_has_no_token_is_refused_at_once(own, changed, tmp_path):
    began = time.monotonic()
    said = join(own.address, HOME=str(tmp_path), **changed)
    assert "it asks for a token, and was shown none or a wrong one" in said
    assert time.monotonic() - began < 25  # Ray itself takes 20 s, and says nothing of a token


def test_a_cluster_of_other_versions_is_refused_with_both(own):
    from ray._common.usage.usage_constants import CLUSTER_METADATA_KEY as key
    from ray._private import worker

    client = worker.global_worker.gcs_client
    space = b"cluster"  # Ray's own check looks there
    before = client.internal_kv_get(key, space)
    other = {**json.loads(before), "ray_version": "2.49.1", "python_version": "3.9.2"}
    client.internal_kv_put(key, json.dumps(other).encode(), True, space)
    try:
        said = join(own.address)
    finally:
        client.internal_kv_put(key, before, True, space)
    assert "has Ray 2.49.1 and Python 3.9.2, and here it is Ray 2.60" in said


def test_one_that_is_named_is_not_started_again_nor_stopped(own, monkeypatch):
    monkeypatch.setenv("RAY_ADDRESS", own.address)
    before = {process.pid for process in ray_processes()}
    with RayClient() as client:
        assert client.address == own.address
        assert {process.pid for process in ray_processes()} == before
    assert join(own.address).startswith("joined")


def test_a_second_one_in_the_same_process_is_refused_and_the_first_goes_on(own, monkeypatch):
    monkeypatch.delenv("RAY_ADDRESS")
    with pytest.raises(ConfigurationError, match=f"has joined the Ray cluster at {own.address}"):
        RayClient(object_store_memory=STORE).start()
    assert join(own.address).startswith("joined")


def test_ray_client_addresses_are_refused_with_the_ways_that_there_are():
    with pytest.raises(ConfigurationError, match="ray job submit"):
        connect("ray://127.0.0.1:10001", "test")


def test_a_port_that_never_answers_is_given_up():
    with socket.create_server(("127.0.0.1", 0)) as mute:
        began = time.monotonic()
        with pytest.raises(ConfigurationError, match="no Ray cluster answered"):
            connect(f"127.0.0.1:{mute.getsockname()[1]}", "test", seconds=4)
        assert time.monotonic() - began < 15


def test_without_ray_there_is_a_sentence_that_says_what_to_install(monkeypatch):
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    for name in [name for name in sys.modules if name.startswith("gpucurate.backends.ray")]:
        monkeypatch.delitem(sys.modules, name)
    with pytest.raises(ConfigurationError, match=r"pip install 'gpucurate\[ray\]'"):
        importlib.import_module("gpucurate.backends.ray")
