"""Files of JSON lines that grow while a run is going on."""

from __future__ import annotations

import json
import time

from gpucurate.checkpoint.journal import Journal


def lines_of(path):
    return [json.loads(line) for line in path.read_bytes().splitlines()]


def test_a_kill_loses_the_last_second_at_most(tmp_path):
    path = tmp_path / "events" / "main-001.jsonl"
    journal = Journal(path)
    journal.write("made of")
    assert lines_of(path) == ["made of"], "without it the rest would be of no use"
    journal.write("first")
    time.sleep(1.1)
    journal.write("second")
    assert lines_of(path) == ["made of", "first", "second"]
    journal.write("third")
    journal.close()
    assert lines_of(path)[-1] == "third"
