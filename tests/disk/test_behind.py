"""What is done behind its owner: in order, waited for by what relies on it, or said to have failed."""

import os
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from gpucurate.disk.behind import Behind
from gpucurate.spec.errors import StorageError


@pytest.fixture
def behind() -> Iterator[Behind]:
    behind = Behind()
    yield behind
    behind.close()


def test_its_owner_goes_on_and_waits_where_it_wants_to(behind: Behind) -> None:
    may_go_on, done = threading.Event(), list[int]()
    behind.later(lambda: (may_go_on.wait(10), done.append(1))[1])
    behind.later(lambda: done.append(2))
    assert done == []
    may_go_on.set()
    behind.settle()
    assert done == [1, 2]


def test_what_was_given_after_a_failure_is_not_done_and_every_wait_tells(
    behind: Behind, tmp_path: Path
) -> None:
    done = list[int]()
    behind.later(lambda: done.append(1))
    behind.sync_folder(tmp_path / "gone")
    behind.later(lambda: done.append(2))
    for _ in range(2):
        with pytest.raises(StorageError, match=r"cannot write .*gone: No such file"):
            behind.settle()
    behind.later(lambda: done.append(3))
    with pytest.raises(StorageError):
        behind.settle()
    assert done == [1]


def test_where_nothing_was_given_there_is_no_thread_and_nothing_to_wait_for() -> None:
    threads = threading.active_count()
    behind = Behind()
    behind.settle()
    behind.close()
    assert threading.active_count() == threads


def test_the_names_of_a_folder_are_synced_there(behind: Behind, tmp_path: Path, monkeypatch) -> None:
    synced = list[tuple[str, bool]]()
    real = os.fsync

    def fsync(descriptor: int) -> None:
        is_main = threading.current_thread() is threading.main_thread()
        synced.append((os.readlink(f"/proc/self/fd/{descriptor}"), is_main))
        real(descriptor)

    monkeypatch.setattr(os, "fsync", fsync)
    behind.sync_folder(tmp_path)
    behind.settle()
    assert synced == [(str(tmp_path), False)]
