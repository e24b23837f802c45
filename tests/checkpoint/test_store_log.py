# ruff: noqa: F811, F401 - the fixture is imported
"""One object a record: put once, read back where the answer was lost."""

from __future__ import annotations

import pytest

from gpucurate.checkpoint.log import GROUP_RECORDS
from gpucurate.checkpoint.s3_store import S3Store
from gpucurate.checkpoint.store_log import StoreLog
from gpucurate.io import retrying
from gpucurate.io.s3 import S3Bucket
from gpucurate.spec.errors import StorageError
from tests.s3 import bucket


def record(unit: int, **more: object) -> dict[str, object]:
    return {"k": "done", "phase": "keys", "unit": f"u{unit:03d}", **more}


def opened(bucket, epoch: int = 1) -> StoreLog:
    return StoreLog(S3Store(bucket.url()), epoch)


def units(log: StoreLog) -> list[str]:
    return sorted(entry["unit"] for entry in log.records)


def test_records_are_there_for_the_next_owner(bucket):
    log = opened(bucket)
    for unit in range(GROUP_RECORDS + 1):
        log.append(record(unit))
    assert len(bucket.names("out/_gpucurate/records/keys/")) == GROUP_RECORDS, "in groups, without a call"
    log.close()
    again = opened(bucket)
    assert units(again) == [f"u{unit:03d}" for unit in range(GROUP_RECORDS + 1)]


def test_a_record_of_another_run_is_an_error_and_ones_own_is_none(bucket):
    first, second = opened(bucket), opened(bucket)
    first.append(record(1, seconds=1))
    first.sync()
    second.append(record(1, seconds=1))
    second.sync()  # as after an answer that was lost
    third = opened(bucket)
    first.append(record(2, seconds=1))
    first.sync()
    third.append(record(2, seconds=2))
    with pytest.raises(StorageError, match="two runs write to this output"):
        third.sync()
    assert b'"seconds":1' in bucket.get("out/_gpucurate/records/keys/u002.json")


def test_a_unit_that_is_done_again_replaces_its_record(bucket):
    opened(bucket).append(record(1))
    first = opened(bucket)
    first.append(record(1, seconds=1))
    first.close()
    again, late = opened(bucket), opened(bucket)
    again.append(record(1, seconds=2))
    again.sync()
    again.append(record(1, seconds=3))
    again.close()
    assert b'"seconds":3' in bucket.get("out/_gpucurate/records/keys/u001.json")
    late.append(record(1, seconds=4))
    with pytest.raises(StorageError, match="was written by another one"):
        late.sync()


def test_records_have_the_order_in_which_they_were_appended(bucket):
    first, second = opened(bucket), opened(bucket, 2)
    for log, unit in ((first, 9), (first, 3), (second, 7), (second, 1)):
        log.append(record(unit))
        log.sync()
    again = opened(bucket, 3)
    assert [entry["unit"] for entry in again.records] == ["u009", "u003", "u007", "u001"]
    assert again.records[0] == record(9), "and nothing else in them"


def test_a_record_that_this_owner_has_put_is_replaced_by_its_next_one(bucket):
    log = opened(bucket)
    log.append(record(1))
    log.sync()
    log.append({**record(1), "k": "gone"})
    log.close()
    assert [entry["k"] for entry in opened(bucket).records] == ["gone"]


def test_a_damaged_record_is_a_sentence(bucket):
    bucket.put("out/_gpucurate/records/keys/u1.json", b'{"k": ')
    with pytest.raises(StorageError, match=r"u1\.json is damaged"):
        opened(bucket)


def test_a_record_that_was_replaced_is_ones_own_though_the_answer_was_lost(bucket, monkeypatch):
    opened(bucket).append(record(1))
    first = opened(bucket)
    first.append(record(1))
    first.close()
    once, lost = S3Bucket._once, []

    def lossy(self, method, **wanted):
        answer = once(self, method, **wanted)
        if "IfMatch" in wanted and not lost:
            lost.append(method)
            raise ConnectionResetError("the answer is lost")
        return answer

    monkeypatch.setattr(S3Bucket, "_once", lossy)
    monkeypatch.setattr(retrying, "FIRST_WAIT", 0.01)
    again = opened(bucket, 2)
    again.append(record(1, seconds=2))
    again.sync()
    assert lost == ["put_object"]
    again.append(record(1, seconds=3))
    again.close()
    assert b'"seconds":3' in bucket.get("out/_gpucurate/records/keys/u001.json")
