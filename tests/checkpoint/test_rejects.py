from __future__ import annotations

from pathlib import Path

import pytest

from gpucurate.checkpoint.rejects import RejectWriter, number_rows, read_rejects
from gpucurate.spec.errors import StorageError
from gpucurate.spec.reject import Reject


def reject(line):
    return Reject("bad_json", line, 7, "not JSON", b"\xffx" + b"y" * 300)


def test_rows_are_counted_from_the_start_of_the_file(tmp_path):
    writer = RejectWriter(tmp_path / "part")
    for ordinal, line in ((0, 3), (1, 0), (1, None)):
        writer.write("ü.jsonl", ordinal, reject(line))
    assert writer.close() == (tmp_path / "part").stat().st_size
    number_rows(tmp_path / "part", tmp_path / "rejects" / "part", {("ü.jsonl", 0): 0, ("ü.jsonl", 1): 10})
    found = list(read_rejects(tmp_path / "rejects" / "part"))
    assert [(entry["row"], entry["line"]) for entry in found] == [(3, 4), (10, 11), (None, None)]
    assert {entry["path"] for entry in found} == {"ü.jsonl"}
    assert found[0]["snippet"] == "\\xffx" + "y" * 198


def test_what_a_kill_leaves_lies_where_it_goes_at_the_end_of_the_run(tmp_path):
    part, final = tmp_path / "scratch" / "part", tmp_path / "rejects" / "part"
    part.parent.mkdir()
    writer = RejectWriter(part)
    writer.write("a", 0, reject(0))
    writer.close()
    with pytest.raises(KeyError):
        number_rows(part, final, {})
    assert list(final.parent.iterdir()) == []
    assert sorted(path.name for path in part.parent.iterdir()) == [".part.tmp", "part"]


def test_without_a_reject_there_is_no_file(tmp_path):
    assert RejectWriter(tmp_path / "part").close() == 0
    assert not (tmp_path / "part").exists()


def test_a_full_disk_is_told_once_and_the_file_can_be_given_up():
    writer = RejectWriter(Path("/dev/full"))
    writer.write("ü.jsonl", 0, reject(0))
    with pytest.raises(StorageError, match="cannot write /dev/full: No space left on device"):
        writer.close()
    writer.abandon()
