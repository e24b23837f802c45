from __future__ import annotations

import pytest

from gpucurate.checkpoint.log import GROUP_RECORDS, CommitLog, read_log
from gpucurate.spec.errors import StorageError

RECORDS = [{"k": "done", "unit": f"u{i}", "text": "é" * i} for i in range(4)]


@pytest.fixture
def log(tmp_path):
    path = tmp_path / "commit.log"
    written = CommitLog(path)
    for record in RECORDS:
        written.append(record)
    written.close()
    return path


def test_records_come_back_in_order(log):
    assert list(read_log(log)) == RECORDS


def test_a_log_torn_at_any_byte_gives_the_records_before_and_goes_on_from_there(log):
    whole = log.read_bytes()
    ends = [0, *(at + 1 for at, byte in enumerate(whole) if byte == 10)]
    for cut in range(len(whole) + 1):
        log.write_bytes(whole[:cut])
        complete = sum(end <= cut for end in ends) - 1
        opened = CommitLog(log)
        assert opened.records == RECORDS[:complete]
        opened.append({"k": "more"})
        opened.close()
        assert list(read_log(log)) == [*RECORDS[:complete], {"k": "more"}]


@pytest.mark.parametrize("junk", [b"\0" * 50, b"zzzz", b"00000000 {}\n", b"\n\n"])
def test_junk_at_the_end_is_cut_off(log, junk):
    log.write_bytes(log.read_bytes() + junk)
    assert CommitLog(log).records == RECORDS


def test_a_log_garbled_anywhere_is_cut_there_and_whoever_only_reads_it_refuses(log, caplog):
    whole = log.read_bytes()
    lines = whole.splitlines(keepends=True)
    for at in range(len(whole) - len(lines[-1]) - 1):  # without the last newline there, both are the end
        garbled = bytearray(whole)
        garbled[at] ^= 0x55
        log.write_bytes(garbled)
        with pytest.raises(StorageError, match="damaged"):
            list(read_log(log))
        before = whole[:at].count(b"\n")
        caplog.clear()
        opened = CommitLog(log)
        opened.close()
        assert opened.records == RECORDS[:before]
        assert "behind the damage do not count" in caplog.text
        assert log.read_bytes() == b"".join(lines[:before])


def test_records_are_durable_in_groups(tmp_path):
    path = tmp_path / "commit.log"
    log = CommitLog(path)
    for number in range(GROUP_RECORDS):
        log.append({"n": number})
    assert len(list(read_log(path))) == GROUP_RECORDS  # without sync() or close()
