"""Whatever listens, listens to this machine alone."""

from __future__ import annotations

import threading
import time
from ipaddress import ip_address

import psutil
import pytest

from gpucurate import LocalExecutor, Pipeline, RayExecutor
from gpucurate.stages.base import ProcessingStage
from gpucurate.stages.text.io.reader import JsonlReader
from gpucurate.stages.text.io.writer import JsonlWriter
from tests.backends.corpus import write_corpus


def is_loopback(text: str) -> bool:
    """Whether only this machine reaches an address: IPv4, IPv6, or the one written as the other."""
    address = ip_address(text)
    mapped = getattr(address, "ipv4_mapped", None)
    return (mapped or address).is_loopback


class Slow(ProcessingStage):
    """Gives time to look."""

    name = "slow"

    def process(self, batch):
        time.sleep(0.2)
        return batch


class Watch(threading.Thread):
    """Notes what this process and those below it listen to, until it is stopped."""

    def __init__(self) -> None:
        super().__init__(daemon=True)
        self.seen: set[tuple[str, int]] = set()
        self.looks = 0
        self.over = threading.Event()
        self.before = set(self._now())

    def run(self) -> None:
        while not self.over.wait(0.1):
            self.seen |= self._now() - self.before
            self.looks += 1

    @staticmethod
    def _now() -> set[tuple[str, int]]:
        found = set()
        me = psutil.Process()
        for process in [me, *me.children(recursive=True)]:
            try:
                connections = process.net_connections("inet")
            except psutil.Error:
                continue
            found |= {tuple(c.laddr) for c in connections if c.status == psutil.CONN_LISTEN}
            # What is bound without a peer can be sent to as well.
            found |= {tuple(c.laddr) for c in connections if c.type.name == "SOCK_DGRAM" and not c.raddr}
        return found


def watched(tmp_path, executor):
    reader = JsonlReader(write_corpus(tmp_path / "in"), files_per_partition=1)
    watch = Watch()
    watch.start()
    Pipeline("watched", stages=[reader, Slow(), JsonlWriter(tmp_path / "out")]).run(executor)
    watch.over.set()
    watch.join()
    assert watch.looks > 2
    return watch.seen


def test_a_socket_that_others_reach_would_be_seen():
    import socket

    with socket.create_server(("0.0.0.0", 0)) as server:
        assert server.getsockname() in Watch._now()


def test_worker_processes_listen_to_nobody(tmp_path):
    assert watched(tmp_path, LocalExecutor(workers=2, config={"fuse": False})) == set()


@pytest.mark.ray
@pytest.mark.parametrize("dashboard", [False, True], ids=["plain", "with a dashboard"])
def test_a_cluster_of_ray_listens_on_the_loopback_address_alone(tmp_path, dashboard, request):
    if not request.config.getoption("--ray"):
        pytest.skip("it takes minutes: make test-ray (--ray)")
    seen = watched(tmp_path, RayExecutor(workers=2, include_dashboard=dashboard))
    assert seen  # Ray's processes are ours
    assert not {address for address in seen if not is_loopback(address[0])}


def test_a_cluster_of_dask_listens_on_the_loopback_address_alone(tmp_path):
    pytest.importorskip("distributed")
    from gpucurate.backends.adapters.dask_executor import DaskExecutor

    seen = watched(tmp_path, DaskExecutor(workers=1))
    assert seen
    assert not {address for address in seen if not is_loopback(address[0])}
