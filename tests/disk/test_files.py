"""Folders that outlast the power; what else is written is looked at by tests/chaos/test_failing_disk.py."""

import os
import stat
from pathlib import Path

import pytest

from gpucurate.disk import files
from gpucurate.spec.errors import StorageError


def test_each_folder_that_has_a_new_name_is_synced_and_no_other(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    synced: list[Path] = []
    monkeypatch.setattr(files, "fsync_folder", synced.append)
    files.make_folder(tmp_path / "a" / "b", mode=0o700)
    assert sorted(synced) == [tmp_path, tmp_path / "a"]
    assert stat.S_IMODE((tmp_path / "a" / "b").stat().st_mode) == 0o700
    files.make_folder(tmp_path / "a" / "b")
    assert len(synced) == 2


@pytest.mark.skipif(os.geteuid() == 0, reason="root may open every folder")
def test_a_folder_that_may_be_written_to_and_not_read_can_hold_another(tmp_path: Path) -> None:
    (tmp_path / "letterbox").mkdir(mode=0o300)
    files.make_folder(tmp_path / "letterbox" / "a")
    (tmp_path / "letterbox").chmod(0o700)
    assert (tmp_path / "letterbox" / "a").is_dir()


def test_a_file_in_the_way_is_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(StorageError, match=r"cannot write .*/file/a/b: Not a directory"):
        files.make_folder(tmp_path / "file" / "a" / "b")
