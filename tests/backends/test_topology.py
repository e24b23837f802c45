"""Cores near a GPU, as NVML tells of them."""

from __future__ import annotations

import os
import sys
from types import ModuleType

import pytest

from gpucurate.backends.topology import Device, Nvml, cores_of, stay_near


@pytest.fixture
def affinity():
    """Whatever a test does to this process's cores is undone."""
    before = os.sched_getaffinity(0)
    yield before
    os.sched_setaffinity(0, before)


def test_a_mask_of_words_tells_cores():
    assert cores_of([0b1011, 0, 1 << 63]) == (0, 1, 3, 191)
    assert cores_of([]) == ()


def test_a_worker_stays_near_its_gpu_on_cores_that_it_may_use(affinity):
    first = min(affinity)
    near = [Device("GPU-1", 10, (first, 4000))]
    assert stay_near(near) == (first,)
    assert os.sched_getaffinity(0) == {first}


@pytest.mark.parametrize("devices", [[], [Device()], [Device("GPU-1", 10, (4000, 4001))]])
def test_where_no_core_near_is_known_or_allowed_nothing_changes(affinity, devices):
    assert set(stay_near(devices)) == affinity


class FakeNvml(ModuleType):
    """NVML of a machine with one GPU."""

    NVMLError = type("NVMLError", (Exception,), {})

    def __init__(self, has_driver: bool) -> None:
        super().__init__("pynvml")
        self.has_driver = has_driver
        self.is_open = False

    def nvmlInit(self):
        if not self.has_driver:
            raise self.NVMLError("driver not loaded")
        self.is_open = True

    def nvmlShutdown(self):
        self.is_open = False

    def nvmlDeviceGetHandleByIndex(self, number):
        if number != 0:
            raise self.NVMLError("no such device")
        return "handle"

    def nvmlDeviceGetHandleByUUID(self, uuid):
        return "handle"

    def nvmlDeviceGetCpuAffinity(self, handle, words):
        return [0b110] + [0] * (words - 1)

    def nvmlDeviceGetUUID(self, handle):
        return "GPU-123"

    def nvmlDeviceGetMemoryInfo(self, handle):
        return type("Memory", (), {"total": 80_000})


def test_a_device_is_found_by_number_and_by_uuid(monkeypatch):
    library = FakeNvml(has_driver=True)
    monkeypatch.setitem(sys.modules, "pynvml", library)
    assert Nvml().device("0") == Nvml().device("GPU-123") == Device("GPU-123", 80_000, (1, 2))
    assert not library.is_open


def test_of_a_device_that_is_not_there_nothing_is_known(monkeypatch):
    monkeypatch.setitem(sys.modules, "pynvml", FakeNvml(has_driver=True))
    assert Nvml().device("7") == Device()
    monkeypatch.setitem(sys.modules, "pynvml", FakeNvml(has_driver=False))
    assert Nvml().device("0") == Device()
    monkeypatch.setitem(sys.modules, "pynvml", None)  # as if it were not installed
    assert Nvml().device("0") == Device()
