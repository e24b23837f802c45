"""Every exit code, by a command that ends with it; the table is that of the reference."""

from __future__ import annotations

import importlib.util
import json
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from gpucurate.checkpoint.log import read_log
from gpucurate.cli.app import run

DEDUP = ["dedup", "exact", "data", "-o", "out", "--executor", "inline"]


@pytest.fixture(autouse=True)
def data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Three files of one unit each, and what else the commands ask for."""
    monkeypatch.chdir(tmp_path)
    sys.modules.pop("odd", None)  # of another test's folder
    Path("data").mkdir()
    for number in range(3):
        lines = [json.dumps({"text": f"{number} {i % 3}"}) for i in range(5)]
        Path("data", f"{number}.jsonl").write_text("\n".join(lines) + "\n")
    Path("full").mkdir()
    Path("full", "note.txt").write_text("mine")
    Path("page.jsonl").write_text("<html>\n")
    Path("odd.py").write_text(
        "from gpucurate import Pipeline\n"
        "class Odd(Pipeline):\n"
        "    def outlook(self, **_):\n"
        "        raise ZeroDivisionError('what nobody thought of')\n"
        "pipeline = Odd('odd', stages=[])\n"
    )


def documented(repository: Path) -> set[int]:
    spec = importlib.util.spec_from_file_location("make_commands", repository / "docs" / "make_commands.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    rows = re.findall(r"^\| ([\d, ]+) \|", module.EXIT_CODES, re.M)
    return {int(code) for row in rows for code in row.split(",")}


TABLE = {
    0: DEDUP,
    1: ["plan", "odd.py:pipeline"],
    2: ["dedup", "exact", "data"],
    3: [*DEDUP, "--text-field", "body"],
    4: ["dedup", "exact", "data", "-o", "full"],
    5: ["dedup", "exact", "nowhere", "-o", "out"],
    6: ["dedup", "exact", "data", "-o", "/proc/nothing/here"],
    7: ["dedup", "exact", "page.jsonl", "-o", "out", "--executor", "inline"],
}

ELSEWHERE = {8, 70, 130, 141, 143}


def test_all_codes_that_are_documented_are_reached_here(repository: Path) -> None:
    assert documented(repository) == set(TABLE) | ELSEWHERE


@pytest.mark.parametrize(("code", "arguments"), TABLE.items(), ids=[str(code) for code in TABLE])
def test_a_command_ends_with(code: int, arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert run(arguments) == code
    said = capsys.readouterr().err
    assert (said == "" or code != 0) and "Traceback" not in said


@pytest.mark.parametrize("code", [1, 3, 5])
def test_debug_changes_what_is_said_and_not_the_code(code: int, capsys: pytest.CaptureFixture[str]) -> None:
    assert run([*TABLE[code], "--debug"]) == code
    assert "Traceback" in capsys.readouterr().err


def test_units_that_were_set_aside_are_8(monkeypatch: pytest.MonkeyPatch) -> None:
    """No stage of gpucurate's own fails but by a fault of its own: one is put in."""
    from gpucurate.stages.deduplication.keys import DocumentKeys

    process = DocumentKeys.process

    def faulty(self, task):  # type: ignore[no-untyped-def]
        if self.context.unit_index == 1:
            raise RuntimeError("a fault")
        return process(self, task)

    monkeypatch.setattr(DocumentKeys, "process", faulty)
    assert run([*DEDUP, "--blocksize", "10"]) == 8
    assert list(Path("out/_gpucurate/quarantine").iterdir())


def test_books_that_do_not_balance_are_70() -> None:
    import zlib

    assert run(DEDUP) == 0
    state = Path("out/_gpucurate")
    lines = []
    for record in read_log(state / "commit.log"):
        if record["phase"] == "write":
            record["books"]["kept"] += 1
        body = json.dumps(record).encode()
        lines.append(b"%08x %b\n" % (zlib.crc32(body), body))
    (state / "commit.log").write_bytes(b"".join(lines))
    (state / "_SUCCESS").unlink()
    assert run(DEDUP) == 70
    assert not (state / "_SUCCESS").exists()


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_signals_are(number: int, code: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Sent by the command to itself, once, when the first unit is final."""
    from gpucurate.telemetry.progress import TerminalProgress

    left = [number]
    monkeypatch.setattr(
        TerminalProgress, "unit_committed", lambda *_: left and signal.raise_signal(left.pop())
    )
    arguments = [*DEDUP, "--blocksize", "10"]
    assert run(arguments) == code
    assert run(arguments) == 0


def test_output_that_nobody_reads_is_141() -> None:
    command = [sys.executable, "-m", "gpucurate", "--version"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    assert process.stdout is not None
    process.stdout.close()
    _, err = process.communicate(timeout=60)
    assert process.returncode == 141, err
