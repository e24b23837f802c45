"""Which documents survive, which are compared, and which are taken at all: from files to files."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from gpucurate.backends.executors import Executor, InlineExecutor, LocalExecutor
from gpucurate.spec.errors import ConfigurationError, OutputInUseError
from gpucurate.workflows.exact import ExactDeduplicationWorkflow
from gpucurate.workflows.fuzzy import FuzzyDeduplicationWorkflow
from tests.workflows.conftest import corpus_lines
from tests.workflows.tree import clusters, digests, lines, report

Row = dict[str, Any]


def write(path: Path, rows: Sequence[Row]) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.suffix == ".parquet":
        pq.write_table(pa.Table.from_pylist(list(rows)), path)
    else:
        path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


def kept(out: Path) -> list[int]:
    found = [json.loads(line)["n"] for line in lines(out)]
    parts = [p for p in sorted(out.rglob("*.parquet")) if "_gpucurate" not in p.parts]
    return found + [n for part in parts for n in pq.read_table(part).column("n").to_pylist()]


ROWS = [
    {"n": 0, "text": "a", "score": 1, "lang": "en", "meta": {"score": 0.5, "day": "2024-01-03"}},
    {"n": 1, "text": "a", "score": 7, "lang": "de", "meta": {"score": 0.75, "day": "2024-01-02"}},
    {"n": 2, "text": "b", "score": 2, "lang": None, "meta": {"score": 0.5, "day": "2023-12-31"}},
    {"n": 3, "text": "b", "score": None, "lang": "fr", "meta": {"score": -1.0, "day": "2024-02-01"}},
    {"n": 4, "text": "c", "score": None, "lang": None, "meta": None},
    {"n": 5, "text": "a", "score": 7, "lang": "en", "meta": {"score": 0.25, "day": "2024-01-01"}},
]


@pytest.mark.parametrize("suffix", [".jsonl", ".parquet"])
@pytest.mark.parametrize(
    ("keep", "survivors"),
    [
        ("max:score", [1, 2, 4]),
        ("min:score", [0, 2, 4]),
        ("max:meta.score", [1, 2, 4]),
        ("min:meta.day", [2, 4, 5]),
        ("prefer:lang=fr,de", [1, 3, 4]),
        ("prefer:lang=d*,e*", [1, 2, 4]),
        ("prefer:*.none", [0, 2, 4]),
    ],
)
def test_the_survivor_is_the_best_by_a_column(
    keep: str, survivors: list[int], suffix: str, tmp_path: Path
) -> None:
    source = write(tmp_path / f"in{suffix}", ROWS)
    ExactDeduplicationWorkflow(source, tmp_path / "out", keep=keep).run(InlineExecutor())
    assert kept(tmp_path / "out") == survivors


def test_documents_without_a_value_are_counted_and_told(tmp_path: Path) -> None:
    source = write(tmp_path / "in.jsonl", ROWS)
    result = ExactDeduplicationWorkflow(source, tmp_path / "out", keep="max:score").run(InlineExecutor())
    sentence = (
        "2 documents have no value in score: they survive only where no other member of the cluster has one"
    )
    assert result.report.warnings == [sentence]
    again = ExactDeduplicationWorkflow(source, tmp_path / "out", keep="max:score").run(InlineExecutor())
    assert again.report.warnings == [sentence]


def test_a_column_that_some_files_lack_is_without_values_there(tmp_path: Path) -> None:
    for name, rows in (("a.jsonl", ROWS[:2]), ("b.jsonl", [{"n": 9, "text": "a"}])):
        write(tmp_path / "in" / name, rows)
    result = ExactDeduplicationWorkflow(tmp_path / "in", tmp_path / "out", keep="max:score")
    assert result.run(InlineExecutor()).report.warnings[0].startswith("1 documents have no value in score")
    assert kept(tmp_path / "out") == [1]


def test_preferred_paths_come_first_in_their_order(tmp_path: Path) -> None:
    for n, name in enumerate(["books/a.jsonl", "crawl/a.jsonl", "wiki/a.jsonl"]):
        write(tmp_path / "in" / name, [{"n": n, "text": "same"}])
    for keep, survivor in (("prefer:wiki/*,crawl/*", 2), ("prefer:none,crawl/*", 1), ("prefer:none", 0)):
        out = tmp_path / keep.replace("/", "-")
        ExactDeduplicationWorkflow(tmp_path / "in", out, keep=keep).run(InlineExecutor())
        assert kept(out) == [survivor]


@pytest.mark.parametrize("option", [{"keep": "max:nope"}, {"within": "nope"}, {"keep": "min:meta.nope"}])
def test_a_column_that_is_not_there_is_refused_before_anything_runs(
    option: dict[str, str], tmp_path: Path
) -> None:
    source = write(tmp_path / "in.jsonl", ROWS)
    with pytest.raises(
        ConfigurationError, match=r"no column '.*nope' in the first documents of in\.jsonl: it has"
    ):
        ExactDeduplicationWorkflow(source, tmp_path / "out", **option).run(InlineExecutor())
    assert not (tmp_path / "out").exists()


def test_within_nothing_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="within='' names no column"):
        ExactDeduplicationWorkflow(tmp_path, tmp_path / "out", within="")


@pytest.mark.parametrize("workflow", [ExactDeduplicationWorkflow, FuzzyDeduplicationWorkflow])
def test_duplicates_are_looked_for_within_a_value_only(
    workflow: type[FuzzyDeduplicationWorkflow], tmp_path: Path
) -> None:
    text = "the same long sentence in every one of these documents"
    values = ["x", "y", "x", None, None, "y", ""]
    rows = [{"n": n, "text": text, "dump": value} for n, value in enumerate(values)]
    source = write(tmp_path / "in.jsonl", rows)
    workflow(source, tmp_path / "out", within="dump").run(InlineExecutor())
    assert kept(tmp_path / "out") == [0, 1, 3, 6]
    assert [row["cluster"] for row in clusters(tmp_path / "out")] == [0, 1, 0, 3, 3, 1]
    workflow(source, tmp_path / "all").run(InlineExecutor())
    assert kept(tmp_path / "all") == [0]


@pytest.mark.parametrize("values", [[["en"], ["de"]], [{"a": 1}, {"a": 2}], [b"en", b"de"]])
def test_values_that_do_not_tell_documents_apart_are_told_of(values: list[object], tmp_path: Path) -> None:
    rows = [{"n": n, "text": "same", "tag": value} for n, value in enumerate(values)]
    source = write(tmp_path / "in.parquet", rows)
    result = ExactDeduplicationWorkflow(source, tmp_path / "out", within="tag").run(InlineExecutor())
    assert kept(tmp_path / "out") == [0]
    assert result.report.warnings == ["2 documents have no value in tag: they are compared with each other"]


def test_a_run_within_a_column_is_another_run(tmp_path: Path) -> None:
    source = write(tmp_path / "in.jsonl", ROWS)
    ExactDeduplicationWorkflow(source, tmp_path / "out").run(InlineExecutor())
    with pytest.raises(OutputInUseError, match="within"):
        ExactDeduplicationWorkflow(source, tmp_path / "out", within="lang").run(InlineExecutor())


def numbered(documents: int) -> list[Row]:
    return [{"n": n, "text": f"document number {n // 2}"} for n in range(documents)]


def test_samples_are_nested_and_take_all_copies_of_a_text_or_none(tmp_path: Path) -> None:
    source = write(tmp_path / "in.jsonl", numbered(4000))
    taken = {}
    for sample in ("10%", "30%"):
        out = tmp_path / sample
        workflow = ExactDeduplicationWorkflow(source, out, sample=sample, annotate=True)
        books = workflow.run(InlineExecutor()).report.books
        taken[sample] = kept(out)
        assert books.dropped["not sampled"] == 4000 - len(taken[sample])
        assert books.kept == len(taken[sample])
    assert set(taken["10%"]) < set(taken["30%"])
    assert 100 <= len(taken["10%"]) / 2 <= 300  # 2000 texts
    assert all(n ^ 1 in set(taken["30%"]) for n in taken["30%"])


def test_a_sample_does_not_depend_on_files_or_units(tmp_path: Path) -> None:
    rows = numbered(600)
    write(tmp_path / "one" / "a.jsonl", rows)
    for part in range(3):
        write(tmp_path / "three" / f"{part}.jsonl", rows[part::3])
    for name, options in (("one", {"input_blocksize": "5kB"}), ("three", {})):
        ExactDeduplicationWorkflow(tmp_path / name, tmp_path / f"out-{name}", sample=0.2, **options).run(
            InlineExecutor()
        )
    texts = [
        {json.loads(line)["text"] for line in lines(tmp_path / f"out-{name}")} for name in ("one", "three")
    ]
    assert texts[0] == texts[1]
    assert texts[0]


def test_books_of_a_sample_balance_where_rows_are_rejected(tmp_path: Path) -> None:
    source = write(tmp_path / "in.jsonl", numbered(400))
    source.write_bytes(b"not json\n\n" + source.read_bytes())
    for name, options in (("removed", {}), ("found", {"perform_removal": False})):
        workflow = ExactDeduplicationWorkflow(
            source, tmp_path / name, sample="25%", max_reject_rate=0.1, **options
        )
        books = workflow.run(LocalExecutor(2)).report.books
        assert (books.read, books.total_rejected, books.blank, books.balance) == (401, 1, 1, 0)
        assert books.dropped["not sampled"] > 200
    found = report(tmp_path / "removed")
    left_out = found["counts"]["bytes of lines not sampled or rejected"]
    assert (
        found["input_bytes"] == found["output_bytes"] + left_out + found["counts"]["bytes of duplicates"] + 1
    )


@pytest.mark.parametrize("sample", ["0%", 0, -1, "2", "101%", "half", "1/0", "", "nan", "49E800000000444"])
def test_a_share_that_is_none_is_refused(sample: str | float, tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"give a share above 0 and up to 1, such as 1% or 0\.01"):
        ExactDeduplicationWorkflow(tmp_path, tmp_path / "out", sample=sample)


def test_all_of_a_corpus_is_a_sample_too(tmp_path: Path) -> None:
    source = write(tmp_path / "in.jsonl", ROWS)
    for name, options in (("all", {}), ("sample", {"sample": "100%"})):
        ExactDeduplicationWorkflow(source, tmp_path / name, **options).run(InlineExecutor())
    assert lines(tmp_path / "all") == lines(tmp_path / "sample")


def test_one_share_may_be_written_in_many_ways(tmp_path: Path) -> None:
    source = write(tmp_path / "in.jsonl", ROWS)
    ExactDeduplicationWorkflow(source, tmp_path / "out", sample="50%").run(InlineExecutor())
    for sample in (0.5, "50 %", "1/2", "5e-1"):
        again = ExactDeduplicationWorkflow(source, tmp_path / "out", sample=sample)
        assert again.run(InlineExecutor()).was_finished


@pytest.mark.parametrize(
    "options",
    [
        {"keep": "max:score"},
        {"keep": "prefer:part1/*"},
        {"within": "lang", "keep": "min:score"},
        {"sample": "60%", "keep": "longest"},
    ],
)
def test_output_and_clusters_do_not_depend_on_workers(options: dict[str, str], tmp_path: Path) -> None:
    for number, part in enumerate((corpus_lines(900)[0::2], corpus_lines(900)[1::2])):
        rows = [
            {**json.loads(line), "score": n * 7 % 101, "lang": "ab"[n % 2]} for n, line in enumerate(part)
        ]
        write(tmp_path / "in" / f"part{number}" / "x.jsonl", rows)
    executors: dict[str, Executor] = {"inline": InlineExecutor(), "local3": LocalExecutor(3)}
    found = {}
    for name, executor in executors.items():
        workflow = FuzzyDeduplicationWorkflow(
            tmp_path / "in", tmp_path / name, input_blocksize="60kB", **options
        )
        workflow.run(executor)
        found[name] = digests(tmp_path / name)
    assert len(found["inline"]) > 12
    assert found["local3"] == found["inline"]
    FuzzyDeduplicationWorkflow(tmp_path / "in", tmp_path / "plain", input_blocksize="60kB").run(
        InlineExecutor()
    )
    assert digests(tmp_path / "plain") != found["inline"]


@pytest.mark.parametrize("blocksize", [None, 60])
def test_values_of_several_types_are_told_apart_alike_wherever_the_input_is_cut(
    blocksize: int | None, tmp_path: Path
) -> None:
    values = [1000.0, 1000.0, "x", 1000.0, [1], "x", [1], 1000]
    source = write(tmp_path / "in.jsonl", [{"n": n, "text": "a", "v": v} for n, v in enumerate(values)])
    options: dict[str, Any] = {"within": "v", "input_blocksize": blocksize}
    ExactDeduplicationWorkflow(source, tmp_path / "out", **options).run(InlineExecutor())
    assert sorted(kept(tmp_path / "out")) == [0, 2, 4]
