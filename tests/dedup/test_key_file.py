"""Key files: what is written is read, by band, by block; what is broken is refused."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from gpucurate.dedup.key_file import KeyFile, KeyFileWriter, KeySet, Layout
from gpucurate.spec.errors import StorageError


def write(path: Path, pieces: list[tuple[int, list[int], list[list[int]]]], bands: int = 2) -> None:
    writer = KeyFileWriter(path, Layout(bands))
    for records, ids, keys in pieces:
        lengths = np.arange(1, records + 1, dtype=np.uint32)
        writer.append(
            records, np.array(ids, np.uint32), np.array(keys, np.uint64).reshape(-1, bands), lengths
        )
    assert writer.close() == path.stat().st_size


def test_ids_count_on_from_block_to_block_and_bands_are_read_apart(tmp_path: Path) -> None:
    write(tmp_path / "k", [(3, [0, 2], [[10, 20], [11, 21]]), (2, [1], [[12, 22]])])
    with KeyFile(tmp_path / "k") as file:
        assert (file.layout.bands, file.records, file.documents) == (2, 5, 3)
        ids, second = [], []
        for block in file.blocks:
            out, keys = np.empty(block.documents, np.uint32), np.empty(block.documents, np.uint64)
            file.read_ids(block, out)
            file.read_keys(block, 1, keys)
            ids += out.tolist()
            second += keys.tolist()
        assert ids == [0, 2, 4]
        assert second == [20, 21, 22]
        assert [(first, lengths.tolist()) for first, lengths in file.lengths()] == [
            (0, [1, 2, 3]),
            (3, [1, 2]),
        ]


def test_a_unit_without_documents_has_records_all_the_same(tmp_path: Path) -> None:
    write(tmp_path / "k", [(4, [], [])])
    with KeyFile(tmp_path / "k") as file:
        assert (file.records, file.documents) == (4, 0)


@pytest.mark.parametrize("keep", [0, 1, 20, -1])
def test_a_file_that_was_cut_short_is_refused(tmp_path: Path, keep: int) -> None:
    write(tmp_path / "k", [(3, [0], [[1, 2]])])
    whole = (tmp_path / "k").read_bytes()
    (tmp_path / "cut").write_bytes(whole[:keep])
    with pytest.raises(StorageError, match="not a whole key file"):
        KeyFile(tmp_path / "cut")


@pytest.mark.parametrize("at", [-9, -16, -17, -60])
def test_a_file_whose_index_is_damaged_is_refused(tmp_path: Path, at: int) -> None:
    write(tmp_path / "k", [(3, [0], [[1, 2]])])
    content = bytearray((tmp_path / "k").read_bytes())
    content[at] ^= 0xFF
    (tmp_path / "k").write_bytes(content)
    with pytest.raises(StorageError, match="not a whole key file"):
        KeyFile(tmp_path / "k")


def test_a_unit_that_could_not_be_read_is_passed_over(tmp_path: Path) -> None:
    write(tmp_path / "b", [(2, [0, 1], [[1, 2], [3, 4]])])
    keys = KeySet([None, tmp_path / "b"], np.array([0, 0, 2], np.int64))
    assert keys.records == 2
    assert [base for base, _ in keys.files()] == [0]


def test_a_full_disk_is_told_once_and_the_file_can_be_given_up() -> None:
    writer = KeyFileWriter(Path("/dev/full"), Layout(1))
    no_ids, no_keys = np.zeros(0, np.uint32), np.zeros((0, 1), np.uint64)
    writer.append(1, no_ids, no_keys, np.ones(1, np.uint32))
    with pytest.raises(StorageError, match="cannot write /dev/full: No space left on device"):
        writer.append(1 << 19, no_ids, no_keys, np.zeros(1 << 19, np.uint32))
    writer.abandon()
