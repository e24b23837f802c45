"""New data against old, without the old text."""

from __future__ import annotations

import json
import random
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from gpucurate.backends.executors import InlineExecutor, LocalExecutor
from gpucurate.dedup.index import read_index
from gpucurate.spec.errors import ConfigurationError, OutputInUseError, QuarantinedError, StorageError
from gpucurate.stages.deduplication.removal import DuplicateRemoval
from gpucurate.workflows.deduplication import DeduplicationWorkflow
from gpucurate.workflows.exact import ExactDeduplicationWorkflow
from gpucurate.workflows.fuzzy import FuzzyDeduplicationWorkflow
from gpucurate.workflows.index_merge import merge_indexes
from gpucurate.workflows.result import WorkflowRunResult
from tests.workflows.conftest import corpus_lines, page
from tests.workflows.tree import clusters, digests, lines, report

BOTH = pytest.mark.parametrize("workflow", [ExactDeduplicationWorkflow, FuzzyDeduplicationWorkflow])
Workflow = type[FuzzyDeduplicationWorkflow] | type[ExactDeduplicationWorkflow]


def write(path: Path, texts: Sequence[str]) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(json.dumps({"text": text}) + "\n" for text in texts))
    return path


@pytest.fixture
def days(tmp_path: Path) -> list[Path]:
    """Three days of pages; a tenth of them twice, a tenth again with two words changed, over all days."""
    given = corpus_lines(900)
    third = len(given) // 3
    found = []
    for day in range(3):
        path = tmp_path / f"day{day + 1}" / "pages.jsonl"
        path.parent.mkdir()
        path.write_text("".join(line + "\n" for line in given[day * third : (day + 1) * third]))
        found.append(path.parent)
    return found


def run(workflow: Any, *arguments: Any, **options: Any) -> WorkflowRunResult:
    result: WorkflowRunResult = workflow(*arguments, **options).run(InlineExecutor())
    return result


def test_a_single_index_needs_no_list(days: list[Path], tmp_path: Path) -> None:
    run(ExactDeduplicationWorkflow, days[0], tmp_path / "one", save_index=tmp_path / "index")
    for index in (tmp_path / "index", str(tmp_path / "index")):
        out = tmp_path / type(index).__name__
        assert run(ExactDeduplicationWorkflow, days[0], out, against=index).report.books.kept == 0


@BOTH
def test_what_the_index_holds_is_dropped_as_if_both_had_been_read(
    workflow: Workflow, days: list[Path], tmp_path: Path
) -> None:
    run(workflow, days[:2], tmp_path / "both")
    run(workflow, days[0], tmp_path / "one", save_index=tmp_path / "index")
    result = run(workflow, days[1], tmp_path / "two", against=[tmp_path / "index"])
    joint = lines(tmp_path / "both")
    assert sorted(lines(tmp_path / "one") + lines(tmp_path / "two")) == sorted(joint)
    alone = run(workflow, days[1], tmp_path / "alone")
    books = result.report.books
    assert books.dropped["in index"] == alone.report.books.kept - books.kept > 10
    assert books.dropped["duplicates"] == alone.report.books.dropped["duplicates"]
    assert books.balance == 0
    assert report(tmp_path / "two")["against"]["dropped"] == books.dropped["in index"]
    assert report(tmp_path / "two")["against"]["documents"] == len(lines(tmp_path / "one"))


@BOTH
def test_days_can_be_held_against_indexes_one_by_one_or_merged(
    workflow: Workflow, days: list[Path], tmp_path: Path
) -> None:
    indexes = [tmp_path / f"index{n}" for n in range(2)]
    run(workflow, days[0], tmp_path / "out0", save_index=indexes[0])
    run(workflow, days[1], tmp_path / "out1", save_index=indexes[1], against=indexes[:1])
    merge_indexes(indexes, tmp_path / "merged")
    run(workflow, days[2], tmp_path / "apart", against=indexes)
    run(workflow, days[2], tmp_path / "merged-out", against=[tmp_path / "merged"])
    run(workflow, days[2], tmp_path / "repeated", against=[tmp_path / "merged", indexes[1]])
    run(workflow, days, tmp_path / "all")
    assert digests(tmp_path / "apart") == digests(tmp_path / "merged-out") == digests(tmp_path / "repeated")
    parts = [lines(tmp_path / name) for name in ("out0", "out1", "apart")]
    assert sorted([*parts[0], *parts[1], *parts[2]]) == sorted(lines(tmp_path / "all"))
    assert report(tmp_path / "repeated")["against"]["documents"] == len(parts[0]) + len(parts[1])


@pytest.mark.parametrize("seed", range(4))
def test_joint_runs_keep_nothing_that_days_do_not_keep(seed: int, tmp_path: Path) -> None:
    """Chains: only a joint run sees that a page of today ties two of yesterday together."""
    rng = random.Random(seed)
    parts = [page(rng, 40) for _ in range(12)]
    texts = [f"{rng.choice(parts)} {rng.choice(parts)}" for _ in range(60)]
    options = {"num_bands": 64, "minhashes_per_band": 1, "char_ngrams": 24}
    days = [write(tmp_path / f"{n}.jsonl", texts[30 * n : 30 * n + 30]) for n in range(2)]
    run(FuzzyDeduplicationWorkflow, days, tmp_path / "both", **options)
    run(FuzzyDeduplicationWorkflow, days[0], tmp_path / "one", save_index=tmp_path / "i", **options)
    run(FuzzyDeduplicationWorkflow, days[1], tmp_path / "two", against=[tmp_path / "i"], **options)
    apart = Counter(lines(tmp_path / "one") + lines(tmp_path / "two"))
    assert Counter(lines(tmp_path / "both")) <= apart


def test_a_document_tied_to_an_old_one_by_another_new_one_is_dropped(tmp_path: Path) -> None:
    rng = random.Random(5)
    a, b, c, d = (page(rng, 60) for _ in range(4))
    options = {"num_bands": 64, "minhashes_per_band": 1, "char_ngrams": 24}
    write(tmp_path / "old.jsonl", [f"{a} {b}"])
    write(tmp_path / "new.jsonl", [f"{c} {d}", f"{b} {c}", page(rng)])
    write(tmp_path / "far.jsonl", [f"{c} {d}", page(rng)])
    run(
        FuzzyDeduplicationWorkflow,
        tmp_path / "old.jsonl",
        tmp_path / "o",
        save_index=tmp_path / "i",
        **options,
    )
    for name, kept in (("new", 1), ("far", 2)):
        out = tmp_path / f"{name}-out"
        run(FuzzyDeduplicationWorkflow, tmp_path / f"{name}.jsonl", out, against=[tmp_path / "i"], **options)
        assert len(lines(out)) == kept


def test_artefacts_tell_that_the_survivor_is_old_and_where_it_is(days: list[Path], tmp_path: Path) -> None:
    run(ExactDeduplicationWorkflow, days[0], tmp_path / "one", save_index=tmp_path / "index")
    run(ExactDeduplicationWorkflow, days[1], tmp_path / "two", against=[tmp_path / "index"])
    new = (days[1] / "pages.jsonl").read_bytes().splitlines()
    old = (days[0] / "pages.jsonl").read_bytes().splitlines()
    rows = clusters(tmp_path / "two")
    assert list(rows[0]) == ["path", "row", "id", "cluster", "cluster_size", "is_kept", "similarity"]
    hits = pq.read_table(tmp_path / "two" / "_gpucurate" / "in_index.parquet").to_pylist()
    by_cluster = {hit["cluster"]: hit for hit in hits}
    assert len(by_cluster) == len(hits) > 10
    kept = {row["cluster"] for row in rows if row["is_kept"]}
    assert kept.isdisjoint(by_cluster)
    for row in rows:
        assert row["id"] == row["row"]
        hit = by_cluster.get(row["cluster"])
        if hit is None:
            assert row["cluster"] in kept
            continue
        members = sum(r["cluster"] == row["cluster"] for r in rows)
        assert row["cluster_size"] == members + hit["old_documents"]
        assert hit["index"] == str(tmp_path / "index")
        assert hit["path"] == "pages.jsonl"
        assert json.loads(old[hit["row"]])["text"] == json.loads(new[row["row"]])["text"]


def test_annotation_and_clusters_alone_go_with_indexes(days: list[Path], tmp_path: Path) -> None:
    index = tmp_path / "index"
    run(ExactDeduplicationWorkflow, days[0], tmp_path / "one", save_index=index)
    run(ExactDeduplicationWorkflow, days[1], tmp_path / "two", against=[index], save_index=tmp_path / "i2")
    for name, options in (("annotated", {"annotate": True}), ("clusters", {"perform_removal": False})):
        saved = tmp_path / f"i-{name}"
        run(
            ExactDeduplicationWorkflow, days[1], tmp_path / name, against=[index], save_index=saved, **options
        )
        assert clusters(tmp_path / name) == clusters(tmp_path / "two")
        assert [f.name for f in read_index(saved).files] == [
            f.name for f in read_index(tmp_path / "i2").files
        ]
        assert report(tmp_path / name)["against"] == report(tmp_path / "two")["against"]
    given = (days[1] / "pages.jsonl").read_bytes().splitlines(keepends=True)
    kept = [json.loads(line)["_gpucurate_is_kept"] for line in lines(tmp_path / "annotated")]
    assert [line for line, is_kept in zip(given, kept, strict=True) if is_kept] == lines(tmp_path / "two")


def test_an_index_within_a_column_is_for_runs_within_it(tmp_path: Path) -> None:
    def rows(name: str, values: list[tuple[str, str]]) -> Path:
        path = tmp_path / name
        path.write_text("".join(json.dumps({"text": t, "dump": d}) + "\n" for t, d in values))
        return path

    old, new = (
        rows("old.jsonl", [("a", "1"), ("a", "2"), ("b", "1")]),
        rows("new.jsonl", [("b", "2"), ("a", "1")]),
    )
    run(ExactDeduplicationWorkflow, old, tmp_path / "o", save_index=tmp_path / "i", within="dump")
    run(ExactDeduplicationWorkflow, new, tmp_path / "n", against=[tmp_path / "i"], within="dump")
    assert [json.loads(line)["text"] for line in lines(tmp_path / "n")] == ["b"]
    with pytest.raises(ConfigurationError, match='within: "dump" then, null now'):
        run(ExactDeduplicationWorkflow, new, tmp_path / "x", against=[tmp_path / "i"])


@pytest.mark.parametrize("keep", ["longest", "shortest"])
def test_old_documents_survive_whatever_the_policy(keep: str, tmp_path: Path) -> None:
    write(tmp_path / "old.jsonl", ["b b", "c c"])
    write(tmp_path / "new.jsonl", ["B  B", "B B", "d   d", "d d"])
    options: dict[str, Any] = {"normalize_text": True, "keep": keep}
    run(
        ExactDeduplicationWorkflow,
        tmp_path / "old.jsonl",
        tmp_path / "o",
        save_index=tmp_path / "i",
        **options,
    )
    run(
        ExactDeduplicationWorkflow,
        tmp_path / "new.jsonl",
        tmp_path / "n",
        against=[tmp_path / "i"],
        **options,
    )
    texts = [json.loads(line)["text"] for line in lines(tmp_path / "n")]
    assert texts == ["d   d" if keep == "longest" else "d d"]


def test_results_and_index_do_not_depend_on_workers_or_memory(days: list[Path], tmp_path: Path) -> None:
    workflow = FuzzyDeduplicationWorkflow
    executors = {"inline": InlineExecutor(), "scarce": LocalExecutor(3, "3MB")}
    for name, executor in executors.items():
        options: dict[str, Any] = {"input_blocksize": "30kB"}
        first, second = (tmp_path / f"{name}{n}" for n in (1, 2))
        workflow(days[0], first, save_index=tmp_path / f"i-{name}", **options).run(executor)
        workflow(days[1], second, against=[tmp_path / f"i-{name}"], **options).run(executor)
    assert len({str(digests(tmp_path / f"{name}2")) for name in executors}) == 1
    assert len({tuple(read_index(tmp_path / f"i-{name}").files) for name in executors}) == 1


def test_an_index_of_other_settings_is_refused_with_what_differs(days: list[Path], tmp_path: Path) -> None:
    run(ExactDeduplicationWorkflow, days[0], tmp_path / "e", save_index=tmp_path / "exact")
    run(FuzzyDeduplicationWorkflow, days[0], tmp_path / "f", save_index=tmp_path / "fuzzy", seed=3)
    with pytest.raises(ConfigurationError, match='kind: "HashSketch" then, "MinHashSketch" now'):
        run(FuzzyDeduplicationWorkflow, days[1], tmp_path / "x", against=[tmp_path / "exact"])
    with pytest.raises(ConfigurationError, match=r"params\.seed: 3 then, 4 now"):
        run(FuzzyDeduplicationWorkflow, days[1], tmp_path / "x", against=[tmp_path / "fuzzy"], seed=4)
    with pytest.raises(ConfigurationError, match="normalized: false then, true now"):
        run(
            ExactDeduplicationWorkflow,
            days[1],
            tmp_path / "x",
            against=[tmp_path / "exact"],
            normalize_text=True,
        )
    assert not (tmp_path / "x").exists()


@BOTH
def test_an_empty_index_drops_nothing(workflow: Workflow, days: list[Path], tmp_path: Path) -> None:
    (tmp_path / "none.jsonl").write_text("\n")
    run(workflow, tmp_path / "none.jsonl", tmp_path / "o", save_index=tmp_path / "empty")
    assert read_index(tmp_path / "empty").documents == 0
    run(workflow, days[0], tmp_path / "one", against=[tmp_path / "empty"], save_index=tmp_path / "i1")
    run(workflow, days[0], tmp_path / "plain")
    assert digests(tmp_path / "one") == digests(tmp_path / "plain")
    all_there = run(
        workflow, days[0], tmp_path / "again", against=[tmp_path / "i1"], save_index=tmp_path / "i2"
    )
    assert all_there.report.books.kept == read_index(tmp_path / "i2").documents == 0


@pytest.mark.parametrize("linkage", ["component", "survivor"])
def test_pairs_with_old_documents_are_estimated_by_signatures(
    linkage: str, days: list[Path], tmp_path: Path
) -> None:
    options: dict[str, Any] = {"verify": "estimate", "threshold": 0.8, "linkage": linkage}
    run(FuzzyDeduplicationWorkflow, days[0], tmp_path / "one", save_index=tmp_path / "i", **options)
    run(FuzzyDeduplicationWorkflow, days[1], tmp_path / "two", against=[tmp_path / "i"], **options)
    run(FuzzyDeduplicationWorkflow, days[:2], tmp_path / "both", **options)
    assert sorted(lines(tmp_path / "one") + lines(tmp_path / "two")) == sorted(lines(tmp_path / "both"))
    hits = pq.read_table(tmp_path / "two" / "_gpucurate" / "in_index.parquet").to_pylist()
    old = {hit["cluster"] for hit in hits}
    rows = clusters(tmp_path / "two")
    assert len([row for row in rows if row["cluster"] in old]) > 10
    assert all(0.8 <= row["similarity"] <= 1 for row in rows)
    assert all((row["similarity"] == 1) or not row["is_kept"] for row in rows)
    edges = pq.read_table(tmp_path / "two" / "_gpucurate" / "edges").to_pylist()
    documents = read_index(tmp_path / "i").documents
    assert {edge["id_b"] for edge in edges if edge["id_a"] < 0} >= old
    assert all(-documents <= edge["id_a"] < edge["id_b"] for edge in edges)


def test_verification_that_an_index_cannot_serve_is_refused(days: list[Path], tmp_path: Path) -> None:
    estimate: dict[str, Any] = {"verify": "estimate", "threshold": 0.8}
    run(FuzzyDeduplicationWorkflow, days[0], tmp_path / "e", save_index=tmp_path / "signed", **estimate)
    signed = read_index(tmp_path / "signed")
    assert signed.has_signatures
    run(
        FuzzyDeduplicationWorkflow,
        days[0],
        tmp_path / "p",
        save_index=tmp_path / "plain",
        num_bands=signed.sketch["params"]["bands"],
        minhashes_per_band=signed.sketch["params"]["rows"],
    )
    for index, verify, message in (
        ("signed", "exact", "the old text of the index .* is not there: choose verify='estimate'"),
        ("plain", "exact", "the old text of the index .* is not there: choose no verification"),
        ("plain", "estimate", "the index .* holds none: choose no verification, or save the index by"),
    ):
        with pytest.raises(ConfigurationError, match=message):
            run(
                FuzzyDeduplicationWorkflow,
                days[1],
                tmp_path / "x",
                against=[tmp_path / index],
                verify=verify,
                threshold=0.8,
            )
    assert not (tmp_path / "x").exists()


def test_an_index_that_changed_since_the_run_began_is_refused(days: list[Path], tmp_path: Path) -> None:
    for day in (0, 2):
        run(ExactDeduplicationWorkflow, days[day], tmp_path / f"o{day}", save_index=tmp_path / f"i{day}")
    run(ExactDeduplicationWorkflow, days[1], tmp_path / "out", against=[tmp_path / "i0"])
    (tmp_path / "i0").rename(tmp_path / "elsewhere")
    again = run(ExactDeduplicationWorkflow, days[1], tmp_path / "out", against=[tmp_path / "elsewhere"])
    assert again.was_finished
    with pytest.raises(OutputInUseError, match=r"differs in decides\.against\[1\]: "):
        run(ExactDeduplicationWorkflow, days[1], tmp_path / "out", against=[tmp_path / "i2"])


def test_a_finished_run_makes_an_index_that_is_gone_or_newly_asked_for(
    days: list[Path], tmp_path: Path
) -> None:
    out, index = tmp_path / "out", tmp_path / "index"
    run(ExactDeduplicationWorkflow, days[0], out)
    before = (out / "pages.jsonl").stat().st_mtime_ns
    assert not run(ExactDeduplicationWorkflow, days[0], out, save_index=index).was_finished
    fingerprint = read_index(index).fingerprint
    assert run(ExactDeduplicationWorkflow, days[0], out, save_index=index).was_finished
    index.rename(tmp_path / "moved")
    assert not run(ExactDeduplicationWorkflow, days[0], out, save_index=index).was_finished
    assert read_index(index).fingerprint == fingerprint
    assert (out / "pages.jsonl").stat().st_mtime_ns == before
    assert report(out)["index"]["documents"] == len(lines(out))


def test_an_index_that_was_changed_since_is_left_as_it_is(days: list[Path], tmp_path: Path) -> None:
    from gpucurate.workflows.index_delete import Unwanted, delete_from_index

    out, index = tmp_path / "out", tmp_path / "index"
    run(ExactDeduplicationWorkflow, days[0], out, save_index=index)
    delete_from_index(index, Unwanted(globs=["*"]))
    assert run(ExactDeduplicationWorkflow, days[0], out, save_index=index).was_finished
    (out / "pages.jsonl").unlink()
    with pytest.raises(OutputInUseError, match="for the index holds something already"):
        run(ExactDeduplicationWorkflow, days[0], out, save_index=index)
    assert read_index(index).documents == 0
    run(ExactDeduplicationWorkflow, days[0], out, save_index=tmp_path / "another")
    assert read_index(tmp_path / "another").documents == len(lines(out))


def test_a_folder_that_holds_something_is_no_place_for_an_index(days: list[Path], tmp_path: Path) -> None:
    run(ExactDeduplicationWorkflow, days[0], tmp_path / "one", save_index=tmp_path / "index")
    for occupied in (tmp_path / "index", days[2], days[2] / "pages.jsonl"):
        with pytest.raises(OutputInUseError, match="for the index holds something already"):
            run(ExactDeduplicationWorkflow, days[1], tmp_path / "two", save_index=occupied)
    assert not (tmp_path / "two").exists()
    (tmp_path / "empty").mkdir()
    run(ExactDeduplicationWorkflow, days[1], tmp_path / "two", save_index=tmp_path / "empty")
    assert read_index(tmp_path / "empty").documents == len(lines(tmp_path / "two"))


def test_an_index_lies_in_no_other_folder_of_the_run(days: list[Path], tmp_path: Path) -> None:
    run(ExactDeduplicationWorkflow, days[0], tmp_path / "one", save_index=tmp_path / "old")
    for place, message in (
        (tmp_path / "two" / "index", "lie in each other"),
        (tmp_path / "two", "lie in each other"),
        (tmp_path / "old" / "new", "lie in each other"),
        (days[1] / "index", "lies in the input"),
    ):
        with pytest.raises(ConfigurationError, match=message):
            run(
                ExactDeduplicationWorkflow,
                days[1],
                tmp_path / "two",
                save_index=place,
                against=[tmp_path / "old"],
            )
    assert not (tmp_path / "two").exists()


def test_nothing_is_saved_of_a_run_that_could_not_write_everything(
    days: list[Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Else later documents would be dropped for some that are in no output."""
    process = DuplicateRemoval.process

    def fails(stage: DuplicateRemoval, task: Any) -> Any:
        if stage.context.unit_index == 1:
            raise ValueError("out of luck")
        return process(stage, task)

    options: dict[str, Any] = {"input_blocksize": "30kB", "save_index": tmp_path / "index"}
    with monkeypatch.context() as patched:
        patched.setattr(DuplicateRemoval, "process", fails)
        with pytest.raises(QuarantinedError):
            run(ExactDeduplicationWorkflow, days[0], tmp_path / "out", **options)
    assert not (tmp_path / "index").exists()
    run(ExactDeduplicationWorkflow, days[0], tmp_path / "out", **options)
    assert read_index(tmp_path / "index").documents == len(lines(tmp_path / "out"))


KILLED = """
import os, signal, sys
from importlib import import_module
from gpucurate.backends.executors import InlineExecutor
from gpucurate.workflows.exact import ExactDeduplicationWorkflow
source, output, index, module, owner, name = sys.argv[1:]
place = import_module(module)
place = getattr(place, owner) if owner else place
setattr(place, name, lambda *given, **named: os.kill(os.getpid(), signal.SIGKILL))
ExactDeduplicationWorkflow(source, output, save_index=index).run(InlineExecutor())
"""


@pytest.mark.parametrize(
    ("module", "owner", "name", "is_there"),
    [
        ("gpucurate.dedup.index_origins", "OriginsWriter", "close", False),
        ("gpucurate.workflows.index", "", "put", False),
        ("gpucurate.workflows.index", "SavedIndex", "_remember", False),
        ("gpucurate.workflows.index_store", "", "write_atomic", False),
        ("gpucurate.checkpoint.run_folder", "RunFolder", "finish", True),
    ],
)
def test_a_run_killed_while_it_saves_leaves_a_whole_index_or_none_and_goes_on(
    module: str, owner: str, name: str, is_there: bool, days: list[Path], tmp_path: Path
) -> None:
    out, index = tmp_path / "out", tmp_path / "index"
    arguments = [str(days[0]), str(out), str(index), module, owner, name]
    done = subprocess.run([sys.executable, "-c", KILLED, *arguments], check=False)
    assert done.returncode == -signal.SIGKILL
    assert (index / "index.json").exists() == is_there
    run(ExactDeduplicationWorkflow, days[0], out, save_index=index)
    assert read_index(index).documents == len(lines(out))
    run(ExactDeduplicationWorkflow, days[0], tmp_path / "plain", save_index=tmp_path / "plain-index")
    assert read_index(index).files == read_index(tmp_path / "plain-index").files
    assert not list(tmp_path.glob(".*.tmp"))
    assert run(ExactDeduplicationWorkflow, days[0], out, save_index=index).was_finished


def test_a_damaged_memory_of_what_was_saved_is_told(days: list[Path], tmp_path: Path) -> None:
    out, index = tmp_path / "out", tmp_path / "index"
    run(ExactDeduplicationWorkflow, days[0], out, save_index=index)
    (out / "_gpucurate" / "indexes.json").write_text("{")
    with pytest.raises(StorageError, match=r"indexes\.json is damaged"):
        run(ExactDeduplicationWorkflow, days[0], out, save_index=index)


def test_a_dry_run_opens_the_indexes_and_writes_nothing(days: list[Path], tmp_path: Path) -> None:
    run(ExactDeduplicationWorkflow, days[0], tmp_path / "one", save_index=tmp_path / "index")
    workflow: Callable[..., DeduplicationWorkflow] = ExactDeduplicationWorkflow
    workflow(days[1], tmp_path / "two", against=[tmp_path / "index"], save_index=tmp_path / "new").survey()
    with pytest.raises(ConfigurationError, match="is not an index"):
        workflow(days[1], tmp_path / "two", against=[tmp_path / "wrong"]).survey()
    assert not (tmp_path / "two").exists()
    assert not (tmp_path / "new").exists()


def test_an_index_goes_where_a_link_points_to(tmp_path: Path) -> None:
    (tmp_path / "in.jsonl").write_text('{"text": "a"}\n')
    (tmp_path / "far").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "far")
    ExactDeduplicationWorkflow(tmp_path / "in.jsonl", tmp_path / "out", save_index=tmp_path / "link").run()
    assert read_index(tmp_path / "link").documents == read_index(tmp_path / "far").documents == 1
