"""A run that another one took its folder from, and that goes on when it wakes: it leaves all as it is."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from gpucurate.checkpoint.resume import Resume
from gpucurate.checkpoint.run_folder import RunFolder
from gpucurate.spec.errors import StorageError
from gpucurate.spec.place import Url
from gpucurate.spec.unit import OutputFile

TAKEN = r"was taken over by another run \(process \d+ on .*\): this one ends"


def taken_from(folder: RunFolder) -> RunFolder:
    """The folder, as somebody has it who took it from an owner elsewhere."""
    folder.store.settle()  # else the first, whose number of a process it has, may clear its temporary files
    (folder.path / "lock").write_text(json.dumps({"host": "elsewhere", "pid": 7}))
    state = None if folder.path.name == "_gpucurate" else folder.path
    return RunFolder(folder.output, "test", {}, state, Resume(take_over=True))


def left_in(folder: Path) -> dict[str, bytes]:
    """Files that more than one owner writes: journals have the number of theirs."""
    files = [path for path in sorted(folder.rglob("*")) if path.is_file()]
    return {str(path): path.read_bytes() for path in files if path.parent.name not in ("events", "decisions")}


def publish(folder: RunFolder) -> None:
    attempt = folder.attempts / "attempt"
    attempt.parent.mkdir(parents=True, exist_ok=True)
    attempt.write_bytes(b"of the first")
    try:
        folder.store.publish([OutputFile("a.jsonl", str(attempt), 1, 12, "")])
    finally:
        attempt.unlink(missing_ok=True)
        attempt.parent.rmdir()


def record(folder: RunFolder) -> None:
    folder.log.append({"k": "done", "phase": "main", "unit": "u", "files": []})
    folder.log.flush()


def write_later(folder: RunFolder) -> None:
    folder.write_json_later("phases/main.json", {"by": "the first"})
    folder.store.settle()


WAYS = {
    "publish": publish,
    "record": record,
    "write": lambda folder: folder.write_json("report.json", {"by": "the first"}),
    "write later": write_later,
    "write reports": lambda folder: folder.write_reports({"report.json": {"by": "the first"}}),
    "write by path": lambda folder: folder.writable("clusters"),
    "remove": lambda folder: folder.remove("report.json"),
    "remove an output": lambda folder: folder.store.remove("a.jsonl"),
    "say that it is whole": lambda folder: folder.finish(),
}


@pytest.mark.parametrize("way", WAYS)
def test_it_does_nothing_more(tmp_path, way):
    with pytest.raises(StorageError, match=TAKEN), RunFolder(tmp_path / "out", "test", {}) as first:
        with taken_from(first) as second:
            (tmp_path / "out" / "a.jsonl").write_bytes(b"of the second")
            (second.path / "scratch").mkdir()
            (second.path / "scratch" / "keys").write_bytes(b"of the second")
            second.write_json("report.json", {"by": "the second"})
            second.log.append({"k": "done", "phase": "main", "unit": "v", "files": []})
        before = left_in(tmp_path)
        try:
            WAYS[way](first)
        finally:
            assert left_in(tmp_path) == before


def test_records_that_wait_when_it_ends_are_not_appended_to_the_log_of_the_other(tmp_path):
    with pytest.raises(StorageError, match=TAKEN), RunFolder(tmp_path / "out", "test", {}) as first:
        first.log.append({"k": "done", "phase": "main", "unit": "u", "files": []})
        second = taken_from(first)
    assert second.log.records == []
    second.close()
    assert (second.path / "commit.log").read_bytes() == b""


def test_what_fails_since_the_other_removed_its_attempts_is_told_as_what_it_is(tmp_path):
    with pytest.raises(StorageError, match=TAKEN) as told, RunFolder(tmp_path / "out", "test", {}) as first:
        taken_from(first).close()
        raise StorageError(f"cannot write {first.attempts}: No such file or directory")
    assert "No such file" in str(told.value.__context__)


def test_nothing_more_becomes_visible_in_a_store_whose_run_folder_lies_on_a_disk(tmp_path):
    output = Url("memory://taken/out")
    with pytest.raises(StorageError, match=TAKEN), RunFolder(output, "test", {}, tmp_path / "state") as first:
        second = taken_from(first)
        try:
            publish(first)
        finally:
            assert second.store.size("a.jsonl") is None
            second.close()


STOPPED = """
import os, runpy, signal, sys
import gpucurate.disk.crash as crash

def stop(point, wanted, *_):
    if point == wanted:
        crash.arm(None)
        print("stopped", flush=True)
        os.kill(os.getpid(), signal.SIGSTOP)

crash._count = stop
crash.arm(f"{sys.argv.pop(1)}:1:-")
runpy.run_module("gpucurate", run_name="__main__")
"""


def command(*words: object) -> subprocess.CompletedProcess[str]:
    given = [sys.executable, "-m", "gpucurate", *map(str, words)]
    return subprocess.run(given, capture_output=True, text=True, check=False)


@pytest.mark.parametrize("point", ["commit.before_group", "report.before_write", "finish.before_success"])
def test_a_run_that_was_stopped_and_wakes_after_another_one_has_finished_ends_with_a_sentence(
    tmp_path, point
):
    corpus, out = tmp_path / "in.jsonl", tmp_path / "out"
    corpus.write_text("".join(json.dumps({"text": f"text {n % 7}"}) + "\n" for n in range(50)))
    words = ("dedup", "exact", corpus, "-o", out, "-q", "--workers", "1")
    first = subprocess.Popen(
        [sys.executable, "-c", STOPPED, point, *map(str, words)], stdout=-1, stderr=-1, text=True
    )
    try:
        assert first.stdout.readline() == "stopped\n"
        (out / "_gpucurate" / "lock").write_text(json.dumps({"host": "elsewhere", "pid": first.pid}))
        refused = command(*words)
        assert (refused.returncode, "--take-over" in refused.stderr) == (4, True)
        with corpus.open("a") as file:
            file.write('{"text": "one more"}\n')
        assert command(*words, "--resume-changed", "--take-over").returncode == 0
        before = left_in(out)
    finally:
        os.kill(first.pid, signal.SIGCONT)
    _, said = first.communicate(timeout=60)
    assert first.returncode == 6
    assert said.count("\n") == 1 and "was taken over by another run" in said
    assert left_in(out) == before
    assert command("verify", out).returncode == 0
