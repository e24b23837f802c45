"""Whole deduplications on this device: the clusters and bytes of the CPU, whatever the limit of memory."""

import numpy as np
import pytest

from gpucurate.backends.executors import InlineExecutor, LocalExecutor
from gpucurate.memory.gpu_memory import GpuMemory
from gpucurate.ops.cuda import CUDA
from gpucurate.spec.bytesize import parse_bytes
from tests.io import test_device_reader
from tests.workflows import test_cuda as workflows

pytestmark = pytest.mark.gpu


@pytest.fixture
def source(tmp_path):
    return workflows.write_jsonl(tmp_path / "in", workflows.rows(2000), parts=5)


@pytest.mark.parametrize("sort", workflows.WORKFLOWS)
def test_in_this_process(source, tmp_path, sort):
    report = workflows.agree(source, tmp_path, sort)
    grouping = workflows.stage(report, "band_grouping")
    assert grouping.host_to_device_bytes == 0


@pytest.mark.parametrize("sort", workflows.WORKFLOWS)
def test_in_worker_processes(source, tmp_path, sort):
    workflows.agree(source, tmp_path, sort, LocalExecutor(2, gpus=1), input_blocksize=100_000)


@pytest.mark.parametrize("limit", ["100MB", "16GB", "40GB", "80GB"])
def test_with_so_much_memory(source, tmp_path, limit):
    import cupy

    free, _ = cupy.cuda.runtime.memGetInfo()
    if parse_bytes(limit) > free:
        pytest.skip(f"{limit} of GPU memory are not free on this device")
    report = workflows.agree(source, tmp_path, "fuzzy", InlineExecutor(gpu_memory=limit))
    peaks = [stats.gpu_peak_bytes for phase in report.phases for stats in phase.stages]
    assert 0 < max(peaks) <= parse_bytes(limit)


def test_500_batches_leave_nothing_behind(tmp_path):
    path = test_device_reader.write(tmp_path / "a.jsonl", test_device_reader.GOOD * 50)
    memory = GpuMemory(200_000_000)
    held = []
    for _ in range(500):
        outcome = test_device_reader.read(path, gpu=memory, keep_original=False)
        assert outcome.num_records == 3000
        del outcome
        CUDA.forget_tables()
        held.append(memory.pool.current_bytes)
    assert np.ptp(held) == 0
    assert held[-1] == 0
    memory.close()
