# ruff: noqa: F811, F401 - the fixture is imported
"""Outputs in a store: seen all at once or not at all, and by one owner."""

from __future__ import annotations

import fsspec
import pytest

from gpucurate.checkpoint.fsspec_store import FsspecStore
from gpucurate.checkpoint.object_store import PART_BYTES
from gpucurate.checkpoint.pending import Pending
from gpucurate.checkpoint.s3_store import S3Store
from gpucurate.checkpoint.store import LocalStore
from gpucurate.io.s3 import S3Bucket
from gpucurate.spec.errors import StorageError
from gpucurate.spec.unit import OutputFile
from tests.s3 import bucket


@pytest.fixture(params=["s3", "memory"])
def store(request, tmp_path):
    mirror = LocalStore(tmp_path / "none", tmp_path / "mirror")
    if request.param == "s3":
        yield S3Store(request.getfixturevalue("bucket").url(), mirror)
        return
    yield FsspecStore("memory://out", mirror)
    memory = fsspec.filesystem("memory")
    memory.store.clear()
    memory.pseudo_dirs[:] = [""]


def attempt(tmp_path, name: str, content: bytes) -> OutputFile:
    path = tmp_path / "attempts" / "1" / name.replace("/", "-")
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    return OutputFile(name, str(path), 1, len(content), "")


def test_an_attempt_is_seen_by_nobody_until_it_is_published_and_then_it_is_whole(store, tmp_path):
    big = bytes(range(256)) * (2 * PART_BYTES // 256) + b"end"
    names = {"a.jsonl": big, "sub/ü b%.jsonl": b"x", "e": b""}
    given = [attempt(tmp_path, name, content) for name, content in names.items()]
    brought = [store.upload(output) for output in given]
    assert not [name for name, _ in store.entries() if "attempts" not in name]
    store.publish(brought)
    assert dict(store.entries()) == {"a.jsonl": len(big), "sub/ü b%.jsonl": 1, "e": 0}
    with store.open("a.jsonl") as file:
        assert file.read() == big
    assert [store.size(output.name) for output in given] == [len(big), 1, 0]
    assert not any((tmp_path / "attempts" / "1").iterdir()), "the disk of the worker is not filled"


def test_files_of_the_run_folder_are_in_the_store_and_in_the_mirror(store, tmp_path):
    output = attempt(tmp_path, "_gpucurate/scratch/keys/0", b"keys")
    store.publish([store.upload(output)])
    assert (tmp_path / "mirror" / "scratch" / "keys" / "0").read_bytes() == b"keys"
    assert dict(store.entries()) == {"_gpucurate/scratch/keys/0": 4}
    store.fetch("_gpucurate/scratch/keys/0", tmp_path / "elsewhere" / "0")
    assert (tmp_path / "elsewhere" / "0").read_bytes() == b"keys"


def test_what_a_driver_uploads_by_itself_is_the_same(store, tmp_path):
    store.publish([attempt(tmp_path, "a.jsonl", b"text")])
    assert store.read_whole("a.jsonl") == b"text"
    assert not any((tmp_path / "attempts" / "1").iterdir())


def test_a_small_file_is_created_once_and_written_often(store):
    assert store.create("x", b"1")
    assert not store.create("x", b"2")
    assert store.read_whole("x") == b"1"
    store.write("x", b"three")
    assert store.read_whole("x") == b"three"
    assert 0 <= store.age("x") < 60
    store.remove("x")
    store.remove("x")
    assert store.size("x") is None
    assert store.age("x") is None
    with pytest.raises(StorageError, match="not there"):
        store.open("x")


def test_an_attempt_that_is_given_up_leaves_nothing(store, tmp_path):
    store.abandon(store.upload(attempt(tmp_path, "a", b"1")))
    store.upload(attempt(tmp_path, "b", b"2"))
    store.end_uploads()
    assert not list(store.entries())


def test_an_upload_is_completed_once_though_the_answer_was_lost(bucket, tmp_path):
    store = S3Store(bucket.url())
    brought = store.upload(attempt(tmp_path, "a", b"text"))
    store.publish([brought])
    store.publish([brought])
    assert bucket.get("out/a") == b"text"


def test_what_a_new_owner_has_ended_an_old_one_cannot_complete(bucket, tmp_path):
    old, new = S3Store(bucket.url()), S3Store(bucket.url())
    brought = old.upload(attempt(tmp_path, "a", b"old"))
    assert bucket.pending() == ["out/a"]
    new.end_uploads()
    assert bucket.pending() == []
    with pytest.raises(StorageError, match="another run has taken this output over"):
        old.publish([brought])
    new.publish([new.upload(attempt(tmp_path, "a", b"new"))])
    with pytest.raises(StorageError, match="another run has taken this output over"):
        old.publish([brought])
    assert bucket.get("out/a") == b"new"


def test_uploads_to_other_outputs_are_left_alone(bucket, tmp_path):
    S3Store(bucket.url("out-2")).upload(attempt(tmp_path, "a", b"1"))
    S3Store(bucket.url("out")).end_uploads()
    assert bucket.pending() == ["out-2/a"]


def test_a_file_that_cannot_be_read_leaves_no_upload(bucket, tmp_path):
    with pytest.raises(StorageError, match="cannot read"):
        S3Store(bucket.url()).upload(OutputFile("a", str(tmp_path / "none"), 0, 5, ""))
    assert bucket.pending() == []


def test_a_name_that_is_no_text_is_refused(bucket, tmp_path):
    with pytest.raises(StorageError, match="not UTF-8"):
        S3Store(bucket.url()).write("\udcff", b"")


def test_what_a_worker_tells_of_an_upload_survives_its_way():
    pending = Pending("/a/b", "id", ('"e"',), "w")
    output = pending.entered(OutputFile("n", "/a/b", 1, 2, "c"))
    assert Pending.of(output) == pending
    assert Pending.of(OutputFile("n", "/a/b", 1, 2, "c")) is None


def test_an_object_is_replaced_by_whoever_knows_the_last_one(store):
    store.write("_gpucurate/records/u1", b"one")
    ((_, _, tag),) = store.listing("_gpucurate/records/")
    new = store.replace("_gpucurate/records/u1", b"another", tag)
    assert new not in (None, tag)
    assert store.replace("_gpucurate/records/u1", b"a third", new) not in (None, new)
    with pytest.raises(StorageError, match="was written by another one"):
        store.replace("_gpucurate/records/u1", b"too late", new)
    assert store.content("_gpucurate/records/u1") == b"a third"
    store.replace("_gpucurate/records/u1", b"a third", tag)  # it is there already


def test_a_refused_upload_blames_the_store_and_sends_no_more(bucket, tmp_path, monkeypatch):
    tried = []

    def refuse(self, key, upload, number, body):
        tried.append(number)
        if number == 1:
            raise PermissionError("Access Denied")
        return "tag"

    monkeypatch.setattr(S3Bucket, "put_part", refuse)
    path = tmp_path / "big"
    with path.open("wb") as file:
        file.truncate(40 * PART_BYTES)
    with pytest.raises(StorageError, match=r"cannot write s3://.*/out/big: Access Denied"):
        S3Store(bucket.url()).upload(OutputFile("big", str(path), 0, 40 * PART_BYTES, ""))
    assert len(tried) < 30
    path.unlink()
    with pytest.raises(StorageError, match=r"cannot read .*/big: No such file"):
        S3Store(bucket.url()).upload(OutputFile("big", str(path), 0, 40 * PART_BYTES, ""))
    assert bucket.pending() == []
