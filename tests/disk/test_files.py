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


@pytest.fixture
def calls(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, str]]:
    """Names that were synced, or given."""
    found: list[tuple[str, str]] = []
    sync, move = os.fsync, os.replace

    def fsync(descriptor: int) -> None:
        sync(descriptor)
        found.append(("sync", Path(os.readlink(f"/proc/self/fd/{descriptor}")).name.split(".tmp")[0]))

    def replace(source: Path, target: Path, **options: int) -> None:
        move(source, target, **options)
        found.append(("name", Path(target).name))

    monkeypatch.setattr(os, "fsync", fsync)
    monkeypatch.setattr(os, "replace", replace)
    return found


def test_files_of_a_folder_are_synced_before_they_are_named_and_the_folder_once(
    tmp_path: Path, calls: list[tuple[str, str]]
) -> None:
    files.write_together([(tmp_path / "a", b"1"), (tmp_path / "b", b"2")])
    pid = os.getpid()
    assert calls == [
        ("sync", f".a.{pid}"), ("name", "a"), ("sync", f".b.{pid}"), ("name", "b"), ("sync", tmp_path.name),
    ]  # fmt: skip
    assert [(tmp_path / name).read_bytes() for name in "ab"] == [b"1", b"2"]


def test_an_empty_file_has_nothing_to_sync_but_its_name(tmp_path: Path, calls: list[tuple[str, str]]) -> None:
    files.write_atomic(tmp_path / "a", b"")
    assert calls == [("name", "a"), ("sync", tmp_path.name)]


def test_a_folder_that_nothing_relies_on_is_not_synced(tmp_path: Path, calls: list[tuple[str, str]]) -> None:
    files.make_passing_folder(tmp_path / "a" / "b")
    assert (tmp_path / "a" / "b").is_dir()
    assert calls == []


def test_whoever_syncs_the_folder_later_is_told_of_it_once_the_file_has_its_name(
    tmp_path: Path, calls: list[tuple[str, str]]
) -> None:
    told: list[tuple[Path, bool]] = []
    files.write_atomic(
        tmp_path / "a", b"1", sync_folder=lambda folder: told.append((folder, (folder / "a").exists()))
    )
    assert told == [(tmp_path, True)]
    assert [what for what, _ in calls] == ["sync", "name"]
