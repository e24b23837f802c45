"""Run folders that earlier versions wrote: this one goes on with them or refuses them, and misreads none.

``golden/version-0.1.tar.xz`` holds runs of format 1 over one corpus: one that had finished, and some that
were killed while they took keys or wrote documents. Names and times of the input are put in place first.
"""

from __future__ import annotations

import os
import tarfile
from pathlib import Path
from typing import Any

import orjson
import pytest

from gpucurate import InlineExecutor
from gpucurate.checkpoint.run_folder import RunFolder
from gpucurate.spec.errors import OutputInUseError
from gpucurate.workflows.exact import ExactDeduplicationWorkflow
from gpucurate.workflows.fuzzy import FuzzyDeduplicationWorkflow

GOLDEN = Path(__file__).parent / "golden" / "version-0.1.tar.xz"

CHANGED_SINCE = 1_700_000_000_123_456_789


@pytest.fixture
def runs(tmp_path: Path) -> Path:
    with tarfile.open(GOLDEN) as archive:
        archive.extractall(tmp_path, filter="data")
    corpus = tmp_path / "corpus"
    for number, path in enumerate(sorted(corpus.iterdir())):
        os.utime(path, ns=(CHANGED_SINCE + number, CHANGED_SINCE + number))
    for path in tmp_path.glob("*/_gpucurate/**/*.json"):
        path.write_bytes(path.read_bytes().replace(b"/CORPUS", bytes(corpus)))
    return tmp_path


def workflow(runs: Path, name: str) -> Any:
    kind = ExactDeduplicationWorkflow if name.startswith("exact") else FuzzyDeduplicationWorkflow
    return kind(runs / "corpus", runs / name, input_blocksize=420, max_reject_rate=0.5)


def documents(output: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in output.glob("*.jsonl")}


@pytest.mark.parametrize("name", ["exact-finished", "exact-in-keys", "exact-in-write", "fuzzy-in-write"])
def test_a_run_of_version_0_1_goes_on_or_is_refused_with_a_sentence(runs: Path, name: str) -> None:
    clean = workflow(runs, name.partition("-")[0] + "-clean")
    clean.run(InlineExecutor())
    keys = "keys" in name or "write" in name
    try:
        result = workflow(runs, name).run(InlineExecutor())
    except OutputInUseError as error:
        assert "differs in decides" in str(error), "an option that 0.1 did not have, or had otherwise"
        result = workflow(runs, name).run(InlineExecutor(), resume="fresh")
    else:
        assert result.was_finished or (keys and result.report.phases[0].resumed_units)
    assert documents(runs / name) == documents(clean.output)
    assert result.report.books == clean.run(InlineExecutor()).report.books


def test_a_finished_run_of_version_0_1_is_not_written_to(runs: Path) -> None:
    before = {path: path.stat().st_mtime_ns for path in (runs / "exact-finished").rglob("*.json*")}
    try:
        workflow(runs, "exact-finished").run(InlineExecutor())
    except OutputInUseError as error:
        assert "differs in decides" in str(error)
    after = {path: path.stat().st_mtime_ns for path in (runs / "exact-finished").rglob("*.json*")}
    assert after == before


def test_of_another_input_a_run_of_version_0_1_says_what_differs(runs: Path) -> None:
    os.utime(runs / "corpus" / "part-2.jsonl", ns=(1, 1))
    with pytest.raises(OutputInUseError, match=r"1 changed .part-2.jsonl: mtime_ns|differs in decides"):
        workflow(runs, "exact-in-write").run(InlineExecutor())


@pytest.mark.parametrize("version", [0, 3])
def test_a_folder_of_another_version_is_refused_with_a_sentence(tmp_path: Path, version: Any) -> None:
    RunFolder(tmp_path, "test", {}).close()
    path = tmp_path / "_gpucurate" / "run.json"
    path.write_bytes(orjson.dumps({**orjson.loads(path.read_bytes()), "format": version}))
    with pytest.raises(OutputInUseError, match="reads 1 to 2: go on with the version that wrote it"):
        RunFolder(tmp_path, "test", {})
