# ruff: noqa: F811, F401 - the fixture is imported
"""A run in a store whose input changes, seen from other machines; verify and status of it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from gpucurate.backends.executors import InlineExecutor
from gpucurate.pipeline.pipeline import Pipeline
from gpucurate.spec.errors import OutputInUseError
from gpucurate.stages.text.io.reader import JsonlReader
from gpucurate.stages.text.io.writer import JsonlWriter
from gpucurate.workflows.exact import ExactDeduplicationWorkflow
from tests.cli.calling import call
from tests.s3 import bucket

ENDINGS = ("clusters/", "manifest.json", "rejects/")


@pytest.fixture
def corpus(tmp_path):
    folder = tmp_path / "in"
    folder.mkdir()
    for number in range(4):
        write(folder / f"{number}.jsonl", f"of {number}")
    return folder


@pytest.fixture
def elsewhere(tmp_path, monkeypatch):
    """Go to another machine: one without a working folder."""
    machines = iter(range(9))
    return lambda: monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / f"machine{next(machines)}"))


def write(path: Path, text: str) -> None:
    rows = [{"text": f"text {row % 4} {text if row > 4 else ''}"} for row in range(9)]
    path.write_text("".join(json.dumps(row) + "\n" for row in rows) + f"not JSON {text}\n")


def pipeline(corpus, output):
    return Pipeline("all", stages=[JsonlReader(corpus, files_per_partition=1), JsonlWriter(output)])


def exact(corpus, output):
    return ExactDeduplicationWorkflow(corpus, output, max_reject_rate=1.0, input_blocksize=300)


def files_of(folder: Path) -> dict[str, bytes]:
    """Outputs, and what of the run folder is a result."""
    paths = {path.relative_to(folder).as_posix(): path for path in folder.rglob("*") if path.is_file()}
    return {name: path.read_bytes() for name, path in paths.items() if is_result(name)}


def is_result(name: str) -> bool:
    inside = name.removeprefix("_gpucurate/")
    return inside == name or inside.startswith(ENDINGS)


def in_store(bucket) -> dict[str, bytes]:
    names = {key.removeprefix("out/"): key for key in bucket.names("out/")}
    return {name: bucket.get(key) for name, key in names.items() if is_result(name)}


@pytest.mark.parametrize("make", [pipeline, exact], ids=["pipeline", "exact"])
def test_changed_input_leaves_in_a_store_what_a_clean_run_leaves_in_a_folder(
    make, corpus, bucket, elsewhere, tmp_path
):
    more = {"max_reject_rate": 1.0} if make is pipeline else {}
    elsewhere()
    make(corpus, bucket.url()).run(InlineExecutor(), **more)
    write(corpus / "2.jsonl", "another text altogether")
    (corpus / "1.jsonl").unlink()
    elsewhere()
    with pytest.raises(OutputInUseError, match=r"1 removed .1.jsonl.; 1 changed .2.jsonl"):
        make(corpus, bucket.url()).run(InlineExecutor(), **more)
    elsewhere()
    report = make(corpus, bucket.url()).run(InlineExecutor(), resume="changed", **more).report
    assert make is exact or report.phases[0].resumed_units == 2
    make(corpus, tmp_path / "clean").run(InlineExecutor(), **more)
    assert in_store(bucket) == files_of(tmp_path / "clean")
    assert bucket.pending() == []
    assert call("verify", bucket.url(), cwd=tmp_path)[0] == 0


def test_fresh_removes_what_the_run_wrote_and_nothing_of_others(corpus, bucket, elsewhere, tmp_path):
    elsewhere()
    exact(corpus, bucket.url()).run(InlineExecutor())
    bucket.put("out/notes.txt", b"mine")
    (corpus / "3.jsonl").unlink()
    elsewhere()
    exact(corpus, bucket.url()).run(InlineExecutor(), resume="fresh")
    exact(corpus, tmp_path / "clean").run(InlineExecutor())
    found = in_store(bucket)
    assert found.pop("notes.txt") == b"mine"
    assert found == files_of(tmp_path / "clean")


def test_verify_and_status_read_a_store(corpus, bucket, elsewhere, tmp_path):
    elsewhere()
    exact(corpus, bucket.url()).run(InlineExecutor())
    elsewhere()
    assert call("verify", bucket.url(), cwd=tmp_path)[0] == 0
    code, out, _ = call("status", bucket.url(), "--json", cwd=tmp_path)
    assert (code, json.loads(out)["state"]) == (0, "finished")
    bucket.put("out/0.jsonl", bucket.get("out/0.jsonl").replace(b"text", b"tent", 1))
    assert call("verify", bucket.url(), cwd=tmp_path)[0] == 6
    bucket.delete("out/0.jsonl")
    code, out, _ = call("verify", bucket.url(), cwd=tmp_path)
    assert code == 6
    assert "0.jsonl" in out
    exact(corpus, bucket.url()).run(InlineExecutor())
    assert call("verify", bucket.url(), cwd=tmp_path)[0] == 0
