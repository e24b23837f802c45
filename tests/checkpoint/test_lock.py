"""The lock of a run folder on a disk that machines share."""

from __future__ import annotations

import fcntl
import json
import os
import socket
import threading
from pathlib import Path

import pytest

from gpucurate.checkpoint import lock
from gpucurate.checkpoint.lock import OwnerLock
from gpucurate.checkpoint.process_age import identity
from gpucurate.spec.errors import OutputInUseError, StorageError

ELSEWHERE = {"host": "elsewhere", "pid": 7}


def say_that_it_is_of(folder: Path, **owner: object) -> None:
    (folder / "lock").write_text(json.dumps(owner))


def test_a_lock_that_another_machine_left_is_taken_over_when_that_is_asked_for(tmp_path):
    first = OwnerLock(tmp_path)
    say_that_it_is_of(tmp_path, **ELSEWHERE)
    with pytest.raises(OutputInUseError, match=r"process 7 on elsewhere.*--take-over takes it at once"):
        OwnerLock(tmp_path)
    with OwnerLock(tmp_path, take_over=True) as second:
        assert second.epoch == first.epoch + 1
        with pytest.raises(OutputInUseError):
            OwnerLock(tmp_path)
    first.close()


def test_so_is_one_of_another_machine_of_the_same_name(tmp_path):
    with OwnerLock(tmp_path):
        say_that_it_is_of(tmp_path, **{**identity(), "boot": "that of a copy of this machine"})
        with pytest.raises(OutputInUseError, match="--take-over"):
            OwnerLock(tmp_path)
        OwnerLock(tmp_path, take_over=True).close()


def test_a_process_of_this_machine_that_runs_is_never_taken_over_nor_is_that_advised(tmp_path):
    with OwnerLock(tmp_path):
        for _ in "now", "of an earlier version":
            for take_over in (False, True):
                with pytest.raises(OutputInUseError, match=r"another output$"):
                    OwnerLock(tmp_path, take_over=take_over)
            say_that_it_is_of(tmp_path, host=socket.gethostname(), pid=os.getpid())


def test_an_owner_that_was_taken_over_finds_out_and_says_by_whom(tmp_path):
    first = OwnerLock(tmp_path)
    first.check()
    say_that_it_is_of(tmp_path, **ELSEWHERE)
    with OwnerLock(tmp_path, take_over=True) as second:
        with pytest.raises(
            StorageError, match=rf"taken over by another run \(process {os.getpid()} on"
        ) as lost:
            first.check()
        assert lost.value.exit_code == 6
        second.check()
    first.close()
    with pytest.raises(StorageError, match="was taken over"):
        first.check()


def test_so_does_one_on_a_disk_that_machines_share_without_sharing_its_locks(tmp_path, monkeypatch):
    first = OwnerLock(tmp_path)
    monkeypatch.setattr(lock.fcntl, "flock", lambda *_: None)
    second = OwnerLock(tmp_path)
    with pytest.raises(StorageError, match="was taken over"):
        first.check()
    second.check()


def test_an_owner_whose_folder_was_removed_says_so(tmp_path):
    with OwnerLock(tmp_path) as owner:
        (tmp_path / "epoch").unlink()
        with pytest.raises(StorageError, match="epoch was removed while a run wrote there"):
            owner.check()


def test_a_lock_that_was_taken_over_between_opening_and_locking_it_is_not_taken(tmp_path, monkeypatch):
    held = OwnerLock(tmp_path)
    say_that_it_is_of(tmp_path, **ELSEWHERE)
    real, others = fcntl.flock, []

    def late(file, how):
        monkeypatch.setattr(lock.fcntl, "flock", real)
        others.append(OwnerLock(tmp_path, take_over=True))
        held.close()  # what was opened is free now, and has no name
        real(file, how)

    monkeypatch.setattr(lock.fcntl, "flock", late)
    with pytest.raises(OutputInUseError, match=f"process {os.getpid()} on {socket.gethostname()}"):
        OwnerLock(tmp_path)
    others[0].check()


def test_of_two_who_take_it_over_at_a_time_one_has_it(tmp_path, monkeypatch):
    held = OwnerLock(tmp_path)
    say_that_it_is_of(tmp_path, **ELSEWHERE)
    real, others = lock.write_atomic, []

    def late(path, content, **more):
        monkeypatch.setattr(lock, "write_atomic", real)
        say_that_it_is_of(tmp_path, **ELSEWHERE)
        others.append(OwnerLock(tmp_path, take_over=True))
        real(path, content, **more)

    monkeypatch.setattr(lock, "write_atomic", late)
    with pytest.raises(StorageError, match="was taken over"):
        OwnerLock(tmp_path, take_over=True)
    others[0].check()
    assert not list(tmp_path.glob(".lock*"))
    held.close()


def test_whoever_looks_at_the_lock_finds_an_owner_while_owners_change(tmp_path):
    OwnerLock(tmp_path).close()
    seen, ending = [], threading.Event()

    def look() -> None:
        while not ending.is_set():
            seen.append((tmp_path / "lock").read_bytes())

    looking = threading.Thread(target=look)
    looking.start()
    for _ in range(100):
        OwnerLock(tmp_path).close()
    ending.set()
    looking.join()
    assert len(seen) > 100
    assert all(json.loads(content)["pid"] == os.getpid() for content in set(seen))


def test_an_owner_replaces_all_that_another_one_said(tmp_path):
    say_that_it_is_of(tmp_path, **ELSEWHERE, more="x" * 5000)
    with OwnerLock(tmp_path):
        assert json.loads((tmp_path / "lock").read_bytes())["host"] == socket.gethostname()
