"""Memory of a GPU that runs out, and batches that leave it: on the emulated device, or on a real one."""

from __future__ import annotations

import numpy as np
import pytest

from gpucurate.backends.exchange import FolderExchange
from gpucurate.backends.gpu import close_memory
from gpucurate.backends.runner import Assignment, Runner
from gpucurate.frame.transfers import upload
from gpucurate.spec.bytesize import MIB
from gpucurate.spec.events import Order
from gpucurate.spec.unit import Unit
from gpucurate.stages.base import ProcessingStage
from tests.backends.batches import read, texts_of

LIMIT = 64 * MIB
ROW = 4 * MIB


@pytest.fixture(autouse=True)
def device(cuda):
    yield cuda
    close_memory()


class Wide(ProcessingStage):
    """Takes so many bytes of the GPU for each document while it is at work."""

    def __init__(self, row_bytes=ROW):
        self.row_bytes = row_bytes
        self.calls = []

    def process(self, batch):
        self.calls.append((batch.device, batch.num_items))
        work = upload(np.ones(self.row_bytes * batch.num_items, np.uint8))
        assert len(work) == self.row_bytes * batch.num_items
        return batch.select(np.ones(batch.num_items, bool))


def run(*stages, tasks, order=None, **work):
    devices = ["cuda"] * len(stages)
    runner = Runner(Assignment("main", list(stages), None, True, devices, LIMIT, **work), 7)
    runner.setup()
    try:
        return runner.run(Unit("u", 3, (), 1, tasks), order or Order())
    finally:
        runner.teardown()


def test_a_batch_that_the_gpu_has_no_room_for_is_done_in_halves():
    wide, texts = Wide(), [str(i) for i in range(40)]
    result = run(wide, tasks=[read(texts)])
    assert texts_of(result.tasks) == texts
    assert [rows for _, rows in wide.calls] == [40, 20, 10, 10, 20, 10, 10]
    assert {device for device, _ in wide.calls} == {"cuda"}
    assert [sample.fitted for sample in result.figures.samples] == [
        False,
        False,
        True,
        True,
        False,
        True,
        True,
    ]
    fitted = [sample for sample in result.figures.samples if sample.fitted]
    assert all(10 * ROW <= sample.peak < 11 * ROW for sample in fitted)
    assert all(0 < sample.limit <= LIMIT for sample in result.figures.samples)
    assert result.figures.gpu_memory < LIMIT


def test_a_batch_that_cannot_even_be_moved_there_is_done_in_halves(tmp_path):
    wide, texts = Wide(1), [f"{i}" + "x" * 3_000_000 for i in range(40)]
    exchange = FolderExchange(tmp_path)
    result = run(wide, tasks=[read(texts)], is_last=False, exchange=exchange)
    assert texts_of(exchange.get(result.handed_on)) == texts
    assert len(wide.calls) > 1
    assert not result.figures.samples[0].fitted


def test_a_batch_comes_back_for_the_next_worker_and_the_last_stage_is_charged(tmp_path):
    exchange = FolderExchange(tmp_path)
    result = run(Wide(8), Wide(8), tasks=[read(["a", "b" * 1000])], is_last=False, exchange=exchange)
    (task,) = exchange.get(result.handed_on)
    assert task.device == "cpu"
    assert texts_of([task]) == ["a", "b" * 1000]
    first, last = result.stages
    assert first.device_to_host_bytes < 1000 < last.device_to_host_bytes
    assert result.figures.output_bytes > 1000
