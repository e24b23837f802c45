# ruff: noqa: F811, F401 - the fixture is imported
"""One owner of a run folder in a store."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys

import pytest

from gpucurate.checkpoint import store_owner
from gpucurate.checkpoint.process_age import identity
from gpucurate.checkpoint.s3_store import S3Store
from gpucurate.checkpoint.store_owner import StoreOwner
from gpucurate.spec.errors import OutputInUseError, StorageError
from tests.s3 import bucket

NAME = "out/_gpucurate/epochs/00000001.json"


@pytest.fixture
def store(bucket):
    return S3Store(bucket.url())


def owned_by(bucket, **owner: object) -> None:
    bucket.put(NAME, json.dumps({"host": "elsewhere", "pid": 7, "epoch": 1, "nonce": "n", **owner}).encode())


def test_a_second_owner_is_refused_and_told_who_the_first_is(store):
    first = StoreOwner(store)
    with pytest.raises(OutputInUseError, match=f"process {os.getpid()} on {socket.gethostname()}") as refused:
        StoreOwner(store)
    assert refused.value.exit_code == 4
    first.close()
    second = StoreOwner(store)
    assert (first.epoch, second.epoch) == (1, 2)
    assert second.before == first.nonce
    second.close()


def test_an_owner_of_this_machine_that_is_gone_is_followed_at_once(store, bucket):
    gone = subprocess.Popen([sys.executable, "-c", ""])
    gone.wait()
    owned_by(bucket, **{**identity(), "pid": gone.pid})
    StoreOwner(store).close()
    owned_by(bucket, **{**identity(), "ticks": 1})  # its number was given out again
    bucket.delete("out/_gpucurate/epochs/00000002.json")
    StoreOwner(store).close()


@pytest.mark.parametrize("other", [{"boot": "that of a copy of this machine"}, {"pids": 7}])
def test_an_owner_behind_the_same_name_that_cannot_be_seen_counts_while_it_was_heard_of(
    store, bucket, monkeypatch, other
):
    owned_by(bucket, **{**identity(), "pid": 2**22, **other})
    with pytest.raises(OutputInUseError, match="is being written to by another run"):
        StoreOwner(store)
    monkeypatch.setattr(store_owner, "STALE_SECONDS", -1.0)
    StoreOwner(store).close()


def test_an_owner_that_an_earlier_version_recorded_counts_while_it_was_heard_of(store, bucket, monkeypatch):
    owned_by(bucket, host=socket.gethostname(), pid=2**22, started=1.0)
    with pytest.raises(OutputInUseError, match="is being written to by another run"):
        StoreOwner(store)
    monkeypatch.setattr(store_owner, "STALE_SECONDS", -1.0)
    StoreOwner(store).close()


def test_an_owner_elsewhere_counts_while_it_was_heard_of_lately(store, bucket, monkeypatch):
    owned_by(bucket)
    with pytest.raises(OutputInUseError, match="process 7 on elsewhere"):
        StoreOwner(store)
    monkeypatch.setattr(store_owner, "STALE_SECONDS", -1.0)
    StoreOwner(store).close()


def test_an_owner_elsewhere_can_be_told_to_go(store, bucket):
    owned_by(bucket)
    StoreOwner(store, take_over=True).close()


def test_of_two_who_take_it_at_a_time_one_gets_it(store, bucket, monkeypatch):
    real = StoreOwner._take

    def late(self) -> None:
        owned_by(bucket)
        real(self)

    monkeypatch.setattr(StoreOwner, "_take", late)
    with pytest.raises(OutputInUseError, match=r"taken by another run just now \(process 7"):
        StoreOwner(store)


def test_one_who_was_followed_finds_out_before_anything_becomes_visible(store, monkeypatch):
    first = StoreOwner(store)
    second = StoreOwner(S3Store(store.url), take_over=True)
    store.check_owner = first.check
    store.write("_gpucurate/a", b"")  # it was its own a moment ago
    monkeypatch.setattr(store_owner, "RENEW_SECONDS", -1.0)  # as after a pause
    with pytest.raises(StorageError, match="was taken over by another run"):
        store.write("_gpucurate/b", b"")
    assert store.size("_gpucurate/b") is None
    first.close()
    second.close()


def test_an_owner_renews_its_object(store, bucket, monkeypatch):
    monkeypatch.setattr(store_owner, "RENEW_SECONDS", 0.02)
    owner = StoreOwner(store)
    bucket.put(NAME, b"{}")
    for _ in range(200):
        if bucket.get(NAME) != b"{}":
            break
        owner._ending.wait(0.02)
    assert json.loads(bucket.get(NAME))["pid"] == os.getpid()
    owner.close()
    assert json.loads(bucket.get(NAME))["is_over"]


def test_a_damaged_object_is_a_sentence(store, bucket):
    bucket.put(NAME, b"[")
    with pytest.raises(StorageError, match="damaged"):
        StoreOwner(store)
