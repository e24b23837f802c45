"""Grouping on a device gives the labels of the CPU, whatever memory there is and wherever keys are."""

from __future__ import annotations

import tracemalloc
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gpucurate.dedup import device_budget
from gpucurate.dedup.components import find_components
from gpucurate.dedup.device_budget import plan_device
from gpucurate.dedup.device_components import find_components_on_device
from gpucurate.dedup.forests import divide_bands, merge_forests
from gpucurate.dedup.key_file import KeyFile, KeyFileWriter, KeySet, Layout
from gpucurate.dedup.resident_keys import KeyPiece, ResidentKeys
from gpucurate.ops.union_find.cuda import HOOK_EQUAL_BYTES
from gpucurate.spec.errors import ConfigurationError
from tests.emulator.backend import Emulated

BANDS = 3
few = settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


def write_unit(path: Path, keys: np.ndarray, accepted: np.ndarray) -> None:
    """A key file in several blocks; rejected records have no keys."""
    writer = KeyFileWriter(path, Layout(keys.shape[1]))
    for at in range(0, len(keys), 23):
        ids = np.flatnonzero(accepted[at : at + 23]).astype(np.uint32)
        part = keys[at : at + 23]
        writer.append(len(part), ids, part[ids], np.ones(len(part), np.uint32))
    writer.close()


def key_set(folder: Path, rng: np.random.Generator, values: int, shift: int, common: float) -> KeySet:
    """Units of which one is empty and one could not be read; a share of all keys is one and the same."""
    paths: list[Path | None] = [None]
    sizes = [0, *rng.integers(0, 120, 2).tolist(), 0, 60]
    for number, size in enumerate(sizes[1:]):
        keys = rng.integers(0, values, (size, BANDS)).astype(np.uint64) << np.uint64(shift)
        keys[rng.random(keys.shape) < common] = np.uint64(2**63 + 1)
        paths.append(folder / f"{number}.keys")
        write_unit(folder / f"{number}.keys", keys, rng.random(size) < 0.8)
    return KeySet(paths, np.cumsum([0, *sizes], dtype=np.int64))


def pieces_of(device, path: Path) -> list[KeyPiece]:
    """The keys of a file as arrays of the device."""
    pieces = []
    with KeyFile(path) as file:
        for block in file.blocks:
            ids = np.empty(block.documents, np.uint32)
            keys = np.empty((file.layout.bands, block.documents), np.uint64)
            file.read_ids(block, ids)
            for band, row in enumerate(keys):
                file.read_keys(block, band, row)
            pieces.append(KeyPiece(device.xp.asarray(ids), device.xp.asarray(keys)))
    return pieces


def on_cpu(keys: KeySet, folder: Path, wide: bool) -> np.ndarray:
    bands = 2 if wide else BANDS
    return find_components(keys, bands, wide=wide, memory=1 << 24, threads=1, scratch=folder / "scratch")


def documents_of(keys: KeySet) -> int:
    return sum(file.documents for _, file in keys.files())


def least_memory(keys: KeySet, wide: bool) -> int:
    """The smallest budget that is not refused."""
    low, high = 0, 1 << 40
    while high - low > 1:
        middle = (low + high) // 2
        try:
            plan_device(keys.records, documents_of(keys), 1 + wide, 1, middle)
        except ConfigurationError:
            low = middle
        else:
            high = middle
    return high


@few
@given(
    seed=st.integers(0, 2**32 - 1),
    values=st.sampled_from([1, 3, 40, 2**40]),
    shift=st.sampled_from([0, 20, 56]),
    common=st.sampled_from([0, 0.1, 0.9]),
    least=st.sampled_from([4, 40]),
    spare=st.sampled_from([0, 300, 3000, 1 << 20]),
    wide=st.booleans(),
    held=st.sampled_from(["none", "some", "all"]),
)
def test_labels_are_those_of_the_cpu(
    device, tmp_path_factory, seed, values, shift, common, least, spare, wide, held
):
    folder = tmp_path_factory.mktemp("keys")
    keys = key_set(folder, np.random.default_rng(seed), values, shift, common)
    resident = ResidentKeys({"none": 0, "some": 2500, "all": 1 << 20}[held])
    for path in filter(None, keys.paths):
        resident.put(path, pieces_of(device, path))
    bands = [0, 1] if wide else list(range(BANDS))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(device_budget, "LEAST_PAIRS", least)
        labels = find_components_on_device(
            keys,
            bands,
            wide=wide,
            memory=least_memory(keys, wide) + spare,
            device=device,
            resident=resident,
        )
    assert labels.dtype == np.uint32
    assert np.array_equal(labels, on_cpu(keys, folder, wide))


@pytest.mark.parametrize("wide", [False, True])
def test_no_records_and_no_documents(device, tmp_path, wide):
    assert not len(
        find_components_on_device(
            KeySet([], np.zeros(1, np.int64)), [0, 1], wide=wide, memory=1 << 22, device=device
        )
    )
    write_unit(tmp_path / "rejected.keys", np.zeros((5, 2), np.uint64), np.zeros(5, bool))
    keys = KeySet([tmp_path / "rejected.keys"], np.array([0, 5]))
    labels = find_components_on_device(keys, [0, 1], wide=wide, memory=1 << 22, device=device)
    assert labels.tolist() == [0, 1, 2, 3, 4]


@few
@given(seed=st.integers(0, 2**32 - 1), gpus=st.integers(1, 5))
def test_bands_may_be_divided_over_devices_in_any_way(device, tmp_path_factory, seed, gpus):
    folder = tmp_path_factory.mktemp("keys")
    keys = key_set(folder, np.random.default_rng(seed), 60, 3, 0.02)
    parts = divide_bands(BANDS, gpus)
    forests = (
        find_components_on_device(keys, part, wide=False, memory=1 << 22, device=device) for part in parts
    )
    assert np.array_equal(merge_forests(forests), on_cpu(keys, folder, False))


def read_passes(device, monkeypatch, keys: KeySet, memory: int, resident: ResidentKeys | None = None) -> int:
    """How often the file of the last unit is opened for its keys."""
    opened: list[Path] = []
    init = KeyFile.__init__

    def counted(self: KeyFile, path: Path) -> None:
        opened.append(path)
        init(self, path)

    with monkeypatch.context() as patch:
        patch.setattr(KeyFile, "__init__", counted)
        find_components_on_device(
            keys, range(BANDS), wide=False, memory=memory, device=device, resident=resident
        )
    return max(0, opened.count(keys.paths[-1]) - 1)  # once for the number of documents


def test_a_pass_over_the_files_takes_as_many_bands_as_fit(device, tmp_path, monkeypatch):
    monkeypatch.setattr(device_budget, "LEAST_PAIRS", 1)
    rng = np.random.default_rng(3)
    write_unit(
        tmp_path / "u.keys", rng.integers(0, 2**64, (3000, BANDS), dtype=np.uint64), np.ones(3000, bool)
    )
    keys = KeySet([tmp_path / "u.keys"], np.array([0, 3000]))
    passes = {}
    for memory in range(least_memory(keys, False) + 100_000, 1_700_000 + 300_000, 4000):
        bands = plan_device(3000, 3000, 1, BANDS, memory)
        if bands.capacity >= 3000 and bands.together not in passes:
            passes[bands.together] = read_passes(device, monkeypatch, keys, memory)
    assert passes == {1: 3, 2: 2, 3: 1}


def test_what_is_on_the_device_is_not_read_again(device, tmp_path, monkeypatch):
    keys = key_set(tmp_path, np.random.default_rng(4), 50, 0, 0.1)
    resident = ResidentKeys(1 << 20)
    for path in filter(None, keys.paths):
        resident.put(path, pieces_of(device, path))
    for path in filter(None, keys.paths):
        path.unlink()
    labels = find_components_on_device(
        keys, range(BANDS), wide=False, memory=1 << 22, device=device, resident=resident
    )
    assert len(set(labels.tolist())) < keys.records


@pytest.mark.parametrize("wide", [False, True])
@pytest.mark.parametrize("part", [1, 3])
def test_no_more_memory_is_used_than_was_given(emulator_cache, tmp_path, monkeypatch, wide, part):
    monkeypatch.setattr(device_budget, "LEAST_PAIRS", 1)
    rng, count = np.random.default_rng(5), 30_000
    column = rng.integers(0, 2**64, (count, 2), dtype=np.uint64)
    column[::3] = column[0]
    write_unit(tmp_path / "u.keys", column, np.ones(count, bool))
    keys = KeySet([tmp_path / "u.keys"], np.array([0, count]))
    memory = least_memory(keys, wide) + (count // part) * 100
    device = Emulated(emulator_cache, multiprocessors=2)
    find_components_on_device(keys, [0, 1], wide=wide, memory=memory, device=device)  # all is compiled
    tracemalloc.start()
    try:
        find_components_on_device(keys, [0, 1], wide=wide, memory=memory, device=device)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    host = device_budget.STAGING_BYTES  # buffers of the host count too, in the emulator
    assert peak <= memory + min(host, memory // 8) + (1 << 20)


def test_too_little_memory_is_refused_with_the_numbers(device):
    with pytest.raises(
        ConfigurationError,
        match=r"1,000,000 records takes 4.00 MB of a GPU, 4 bytes each, .* gpu_memory=\d+kB "
        r"\(--gpu-memory\), but the run may use 5.00 MB",
    ):
        find_components_on_device(
            KeySet([], np.array([1_000_000])), [0], wide=False, memory=5_000_000, device=device
        )


def test_a_plan_spends_what_it_is_given_and_no_more():
    for memory in (4_100_000_000, 10**10, 6 * 10**10, 2 * 10**11):
        for words in (1, 2):
            plan = plan_device(10**9, 9 * 10**8, words, 14 // words, memory)
            assert device_budget.LEAST_PAIRS <= plan.capacity <= 9 * 10**8
            taken = plan.capacity * (4 + 8 * words * plan.together + HOOK_EQUAL_BYTES)
            most = memory - 4 * 10**9 - device_budget.COUNTING_BYTES
            assert taken <= most
            assert taken >= 0.8 * most or plan.together == 14 // words
