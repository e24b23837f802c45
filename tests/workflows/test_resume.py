"""Runs that go on with an earlier one: of the same input and options, or of others."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from gpucurate import InlineExecutor
from gpucurate.checkpoint.rejects import read_rejects
from gpucurate.spec.errors import ConfigurationError, OutputInUseError
from gpucurate.workflows.deduplication import DeduplicationWorkflow
from gpucurate.workflows.exact import ExactDeduplicationWorkflow
from gpucurate.workflows.fuzzy import FuzzyDeduplicationWorkflow
from gpucurate.workflows.segments import LineDeduplicationWorkflow

BLOCK = 700

Kind = type[DeduplicationWorkflow]
KINDS: dict[str, tuple[Any, dict[str, Any]]] = {
    "exact": (ExactDeduplicationWorkflow, {"keep": "longest"}),
    "fuzzy": (FuzzyDeduplicationWorkflow, {}),
    "verified": (FuzzyDeduplicationWorkflow, {"verify": "exact", "threshold": 0.7}),
    "lines": (LineDeduplicationWorkflow, {"min_length": 5, "list_cuts": True}),
    "lines-of-documents": (LineDeduplicationWorkflow, {"min_length": 5, "scope": "document"}),
}


@pytest.fixture
def corpus(tmp_path: Path) -> Path:
    folder = tmp_path / "in"
    folder.mkdir()
    for number in range(5):
        write(folder / f"part-{number}.jsonl", number)
    return folder


def write(path: Path, seed: int, documents: int = 10) -> None:
    lines = []
    for at in range(documents):
        topic = (seed * 7 + at) % 11
        text = "\n".join(
            [f"a page about subject {topic}", f"line {topic % 3} of many", f"own {seed % 4} {at}"]
        )
        lines.append(json.dumps({"id": f"{seed}-{at}", "text": text if at % 3 else f"about {topic} " * 9}))
    lines.insert(2, "{not json")
    path.write_text("\n".join(lines) + "\n")


def dedup(kind: str, corpus: Path, output: Path, resume: Any = "auto", **options: Any) -> Any:
    workflow, given = KINDS[kind]
    made = workflow(corpus, output, input_blocksize=BLOCK, max_reject_rate=0.5, **{**given, **options})
    return made.run(InlineExecutor(), resume=resume)


def everything(output: Path) -> dict[str, Any]:
    """What a run leaves for people: documents, clusters, rejects, books."""
    state = output / "_gpucurate"
    documents = {
        str(path.relative_to(output)): path.read_bytes()
        for path in output.rglob("*")
        if path.is_file() and state not in path.parents
    }
    rejects = sorted(
        (e["path"], e["row"]) for path in (state / "rejects").iterdir() for e in read_rejects(path)
    )
    tables = [p for name in ("clusters", "cuts") for p in sorted((state / name).glob("*.parquet"))]
    report = json.loads((state / "report.json").read_text())
    return {
        "documents": documents,
        "rejects": rejects,
        "tables": [(path.name, pq.read_table(path).to_pydict()) for path in tables],
        "books": report["books"],
        "manifest": json.loads((state / "manifest.json").read_text()),
        "whole": (state / "_SUCCESS").exists(),
    }


def add(corpus: Path) -> None:
    write(corpus / "aa-first.jsonl", 3, documents=4)


def remove(corpus: Path) -> None:
    (corpus / "part-1.jsonl").unlink()


def change(corpus: Path) -> None:
    write(corpus / "part-2.jsonl", 9)


CHANGES = {"added": add, "removed": remove, "changed": change}


class Stop(Exception):
    """Where a test ends a run."""


def stop_after(monkeypatch: pytest.MonkeyPatch, phase: str) -> None:
    """End the next run once a phase is over."""
    names = {"keys": "_detect", "group": "_choose", "clusters": "_write"}
    if phase == "segments":
        target, name = LineDeduplicationWorkflow, "_mark"
    else:
        target, name = DeduplicationWorkflow, names[phase]

    def stop(*_: Any) -> None:
        raise Stop

    monkeypatch.setattr(target, name, stop)


@pytest.mark.parametrize(
    ("kind", "what"),
    [
        *(("exact", what) for what in CHANGES),
        *(("fuzzy", what) for what in CHANGES),
        ("verified", "changed"),
        ("lines", "changed"),
        ("lines-of-documents", "added"),
    ],
)
def test_a_changed_input_gives_what_a_clean_run_gives(
    kind: str, what: str, corpus: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "out"
    with monkeypatch.context() as patched:
        stop_after(patched, "segments" if kind.startswith("lines") else "clusters")
        with pytest.raises(Stop):
            dedup(kind, corpus, out)
    CHANGES[what](corpus)
    with pytest.raises(OutputInUseError, match=f"another input: 1 {what} .*--resume-changed"):
        dedup(kind, corpus, out)
    report = dedup(kind, corpus, out, "changed").report
    dedup(kind, corpus, tmp_path / "clean")
    assert everything(out) == everything(tmp_path / "clean")
    keys = report.phases[0]
    left = keys.units - keys.resumed_units
    assert keys.resumed_units, "what is the same is not read again"
    assert (left == 0) == (what == "removed"), "and what is not, is"
    before = {path: path.stat().st_mtime_ns for path in out.rglob("*.jsonl")}
    assert dedup(kind, corpus, out).was_finished
    assert {path: path.stat().st_mtime_ns for path in out.rglob("*.jsonl")} == before


@pytest.mark.parametrize("what", CHANGES)
def test_a_finished_run_takes_a_changed_input(what: str, corpus: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    dedup("exact", corpus, out)
    CHANGES[what](corpus)
    dedup("exact", corpus, out, "changed")
    dedup("exact", corpus, tmp_path / "clean")
    assert everything(out) == everything(tmp_path / "clean")


def test_an_input_that_is_changed_back_gives_the_first_output_again(corpus: Path, tmp_path: Path) -> None:
    """A file of the same name and size must not pass for the one that a record tells of."""
    out, path = tmp_path / "out", corpus / "part-2.jsonl"
    dedup("exact", corpus, out)
    first, before, stat = everything(out), path.read_bytes(), path.stat()
    path.write_bytes(before.replace(b"page", b"leaf"))
    dedup("exact", corpus, out, "changed")
    assert everything(out) != first
    path.write_bytes(before)
    os.utime(path, ns=(stat.st_atime_ns, stat.st_mtime_ns))
    dedup("exact", corpus, out, "changed")
    assert everything(out) == first


def test_changed_options_keep_the_keys(corpus: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    out = tmp_path / "out"
    with monkeypatch.context() as patched:
        stop_after(patched, "clusters")
        with pytest.raises(Stop):
            dedup("exact", corpus, out)
    with pytest.raises(OutputInUseError, match=r'keep: "longest" then, "shortest" now.*--fresh'):
        dedup("exact", corpus, out, keep="shortest")
    report = dedup("exact", corpus, out, "changed", keep="shortest").report
    dedup("exact", corpus, tmp_path / "clean", keep="shortest")
    assert everything(out) == everything(tmp_path / "clean")
    assert report.phases[0].resumed_units == report.phases[0].units


def test_another_policy_writes_again_what_a_finished_run_wrote(corpus: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    dedup("exact", corpus, out)
    dedup("exact", corpus, out, "changed", keep="shortest")
    dedup("exact", corpus, tmp_path / "clean", keep="shortest")
    assert everything(out) == everything(tmp_path / "clean")


def test_where_no_documents_are_wanted_any_more_none_stay(corpus: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    dedup("exact", corpus, out)
    dedup("exact", corpus, out, "changed", perform_removal=False)
    assert everything(out)["documents"] == {}


def test_another_kind_of_run_is_refused_though_changes_are_wanted(corpus: Path, tmp_path: Path) -> None:
    dedup("exact", corpus, tmp_path / "out")
    with pytest.raises(OutputInUseError, match=r'kind: "dedup exact" then, "dedup fuzzy" now.*--fresh'):
        dedup("fuzzy", corpus, tmp_path / "out", "changed")


def test_a_fresh_run_removes_what_the_earlier_one_wrote_and_nothing_else(
    corpus: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    dedup("exact", corpus, out)
    (out / "notes.txt").write_text("of mine")
    remove(corpus)
    dedup("fuzzy", corpus, out, "fresh")
    dedup("fuzzy", corpus, tmp_path / "clean")
    assert (out / "notes.txt").read_text() == "of mine"
    (out / "notes.txt").unlink()
    assert everything(out) == everything(tmp_path / "clean")


def test_a_fresh_run_needs_no_state_that_can_be_read(corpus: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    dedup("exact", corpus, out)
    for name in ("run.json", "manifest.json", "report.json"):
        (out / "_gpucurate" / name).write_text("{")
    log = out / "_gpucurate" / "commit.log"
    log.write_bytes(b"junk\n" + log.read_bytes())
    dedup("exact", corpus, out, "fresh")
    dedup("exact", corpus, tmp_path / "clean")
    assert everything(out) == everything(tmp_path / "clean")


def test_a_fresh_run_does_not_touch_a_folder_of_other_things(corpus: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    out.mkdir()
    (out / "thesis.tex").write_text("")
    with pytest.raises(OutputInUseError, match="not empty"):
        dedup("exact", corpus, out, "fresh")
    assert [path.name for path in out.iterdir()] == ["thesis.tex"]


def test_a_mode_that_there_is_not_is_a_sentence(corpus: Path, tmp_path: Path) -> None:
    with pytest.raises(
        ConfigurationError, match="resume='sometimes' is not known: choose auto, changed, fresh"
    ):
        dedup("exact", corpus, tmp_path / "out", "sometimes")
