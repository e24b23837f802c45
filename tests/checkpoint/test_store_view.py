# ruff: noqa: F811, F401 - the fixture is imported
"""``status`` and ``verify`` of runs in a store, by somebody who does not own them."""

from __future__ import annotations

import threading
import time

import orjson
import pytest

from gpucurate import InlineExecutor
from gpucurate.checkpoint.run_view import view_run
from gpucurate.checkpoint.s3_store import S3Store
from gpucurate.checkpoint.status import status
from gpucurate.checkpoint.store import LocalStore
from gpucurate.checkpoint.store_log import StoreLog
from gpucurate.checkpoint.verify import verify
from gpucurate.io.s3 import S3Bucket
from gpucurate.workflows.exact import ExactDeduplicationWorkflow
from tests.s3 import bucket

RECORDS = 40


@pytest.fixture
def corpus(tmp_path):
    folder = tmp_path / "in"
    folder.mkdir()
    for number in range(4):
        (folder / f"{number}.jsonl").write_text(
            "".join(f'{{"text": "{number} {row}"}}\n' for row in range(9))
        )
    return folder


def run(corpus, bucket):
    return ExactDeduplicationWorkflow(corpus, bucket.url(), input_blocksize=60).run(InlineExecutor())


def test_a_run_that_is_going_on_is_looked_at_without_an_error(corpus, bucket, monkeypatch):
    put, views, told = StoreLog.flush, [], []

    def look_too(log):
        put(log)
        # Of views that were made before the latest records were.
        told.extend((status(view).state, verify(view, with_input=False).findings) for view in views)
        views[:] = [view_run(bucket.url())]

    with monkeypatch.context() as patched:
        patched.setattr(StoreLog, "flush", look_too)
        run(corpus, bucket)
    assert len(told) > 3
    assert {state for state, _ in told} == {"running"}
    assert not any(findings for _, findings in told)
    assert verify(view_run(bucket.url())).exit_code == 0


def test_what_a_run_removes_when_it_ends_is_missed_by_nobody(corpus, bucket, monkeypatch):
    views = []
    put = StoreLog.flush

    def look_too(log):
        put(log)
        if not views:
            views.append(view_run(bucket.url()))
            assert not views[0].is_finished
            assert views[0].ledger

    with monkeypatch.context() as patched:
        patched.setattr(StoreLog, "flush", look_too)
        run(corpus, bucket)
    found = verify(views[0])
    assert (found.findings, found.is_finished) == ([], True)


def owner(bucket, **values):
    (key,) = bucket.names("out/_gpucurate/epochs/")
    bucket.put(key, orjson.dumps({**orjson.loads(bucket.get(key)), **values}))
    return status(view_run(bucket.url()))


def test_an_owner_that_has_given_up_or_is_gone_is_no_running_one(corpus, bucket):
    run(corpus, bucket)
    bucket.delete("out/_gpucurate/_SUCCESS")
    assert status(view_run(bucket.url())).state == "interrupted", "it said that it was over"
    assert owner(bucket, is_over=False).state == "running", "this process is there"
    assert owner(bucket, ticks=1).state == "interrupted", "another process has its number"
    assert owner(bucket, pid=2**22 + 1).state == "interrupted"
    assert owner(bucket, host="elsewhere").state == "unknown"


def test_records_are_read_many_at_a_time(bucket, monkeypatch):
    log = StoreLog(S3Store(bucket.url()), 1)
    for unit in range(RECORDS):
        log.append({"k": "done", "phase": "main", "unit": f"u{unit}", "files": []})
    log.close()
    bucket.put("out/_gpucurate/run.json", b'{"format": 2, "kind": "test", "decides": {}}')
    get, lock, under_way, most = S3Bucket.get, threading.Lock(), [0], [0]

    def slow(*given, **options):
        with lock:
            under_way[0] += 1
            most[0] = max(most[0], under_way[0])
        time.sleep(0.02)
        try:
            return get(*given, **options)
        finally:
            with lock:
                under_way[0] -= 1

    monkeypatch.setattr(S3Bucket, "get", slow)
    assert len(view_run(bucket.url()).ledger.standing("main")) == RECORDS
    assert most[0] > 8


def test_a_file_that_vanishes_while_a_folder_is_walked_is_not_there(tmp_path):
    for number in range(9):
        (tmp_path / "out" / f"{number}").mkdir(parents=True)
        (tmp_path / "out" / f"{number}" / "file").write_bytes(b"x")
    (tmp_path / "out" / "a").write_bytes(b"")
    (tmp_path / "out" / "b").write_bytes(b"")
    entries = LocalStore(tmp_path / "out", tmp_path / "state").entries()
    first, _ = next(entries)
    (tmp_path / "out" / ("a" if first == "b" else "b")).unlink()
    assert len(list(entries)) == 9


def test_who_asks_for_the_run_folder_does_not_walk_the_output(tmp_path):
    state = tmp_path / "out" / "_gpucurate"
    for name in ("phases/keys.json", "phases/.x.tmp", "attempts/1/a", "run.json"):
        (state / name).parent.mkdir(parents=True, exist_ok=True)
        (state / name).write_bytes(b"1")
    (tmp_path / "out" / "phases").mkdir()
    (tmp_path / "out" / "phases" / "of mine").write_bytes(b"12")
    store = LocalStore(tmp_path / "out", state)
    walked = []
    store._below = lambda root, *given: walked.append(root) or LocalStore._below(store, root, *given)
    assert sorted(store.entries("_gpucurate/phases/")) == [
        ("_gpucurate/phases/.x.tmp", 1),
        ("_gpucurate/phases/keys.json", 1),
    ]
    assert walked == [state]
    assert dict(store.contents("_gpucurate/run.json")) == {"_gpucurate/run.json": b"1"}
    assert sorted(store.entries("phases/")) == [("phases/of mine", 2)]
    assert len(list(store.entries())) == 5
