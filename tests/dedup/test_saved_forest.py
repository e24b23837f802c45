"""A grouping that is killed goes on from the bands that were joined."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from gpucurate.dedup import components
from gpucurate.dedup.components import find_components
from gpucurate.dedup.key_file import KeyFileWriter, KeySet, Layout
from gpucurate.dedup.saved_forest import SavedForest

RECORDS, BANDS = 3000, 6


@pytest.fixture
def keys(tmp_path: Path) -> KeySet:
    rng = np.random.default_rng(3)
    values = rng.integers(0, 2500, (RECORDS, BANDS), dtype=np.uint64)
    writer = KeyFileWriter(tmp_path / "a.keys", Layout(BANDS))
    writer.append(RECORDS, np.arange(RECORDS, dtype=np.uint32), values, np.ones(RECORDS, np.uint32))
    writer.close()
    return KeySet([tmp_path / "a.keys"], np.array([0, RECORDS]))


def group(keys: KeySet, scratch: Path, saved: SavedForest | None) -> Any:
    return find_components(
        keys, BANDS, wide=False, memory=1 << 28, threads=1, scratch=scratch / "group", saved=saved
    )


class Killed(Exception):
    pass


@pytest.mark.parametrize("after", range(1, BANDS))
def test_only_the_bands_that_were_not_saved_are_joined_again(
    keys: KeySet, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, after: int
) -> None:
    wanted = group(keys, tmp_path, None)
    path, joined, real = tmp_path / "forest", [], components._Grouping.join

    def join(self: Any, bands: Any) -> None:
        if len(joined) == after:
            raise Killed
        joined.append(bands)
        real(self, bands)

    with monkeypatch.context() as patched:
        patched.setattr(components._Grouping, "join", join)
        with pytest.raises(Killed):
            group(keys, tmp_path, SavedForest(path, every=0, worth=0))
        assert len(joined) == after
        done = SavedForest(path).load(RECORDS)
        assert done is not None
        assert len(done[1]) == after
        joined, after = [], BANDS
        assert np.array_equal(group(keys, tmp_path, SavedForest(path, every=0, worth=0)), wanted)
        assert len(joined) == BANDS - len(done[1])


def test_of_other_records_nothing_is_taken_up(tmp_path: Path) -> None:
    saved = SavedForest(tmp_path / "forest")
    assert saved.load(10) is None
    saved.save(np.arange(10, dtype=np.uint32), {1, 0})
    assert saved.load(11) is None
    found = saved.load(10)
    assert found is not None
    assert (found[0].tolist(), found[1]) == (list(range(10)), {0, 1})


def test_what_is_soon_done_again_is_not_saved(keys: KeySet, tmp_path: Path) -> None:
    group(keys, tmp_path, SavedForest(tmp_path / "forest"))
    assert not (tmp_path / "forest").exists()


def _cut(content: bytes) -> bytes:
    return content[:-4]


def _flipped(content: bytes) -> bytes:
    return content[:-3] + bytes([content[-3] ^ 1]) + content[-2:]


def _headless(content: bytes) -> bytes:
    return b"{" + content[5:]


def _of_another_shape(content: bytes) -> bytes:
    return b'{"records":3000,"joined":7,"checksum":"0"}\n' + content.split(b"\n", 1)[1]


def _of_before_checksums(content: bytes) -> bytes:
    return b'{"records":3000,"joined":[0]}\n' + content.split(b"\n", 1)[1]


DAMAGE = [_cut, _flipped, _headless, _of_another_shape, _of_before_checksums, lambda content: b""]


@pytest.mark.parametrize("damage", DAMAGE)
def test_a_saving_that_is_damaged_counts_as_none(keys: KeySet, tmp_path: Path, damage: Any) -> None:
    wanted, path = group(keys, tmp_path, None), tmp_path / "forest"
    group(keys, tmp_path, SavedForest(path, every=0, worth=0))
    assert SavedForest(path).load(RECORDS) is not None
    path.write_bytes(damage(path.read_bytes()))
    assert SavedForest(path).load(RECORDS) is None
    assert np.array_equal(group(keys, tmp_path, SavedForest(path, every=0, worth=0)), wanted)
    assert SavedForest(path).load(RECORDS) is not None


def test_what_a_saving_that_was_killed_has_left_is_removed(tmp_path: Path) -> None:
    (tmp_path / ".forest.4711.tmp").write_bytes(b"half of it")
    assert SavedForest(tmp_path / "forest").load(10) is None
    assert not list(tmp_path.iterdir())
