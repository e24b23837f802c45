# ruff: noqa: F811, F401 - the fixture is imported
"""A store that is busy, far away, or changes: what passes is tried again, what does not is a sentence."""

from __future__ import annotations

import itertools

import pytest

from gpucurate.checkpoint.s3_store import S3Store
from gpucurate.checkpoint.store_log import StoreLog
from gpucurate.io import retrying, source
from gpucurate.io.listing import list_input
from gpucurate.io.retrying import GaveUpError, is_transient, retried
from gpucurate.io.source import open_source
from gpucurate.spec.errors import InputError, StorageError
from gpucurate.spec.unit import OutputFile
from tests.faults import FaultyStore
from tests.s3 import address, bucket, point_to

CONTENT = bytes(range(256)) * 4096


@pytest.fixture
def store(bucket, monkeypatch):
    monkeypatch.setattr(retrying, "FIRST_WAIT", 0.002)
    faulty = FaultyStore(address())
    point_to(monkeypatch, faulty.address)
    yield faulty
    faulty.close()


def every_other(*faults):
    """Each first try of the same request goes wrong, in turn."""
    kinds, seen = itertools.cycle(faults), set()

    def fault(method, path, headers):
        key = (method, path, headers.get("Range"))
        if key in seen:
            return None
        seen.add(key)
        return next(kinds)

    return fault


def read(url: str) -> bytes:
    (file,) = list_input([url], format="jsonl").files
    with open_source(file) as opened:
        return opened.read(0, file.size)


def test_an_object_is_read_whole_though_each_request_goes_wrong_once(bucket, store, monkeypatch):
    monkeypatch.setattr(source, "RANGE_BYTES", 1 << 17)
    bucket.put("in/a.jsonl", CONTENT)
    store.fault = every_other(503, "reset", "cut", 500)
    assert read(bucket.url("in/a.jsonl")) == CONTENT
    ranges = {asked for method, path, asked in store.asked if asked}
    assert len(ranges) == len(CONTENT) >> 17, "large reads are several requests"


def test_a_store_that_stays_busy_is_given_up_with_its_last_words(bucket, store):
    bucket.put("in/a.jsonl", CONTENT)
    (file,) = list_input([bucket.url("in/a.jsonl")]).files
    opened = open_source(file)
    store.asked.clear()
    store.fault = lambda *_: 503
    with pytest.raises(InputError, match=r"reduce your request rate.*the last of 5 tries"):
        opened.read(0, 10)
    assert len(store.asked) == 5


@pytest.mark.parametrize(("status", "tries"), [(403, 1), (404, 3)])
def test_what_does_not_pass_is_not_tried_again(bucket, store, status, tries):
    bucket.put("in/a.jsonl", CONTENT)
    (file,) = list_input([bucket.url("in/a.jsonl")]).files
    opened = open_source(file)
    store.asked.clear()
    store.fault = lambda *_: status
    with pytest.raises(InputError):
        opened.read(0, 10)
    assert len(store.asked) == tries, "what was listed a moment ago may not be known everywhere yet"


def test_what_is_not_known_everywhere_yet_is_read_a_moment_later(bucket, store):
    bucket.put("in/a.jsonl", CONTENT)
    store.fault = lambda method, path, headers: (
        404 if headers.get("Range") and sum(1 for each in store.asked if each[2]) == 1 else None
    )
    assert read(bucket.url("in/a.jsonl")) == CONTENT


def test_an_object_that_changes_between_two_reads_is_an_error(bucket, store):
    bucket.put("in/a.jsonl", CONTENT)
    (file,) = list_input([bucket.url("in/a.jsonl")]).files
    opened = open_source(file)
    assert opened.read(0, 4) == CONTENT[:4]
    bucket.put("in/a.jsonl", CONTENT[::-1])  # as long as before
    with pytest.raises(InputError, match="changed while it was read: its entity tag"):
        opened.read(4, 8)


def test_outputs_and_records_are_written_once_though_answers_are_lost(bucket, store, tmp_path):
    path = tmp_path / "attempt"
    path.write_bytes(CONTENT)
    outputs = S3Store(bucket.url())
    log = StoreLog(outputs, 1)
    store.fault = every_other("lost", "reset", 503)
    outputs.publish([outputs.upload(OutputFile("a", str(path), 1, len(CONTENT), ""))])
    assert outputs.create("_gpucurate/x", b"1") or outputs.read_whole("_gpucurate/x") in (b"1", None)
    log.append({"k": "done", "phase": "p", "unit": "u"})
    log.close()
    assert bucket.get("out/a") == CONTENT
    assert bucket.names("out/_gpucurate/records") == ["out/_gpucurate/records/p/u.json"]


def test_a_store_that_takes_nothing_is_a_storage_error(bucket, store):
    outputs = S3Store(bucket.url())
    store.fault = lambda method, *_: 503 if method == "PUT" else None
    with pytest.raises(StorageError, match=r"cannot write s3://.*/x: .*the last of 5 tries"):
        outputs.write("x", b"1")


def test_no_try_is_begun_after_the_longest_time(monkeypatch):
    monkeypatch.setattr(retrying, "MOST_SECONDS", 0.0)
    tries = []
    with pytest.raises(GaveUpError, match="the last of 1 tries"):
        retried(lambda: tries.append(1) or _raise(ConnectionResetError(104, "reset")))
    assert len(tries) == 1


@pytest.mark.parametrize(
    ("error", "passes"),
    [
        (TimeoutError(), True),
        (ConnectionResetError(), True),
        (OSError(16, "busy"), True),
        (FileNotFoundError(), False),
        (PermissionError(), False),
        (OSError(28, "full"), False),
        (ValueError(), False),
    ],
)
def test_errors_pass_or_do_not(error, passes):
    assert is_transient(error) is passes


def _raise(error):
    raise error
