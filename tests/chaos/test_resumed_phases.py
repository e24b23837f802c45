"""Deduplications killed in a phase: what was recorded is not done again, nor is a phase that was over."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

WORKERS, UNITS = 2, 24

COMMAND = """
import sys
import gpucurate.checkpoint.phase as phase
phase.SYNC_SECONDS = 0.0
from gpucurate.cli.app import main
main()
"""

POINTS = {"record.after_fsync:3": range(3, UNITS + 1), "publish.after_rename:35": range(UNITS, UNITS + 1)}
"""Where a run is killed, and how many units have keys by then."""


def dedup(corpus: Path, output: Path, crash: str = "") -> int:
    environment = {**os.environ}
    if crash:
        environment["GPUCURATE_CRASH"] = f"{crash}:{output}.count"
    arguments = ["dedup", "exact", str(corpus), "-o", str(output), "--blocksize", "400", "-q"]
    command = [sys.executable, "-c", COMMAND, *arguments, "--workers", str(WORKERS)]
    return subprocess.run(command, env=environment, check=False, stdout=subprocess.DEVNULL).returncode


def documents(output: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in output.glob("*.jsonl")}


def commits(output: Path) -> list[tuple[str, str]]:
    lines = (output / "_gpucurate" / "commit.log").read_bytes().splitlines()
    return [(record["phase"], record["unit"]) for record in (json.loads(line[9:]) for line in lines)]


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("corpus")
    for number in range(UNITS):
        lines = [json.dumps({"text": f"page {(number * 5 + at) % 70}"}) for at in range(14)]
        (folder / f"{number:02d}.jsonl").write_text("\n".join(lines) + "\n")
    return folder


@pytest.fixture(scope="module")
def clean(corpus: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    output = tmp_path_factory.mktemp("clean") / "out"
    assert dedup(corpus, output) == 0
    return output


@pytest.mark.parametrize("crash", POINTS)
def test_a_killed_deduplication_redoes_nothing_that_was_recorded(
    crash: str, corpus: Path, clean: Path, tmp_path: Path
) -> None:
    output = tmp_path / "out"
    assert dedup(corpus, output, crash) == -signal.SIGKILL
    before = commits(output)
    keys = [unit for name, unit in before if name == "keys"]
    assert len(keys) in POINTS[crash]
    assert dedup(corpus, output) == 0
    after = commits(output)
    assert after[: len(before)] == before
    assert len(after) == len(set(after)) == 2 * UNITS, "no unit was recorded twice"
    assert documents(output) == documents(clean)
    report = json.loads((output / "_gpucurate" / "report.json").read_text())
    resumed = {each["name"]: each["resumed_units"] for each in report["phases"] if each["units"]}
    assert resumed["keys"] == len(keys)
    assert resumed["write"] == len(before) - len(keys)
