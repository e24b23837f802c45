"""Outputs that come from state on another disk are copied; a kill in the middle leaves nothing for good."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from gpucurate import InlineExecutor
from gpucurate.checkpoint.resume import Mode
from gpucurate.workflows.exact import ExactDeduplicationWorkflow

SHARED = Path("/dev/shm")

KILLED_IN_A_COPY = """
import os, signal, sys
from gpucurate import InlineExecutor
from gpucurate.disk import files
from gpucurate.workflows.exact import ExactDeduplicationWorkflow

def half(source, target, copy=files.copy_file):
    copy(source, target)
    if target.name.startswith(".1."):
        os.truncate(target, 3)
        os.kill(os.getpid(), signal.SIGKILL)

files.copy_file = half
corpus, output, state = sys.argv[1:]
ExactDeduplicationWorkflow(corpus, output, checkpoint_path=state).run(InlineExecutor())
"""


@pytest.fixture
def state(tmp_path: Path) -> Iterator[Path]:
    if not SHARED.is_dir() or SHARED.stat().st_dev == tmp_path.stat().st_dev:
        pytest.skip("there is no second file system at /dev/shm")
    with tempfile.TemporaryDirectory(dir=SHARED) as folder:
        yield Path(folder) / "state"


@pytest.mark.parametrize("mode", ["auto", "changed", "fresh"])
def test_half_a_copy_is_gone_once_a_run_goes_on_with_or_without_its_unit(
    tmp_path: Path, state: Path, mode: Mode
) -> None:
    corpus, out = tmp_path / "in", tmp_path / "out"
    corpus.mkdir()
    for number in range(3):
        (corpus / f"{number}.jsonl").write_text(json.dumps({"text": f"page {number}"}) + "\n")
    given = [sys.executable, "-c", KILLED_IN_A_COPY, str(corpus), str(out), str(state)]
    assert subprocess.run(given, check=False, capture_output=True).returncode == -signal.SIGKILL
    assert [path.name for path in out.glob(".*")] != []
    if mode != "auto":
        (corpus / "1.jsonl").rename(corpus / "3.jsonl")
    ExactDeduplicationWorkflow(corpus, out, checkpoint_path=state).run(InlineExecutor(), resume=mode)
    assert sorted(path.name for path in out.iterdir()) == sorted(path.name for path in corpus.iterdir())
    assert not (state / "copying").exists()
