"""What ``verify`` and ``status`` tell of runs that are whole, damaged, changed, or not over."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import orjson
import pytest

from gpucurate import InlineExecutor
from gpucurate.checkpoint.ledger import Ledger
from gpucurate.checkpoint.run_view import view_run
from gpucurate.checkpoint.status import pace, status
from gpucurate.checkpoint.verified import Verified
from gpucurate.checkpoint.verify import verify
from gpucurate.cli.app import run as command
from gpucurate.spec.errors import InputError
from gpucurate.workflows.deduplication import DeduplicationWorkflow
from gpucurate.workflows.exact import ExactDeduplicationWorkflow


@pytest.fixture
def output(corpus: Path, tmp_path: Path) -> Path:
    workflow(corpus, tmp_path / "out").run(InlineExecutor())
    return tmp_path / "out"


def workflow(corpus: Path, output: Path, **options: Any) -> ExactDeduplicationWorkflow:
    return ExactDeduplicationWorkflow(corpus, output, input_blocksize=200, max_reject_rate=0.5, **options)


def told(output: Path) -> tuple[int, list[str]]:
    found = verify(view_run(output))
    return found.exit_code, [f"{finding.kind} {finding.name}: {finding.what}" for finding in found.findings]


def garble(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[5] ^= 1
    status = path.stat()
    path.write_bytes(content)
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))


def test_a_whole_run_is_found_whole(output: Path, corpus: Path) -> None:
    found = verify(view_run(output))
    assert (found.exit_code, found.findings, found.extra, found.notes) == (0, [], [], [])
    report = json.loads((output / "_gpucurate" / "report.json").read_text())
    assert found.rows == report["books"]["kept"] == 9
    assert (found.files, found.rejects, found.inputs) == (report["output_files"], 3, 3)
    assert found.input_bytes == sum(path.stat().st_size for path in corpus.iterdir())
    assert found.is_finished
    assert all(done == units for done, units in found.phases.values())


def test_half_a_file_of_rejects_that_an_earlier_version_left_does_not_count(output: Path) -> None:
    rejects = output / "_gpucurate" / "rejects"
    whole = min(rejects.iterdir())
    (rejects / f".{whole.name}.tmp").write_bytes(whole.read_bytes())
    assert told(output) == (0, [])


def test_rejects_of_a_run_that_was_killed_while_it_numbered_them_go_with_what_they_were_of(
    corpus: Path, tmp_path: Path
) -> None:
    out, count = tmp_path / "out", tmp_path / "count"
    given = ["dedup", "exact", str(corpus), "-o", str(out), "--max-reject-rate", "1", "--quiet"]
    kill = {"GPUCURATE_CRASH": f"rejects.before_rename:1:{count}"}
    killed = subprocess.run(
        [sys.executable, "-m", "gpucurate", *given],
        check=False,
        env={**os.environ, **kill},
        capture_output=True,
    )
    assert killed.returncode == -signal.SIGKILL
    for path in corpus.iterdir():
        path.write_text(path.read_text().replace("{broken", '{"text": "mended"}'))
    assert command([*given, "--resume-changed"]) == 0
    assert told(out) == (0, [])
    assert list((out / "_gpucurate" / "rejects").iterdir()) == []


def first_output(output: Path) -> Path:
    return min(path for path in output.glob("*.jsonl") if path.stat().st_size > 10)


HARM: dict[str, tuple[Callable[[Path, Path], Any], int, str]] = {
    "missing": (lambda out, _: first_output(out).unlink(), 6, "it is missing"),
    "cut": (lambda out, _: os.truncate(first_output(out), 3), 6, "it has 3 bytes, and was written with"),
    "garbled": (lambda out, _: garble(first_output(out)), 6, "its bytes are not those that were written"),
    "input garbled": (lambda _, corpus: garble(corpus / "1.jsonl"), 5, "its bytes 0 to 200 are not those"),
    "input gone": (lambda _, corpus: (corpus / "1.jsonl").unlink(), 5, "vanished"),
    "input grown": (lambda _, corpus: (corpus / "1.jsonl").open("a").write("x"), 5, "listed with"),
    "rejects gone": (
        lambda out, _: next((out / "_gpucurate" / "rejects").iterdir()).unlink(),
        70,
        "rejects/ has {'bad_json': 2}, the books {'bad_json': 3}",
    ),
}


@pytest.mark.parametrize("name", HARM)
def test_what_was_done_to_a_run_is_found_and_told(name: str, output: Path, corpus: Path) -> None:
    harm, code, sentence = HARM[name]
    harm(output, corpus)
    exit_code, sentences = told(output)
    assert exit_code == code
    assert len(sentences) == 1 + (name == "rejects gone"), "those are in the list of _SUCCESS too"
    assert sentence in sentences[-1]


def test_books_that_do_not_balance_are_the_worst(output: Path) -> None:
    first_output(output).unlink()
    report = output / "_gpucurate" / "report.json"
    values = json.loads(report.read_text())
    values["books"]["kept"] += 1
    report.write_text(json.dumps(values))
    code, sentences = told(output)
    assert code == 70
    assert any("10 documents kept, and 9 by its units" in sentence for sentence in sentences)


def test_the_manifest_says_what_the_records_say(output: Path) -> None:
    path = output / "_gpucurate" / "manifest.json"
    manifest = json.loads(path.read_text())
    manifest["files"][0]["rows"] += 1
    del manifest["files"][1]
    path.write_text(json.dumps(manifest))
    code, sentences = told(output)
    assert code == 6
    assert any("the manifest says something else" in sentence for sentence in sentences)
    assert any("the manifest does not" in sentence for sentence in sentences)


def test_files_that_no_record_names_are_listed(output: Path) -> None:
    (output / "deep").mkdir()
    (output / "deep" / "notes.txt").write_text("of mine")
    found = verify(view_run(output))
    assert (found.extra, found.exit_code) == (["deep/notes.txt"], 0)


def test_an_input_that_was_copied_is_the_same(output: Path, corpus: Path) -> None:
    os.utime(corpus / "1.jsonl", ns=(1, 1))
    found = verify(view_run(output))
    assert found.exit_code == 0
    assert found.notes == ["1.jsonl: it was written to since, and what was read of it is the same"]


def test_without_the_input_nothing_of_it_is_opened(output: Path, corpus: Path) -> None:
    (corpus / "1.jsonl").unlink()
    assert verify(view_run(output), with_input=False).exit_code == 0


class Stop(Exception):
    pass


@pytest.fixture
def stopped(corpus: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A run that was ended after its first pass."""

    def stop(*_: Any) -> None:
        raise Stop

    with monkeypatch.context() as patched:
        patched.setattr(DeduplicationWorkflow, "_detect", stop)
        with pytest.raises(Stop):
            workflow(corpus, tmp_path / "out").run(InlineExecutor())
    return tmp_path / "out"


def test_of_a_run_that_is_not_over_what_it_has_done_is_compared(stopped: Path) -> None:
    found = verify(view_run(stopped))
    assert (found.is_finished, found.exit_code, list(found.phases)) == (False, 0, ["keys"])
    next((stopped / "_gpucurate" / "scratch" / "keys").iterdir()).unlink()
    assert verify(view_run(stopped)).exit_code == 6


def test_the_command_ends_with_what_was_found(output: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert command(["verify", str(output)]) == 0
    assert "all is as it was recorded" in capsys.readouterr().out
    garble(first_output(output))
    assert command(["verify", str(output), "--json"]) == 6
    values = json.loads(capsys.readouterr().out)
    assert (values["exit_code"], values["findings"][0]["kind"]) == (6, "output")


def test_where_there_is_no_run_that_is_said(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="holds no run of gpucurate"):
        view_run(tmp_path)


def test_the_state_may_lie_elsewhere(corpus: Path, tmp_path: Path) -> None:
    out, state = tmp_path / "apart", tmp_path / "state"
    workflow(corpus, out, checkpoint_path=state).run(InlineExecutor())
    assert verify(view_run(out, state)).to_dict()["exit_code"] == 0


def test_status_says_how_far_a_run_is(stopped: Path, capsys: pytest.CaptureFixture[str]) -> None:
    found = status(view_run(stopped))
    assert found.phase is not None
    assert (found.phase.name, found.phase.is_over, found.phase.read) == ("keys", True, 39)
    assert found.phase.rejected == 3
    assert found.owner is not None
    assert found.owner.pid == os.getpid()
    assert command(["status", str(stopped)]) == 0
    assert "keys: 6 of 6 units, 39 documents, 3 rejected" in capsys.readouterr().out
    lock = stopped / "_gpucurate" / "lock"
    lock.write_bytes(orjson.dumps({**orjson.loads(lock.read_bytes()), "pid": 2**22 + 1}))
    before = {path: path.stat().st_mtime_ns for path in stopped.rglob("*")}
    assert command(["status", str(stopped), "--json", "--watch", "0.1"]) == 0
    values = json.loads(capsys.readouterr().out)
    assert (values["state"], values["phase"]) == ("interrupted", "keys")
    assert before == {path: path.stat().st_mtime_ns for path in stopped.rglob("*")}, "nothing is written"


@pytest.mark.parametrize("since", [1e300, 2**62, -5.0])
def test_status_of_a_run_that_began_at_no_time_there_is(
    stopped: Path, since: float, capsys: pytest.CaptureFixture[str]
) -> None:
    lock = stopped / "_gpucurate" / "lock"
    lock.write_bytes(orjson.dumps({**orjson.loads(lock.read_bytes()), "since": since}))
    assert command(["status", str(stopped)]) == 0
    assert "since" not in capsys.readouterr().out


@pytest.mark.parametrize("content", [b"", bytes(512)], ids=["empty", "zeros"])
def test_status_of_a_run_whose_lock_lost_its_content_with_the_power(
    stopped: Path, content: bytes, capsys: pytest.CaptureFixture[str]
) -> None:
    (stopped / "_gpucurate" / "lock").write_bytes(content)
    assert command(["status", str(stopped)]) == 0
    assert "interrupted" in capsys.readouterr().out
    found = status(view_run(stopped))
    assert found.owner is None


def test_status_of_a_finished_run(output: Path) -> None:
    found = status(view_run(output))
    assert found.state == "finished"
    assert [phase.eta_seconds for phase in found.phases] == [None, None]


def test_the_pace_is_of_the_last_minute() -> None:
    assert pace([]) is None
    assert pace([(5.0, 10)]) is None
    assert pace([(0.0, 10), (10.0, 50), (20.0, 50)]) == 5.0
    assert pace([(0.0, 10**9), (1000.0, 1), (1010.0, 40)]) == 4.0


def test_a_verified_run_without_findings_is_well() -> None:
    assert Verified("out", "test", is_finished=True).exit_code == 0


def record(unit: str, *names: str) -> dict[str, Any]:
    return {"k": "done", "phase": "main", "unit": unit, "files": [[name, 1, 1, ""] for name in names]}


def test_the_last_record_of_a_name_stands() -> None:
    ledger = Ledger([record("a", "x", "y"), record("b", "x")])
    assert list(ledger.standing("main")) == ["b"]
    assert ledger.take_lost() == ["y"]
    assert ledger.take_lost() == []


def test_what_is_gone_stands_no_more_in_whatever_order_records_come() -> None:
    gone = {"k": "gone", "phase": "main", "unit": "a", "files": [["x", 1, 1, ""], ["y", 1, 1, ""]]}
    assert Ledger([record("a", "x", "y"), gone, record("b", "x")]).take_lost() == ["y"]
    unordered = Ledger([record("b", "x"), gone])
    assert (list(unordered.standing("main")), unordered.take_lost()) == (["b"], ["y"])


def test_a_log_that_is_damaged_within_is_no_end_of_a_crash(output: Path) -> None:
    log = output / "_gpucurate" / "commit.log"
    lines = log.read_bytes().splitlines(keepends=True)
    log.write_bytes(b"".join([lines[0], b"junk\n", *lines[1:]]))
    assert command(["verify", str(output)]) == 6
