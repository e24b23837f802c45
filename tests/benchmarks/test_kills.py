"""The kill test counts what a reader of the folder would find, and finds faults where there are some."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from benchmarks.bench_kill import HEAD, row
from benchmarks.bench_overhead import more
from benchmarks.kills.folder import done_again, look
from benchmarks.kills.victim import Victim, clean_seconds, trial

SLOW = Victim("slow copy", Path(sys.executable), "tests.benchmarks.slow_copy", ("0.02",), "all again")


@pytest.fixture
def source(tmp_path):
    (tmp_path / "in").mkdir()
    for n in range(3):
        text = "".join(f'{{"id": "{n}-{i}", "text": "x"}}\n' for i in range(10))
        (tmp_path / "in" / f"{n}.jsonl").write_text(text)
    return tmp_path / "in"


def test_documents_torn_lines_and_leftovers_are_told_apart(tmp_path):
    (tmp_path / "a.jsonl").write_text('{"id": 1}\n{"id": 2}')
    (tmp_path / "b.json").write_text('{"id": 1}\n{"id": 3\n[]\n')
    for name in (".a.jsonl.tmp", "c.part", "_gpucurate/log.jsonl"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text("?")
    found = look(tmp_path)
    assert found.ids == {"1": 2, "2": 1}
    assert (found.torn_lines, found.torn_files) == (2, 1)
    assert found.leftovers == [".a.jsonl.tmp", "c.part"]
    assert list(found.by_file) == ["a.jsonl"]


def test_what_is_written_again_is_a_share_of_what_was_whole(tmp_path):
    for name, text in (("a", '{"id": 1}\n{"id": 2}\n'), ("b", '{"id": 3}\n'), ("c", '{"id": 4')):
        (tmp_path / f"{name}.jsonl").write_text(text)
    before = look(tmp_path)
    (tmp_path / "b.jsonl").write_text('{"id": 3}\n')
    (tmp_path / "c.jsonl").write_text('{"id": 4}\n')
    assert done_again(before, look(tmp_path)) == pytest.approx(1 / 3)
    assert done_again(look(tmp_path / "nothing"), before) is None


def test_a_program_that_begins_anew_is_found_to_double_and_tear(source, tmp_path):
    seconds = clean_seconds(SLOW, source, tmp_path / "kill", 1)
    wanted = set(look(source).ids)
    kept = trial(SLOW, source, tmp_path / "kill", cores=1, after=seconds * 0.6)
    assert kept.was_running
    assert kept.codes == (0,)
    assert kept.ended.ids.keys() == wanted
    found = dict(zip(HEAD, row(SLOW, [kept], seconds, wanted), strict=True))
    assert found["documents lost"] == "0"
    assert found["runs with a fault"] == "1 of 1"
    assert int(found["doubled"]) + int(found["torn lines"]) > 0


def test_a_program_that_is_over_before_it_is_killed_is_told(source, tmp_path):
    fast = Victim("fast", Path(sys.executable), "tests.benchmarks.slow_copy", ("0",), "")
    kept = trial(fast, source, tmp_path / "kill", cores=1, after=30)
    assert not kept.was_running
    assert row(fast, [kept], 1.0, set())[1] == "0 of 1"


def test_a_program_that_fails_gives_its_last_line(source, tmp_path):
    broken = Victim("broken", Path(sys.executable), "tests.benchmarks.slow_copy", ("soon",), "")
    with pytest.raises(RuntimeError, match="broken ended with 1: ValueError"):
        clean_seconds(broken, source, tmp_path / "kill", 1)


def test_pairs_come_to_the_median_of_their_ratios():
    assert more([(1.1, 1.0), (2.0, 2.0), (3.0, 2.0)]) == ["2.00", "2.00", "+10.0%", "+0.0% to +50.0%"]
