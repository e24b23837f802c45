"""Bands divided over workers with a device each: their forests are files, and merge to the CPU's labels."""

from __future__ import annotations

import pickle

import numpy as np
import pytest

from gpucurate.backends.runner import Assignment, Runner
from gpucurate.dedup.forest_file import read_forest, write_forest
from gpucurate.dedup.forests import merge_forests
from gpucurate.spec.errors import StorageError
from gpucurate.spec.events import Order
from gpucurate.spec.unit import Unit
from gpucurate.stages.deduplication.grouping import BandGrouping, band_tasks
from gpucurate.stages.specification import specify
from tests.emulator.backend import Emulated
from tests.emulator.test_components import BANDS, key_set, on_cpu


@pytest.mark.parametrize(("wide", "gpus", "forests"), [(False, 2, 2), (False, 8, BANDS), (True, 2, 1)])
def test_forests_of_several_workers_merge_to_the_labels_of_the_cpu(
    emulator_cache, tmp_path, wide, gpus, forests
):
    keys = key_set(tmp_path, np.random.default_rng(7), 60, 3, 0.02)
    stage = BandGrouping(keys.paths, keys.bases, wide=wide, memory=1 << 22, where=Emulated(emulator_cache))
    stage = pickle.loads(pickle.dumps(stage))
    (tmp_path / "attempts").mkdir()
    runner = Runner(Assignment("group", [stage], tmp_path / "attempts", False), 0)
    runner.setup()
    found = []
    for index, (task, size, content) in enumerate(
        band_tasks(2 if wide else BANDS, gpus, keys.records, wide=wide)
    ):
        result = runner.run(Unit(content, index, (), size, [task]), Order())
        (output,) = result.outputs
        assert output.name == f"_gpucurate/scratch/forests/{stage.grouped}-{task.data[0]}-{task.data[-1]}.u32"
        assert (output.rows, output.bytes) == (keys.records, 4 * keys.records) == (keys.records, size)
        assert result.tasks[0].data == [output.name]
        found.append(read_forest(tmp_path / "attempts" / output.attempt, keys.records))
    runner.teardown()
    assert len(found) == forests
    assert np.array_equal(merge_forests(found), on_cpu(keys, tmp_path, wide))


@pytest.mark.parametrize("wide", [False, True])
def test_a_worker_takes_its_own_gpu_and_counts_what_crosses(cuda, tmp_path, wide):
    keys = key_set(tmp_path, np.random.default_rng(7), 60, 3, 0.02)
    runner = Runner(
        Assignment(
            "group", [BandGrouping(keys.paths, keys.bases, wide=wide, memory=1 << 22)], tmp_path, False
        ),
        0,
    )
    bands = 2 if wide else BANDS
    ((task, size, content),) = band_tasks(bands, 1, keys.records, wide=wide)
    result = runner.run(Unit(content, 0, (), size, [task]), Order())
    documents = sum(file.documents for _, file in keys.files())
    assert result.stages[0].host_to_device_bytes == documents * (4 + 8 * bands)
    assert result.stages[0].device_to_host_bytes == 4 * keys.records
    forest = read_forest(tmp_path / result.outputs[0].attempt, keys.records)
    assert np.array_equal(forest, on_cpu(keys, tmp_path, wide))


def test_a_stage_goes_to_workers_and_its_plan_knows_the_units_but_not_where_they_are(tmp_path):
    one = BandGrouping([tmp_path / "a", None], [0, 5, 9], wide=False, memory=100)
    again = pickle.loads(pickle.dumps(one))
    elsewhere = BandGrouping([tmp_path / "b", None], np.array([0, 5, 9]), wide=False, memory=200)
    assert specify(one).config == specify(again).config == specify(elsewhere).config
    for other in (
        BandGrouping([None, tmp_path / "a"], [0, 5, 9], wide=False, memory=100),
        BandGrouping([tmp_path / "a", None], [0, 5, 8], wide=False, memory=100),
        BandGrouping([tmp_path / "a", None], [0, 5, 9], wide=True, memory=100),
    ):
        assert specify(one).config != specify(other).config


def test_a_forest_that_is_not_whole_is_refused(tmp_path):
    write_forest(tmp_path / "f", np.arange(5, dtype=np.uint32))
    assert (tmp_path / "f").read_bytes() == b"".join(n.to_bytes(4, "little") for n in range(5))
    with pytest.raises(StorageError, match="has 20 bytes, and 6 records take 24"):
        read_forest(tmp_path / "f", 6)
    with pytest.raises(StorageError, match=r"cannot read .*/g: No such file"):
        read_forest(tmp_path / "g", 6)
