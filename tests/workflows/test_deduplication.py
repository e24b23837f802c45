"""Deduplication from files to files."""

from __future__ import annotations

import gzip
import json
import shutil
import tempfile
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import zstandard

from gpucurate.backends.executors import Executor, InlineExecutor, LocalExecutor
from gpucurate.spec.errors import ConfigurationError, InputError, OutputInUseError, TooManyRejectsError
from gpucurate.workflows.exact import ExactDeduplicationWorkflow
from gpucurate.workflows.fuzzy import FuzzyDeduplicationWorkflow
from tests.workflows.tree import clusters, digests, lines, report

MakeCorpus = Callable[..., Path]


def test_exact_keeps_the_first_of_equal_texts_and_its_original_bytes(
    make_corpus: MakeCorpus, tmp_path: Path
) -> None:
    folder = make_corpus()
    ExactDeduplicationWorkflow(folder, tmp_path / "out").run(InlineExecutor())
    given = lines(folder)
    first: dict[str, bytes] = {}
    for line in given:
        first.setdefault(json.loads(line)["text"], line)
    expected = list(first.values())
    assert lines(tmp_path / "out") == expected
    assert len(expected) == len(given) - 60


def test_fuzzy_finds_pages_of_which_two_words_were_changed(make_corpus: MakeCorpus, tmp_path: Path) -> None:
    folder = make_corpus()
    result = FuzzyDeduplicationWorkflow(folder, tmp_path / "out").run(InlineExecutor())
    by_page = Counter(json.loads(line)["id"].split("-")[0] for line in lines(tmp_path / "out"))
    assert len(by_page) == 600  # nothing is lost altogether
    doubled = sum(count - 1 for count in by_page.values())
    assert doubled <= 2  # pairs at Jaccard 0.9 are joined with probability 0.9995
    assert result.report.books.kept == 600 + doubled
    assert result.report.books.balance == 0


@pytest.mark.parametrize("workflow", [ExactDeduplicationWorkflow, FuzzyDeduplicationWorkflow])
def test_output_and_clusters_do_not_depend_on_workers(
    workflow: type[FuzzyDeduplicationWorkflow], make_corpus: MakeCorpus, tmp_path: Path
) -> None:
    folder = make_corpus(1500, files=4)
    executors: dict[str, Executor] = {"inline": InlineExecutor()}
    executors |= {f"local{n}": LocalExecutor(n) for n in (1, 2, 4)}
    found = {}
    for name, executor in executors.items():
        workflow(folder, tmp_path / name, input_blocksize="100kB").run(executor)
        found[name] = digests(tmp_path / name)
    assert len(found["inline"]) > 12
    assert found["local1"] == found["local2"] == found["local4"] == found["inline"]


def test_a_split_file_gives_numbered_outputs_and_the_rows_of_the_whole_file(
    make_corpus: MakeCorpus, tmp_path: Path
) -> None:
    folder = make_corpus(400, files=1)
    for name, blocksize in (("whole", "64MiB"), ("split", "50kB")):
        FuzzyDeduplicationWorkflow(folder, tmp_path / name, input_blocksize=blocksize).run(InlineExecutor())
    assert [p.name for p in sorted((tmp_path / "split" / "part0").iterdir())][:2] == [
        "0.00000.jsonl",
        "0.00001.jsonl",
    ]
    assert lines(tmp_path / "split") == lines(tmp_path / "whole")
    assert clusters(tmp_path / "split") == clusters(tmp_path / "whole")


def test_rows_and_ids_of_clusters_point_at_the_documents(make_corpus: MakeCorpus, tmp_path: Path) -> None:
    folder = make_corpus(300)
    ExactDeduplicationWorkflow(folder, tmp_path / "out", input_blocksize="30kB").run(InlineExecutor())
    texts: dict[int, set[str]] = {}
    rows = clusters(tmp_path / "out")
    for row in rows:
        line = (folder / row["path"]).read_bytes().splitlines()[row["row"]]
        texts.setdefault(row["cluster"], set()).add(json.loads(line)["text"])
    assert all(len(versions) == 1 for versions in texts.values())
    assert [row["id"] for row in rows] == sorted(row["id"] for row in rows)
    assert {row["cluster"] for row in rows} == {row["id"] for row in rows if row["is_kept"]}


@pytest.mark.parametrize("suffix", [".jsonl.gz", ".jsonl.zst", ".parquet"])
def test_formats_stay_unless_told_otherwise(suffix: str, make_corpus: MakeCorpus, tmp_path: Path) -> None:
    plain = make_corpus(200, files=1) / "part0" / "0.jsonl"
    folder = tmp_path / "packed"
    folder.mkdir()
    data = plain.read_bytes()
    if suffix == ".parquet":
        table = pa.Table.from_pylist([json.loads(line) for line in data.splitlines()])
        pq.write_table(table, folder / "0.parquet", row_group_size=20)
    else:
        packed = gzip.compress(data) if suffix.endswith("gz") else zstandard.compress(data)
        (folder / f"0{suffix}").write_bytes(packed)
    ExactDeduplicationWorkflow(plain.parent, tmp_path / "plain-out").run(InlineExecutor())
    ExactDeduplicationWorkflow(folder, tmp_path / "out").run(InlineExecutor())
    expected = lines(tmp_path / "plain-out")
    written = (tmp_path / "out" / f"0{suffix}").read_bytes()
    if suffix.endswith("gz"):
        assert gzip.decompress(written) == b"".join(expected)
    elif suffix.endswith("zst"):
        assert zstandard.ZstdDecompressor().decompressobj().decompress(written) == b"".join(expected)
    else:
        kept = pq.read_table(tmp_path / "out" / "0.parquet").to_pylist()
        assert kept == [json.loads(line) for line in expected]


def test_jsonl_to_parquet_keeps_every_field(make_corpus: MakeCorpus, tmp_path: Path) -> None:
    folder = make_corpus(100, files=1)
    ExactDeduplicationWorkflow(folder, tmp_path / "jsonl").run(InlineExecutor())
    ExactDeduplicationWorkflow(folder, tmp_path / "out", format="parquet").run(InlineExecutor())
    rows = pq.read_table(tmp_path / "out" / "part0" / "0.parquet").to_pylist()
    assert [row["id"] for row in rows] == [json.loads(line)["id"] for line in lines(tmp_path / "jsonl")]
    assert rows[0]["extra"] == {"ü": [1, None]}


def test_annotate_writes_every_document_with_its_cluster(make_corpus: MakeCorpus, tmp_path: Path) -> None:
    folder = make_corpus(200)
    ExactDeduplicationWorkflow(folder, tmp_path / "removed").run(InlineExecutor())
    ExactDeduplicationWorkflow(folder, tmp_path / "out", annotate=True).run(InlineExecutor())
    annotated = lines(tmp_path / "out")
    given = lines(folder)
    assert len(annotated) == len(given)
    for old, new in zip(given, annotated, strict=True):
        assert new.startswith(old.rstrip(b"}\n"))  # every byte before the closing braces is as it was
        assert json.loads(new) | json.loads(old) == json.loads(new)
    kept = [line for line, new in zip(given, annotated, strict=True) if json.loads(new)["_gpucurate_is_kept"]]
    assert kept == lines(tmp_path / "removed")
    in_clusters = sum(json.loads(line)["_gpucurate_cluster"] is not None for line in annotated)
    assert in_clusters == len(clusters(tmp_path / "out"))


def test_only_clusters_are_written_without_removal(make_corpus: MakeCorpus, tmp_path: Path) -> None:
    ExactDeduplicationWorkflow(make_corpus(), tmp_path / "out", perform_removal=False).run(InlineExecutor())
    assert [p.name for p in (tmp_path / "out").iterdir()] == ["_gpucurate"]
    assert len(clusters(tmp_path / "out")) == 120


@pytest.mark.parametrize(("keep", "expected"), [("first", "bb"), ("longest", "bb  \n B"), ("shortest", "bb")])
def test_the_survivor_follows_the_policy(keep: str, expected: str, tmp_path: Path) -> None:
    texts = ["a", "bb b", "bb  \n B", "BB B"] if keep != "first" else ["a", "bb", "BB", " bb"]
    expected = {"first": "bb", "longest": "bb  \n B", "shortest": "bb b"}[keep]
    (tmp_path / "in.jsonl").write_text("".join(json.dumps({"text": text}) + "\n" for text in texts))
    workflow = ExactDeduplicationWorkflow(
        tmp_path / "in.jsonl", tmp_path / "out", normalize_text=True, keep=keep
    )
    workflow.run(InlineExecutor())
    assert [json.loads(line)["text"] for line in lines(tmp_path / "out")] == ["a", expected]


def test_rejected_rows_are_numbered_through_the_file_and_the_books_balance(
    make_corpus: MakeCorpus, tmp_path: Path
) -> None:
    path = make_corpus(300, files=1) / "part0" / "0.jsonl"
    good = path.read_bytes().splitlines(keepends=True)
    bad = {50: b"{not json\n", 120: b"\n", 250: b'{"text": 5}\n'}
    mixed = list(good)
    for at, line in bad.items():
        mixed.insert(at, line)
    path.write_bytes(b"".join(mixed))
    out = tmp_path / "out"
    workflow = ExactDeduplicationWorkflow(path, out, input_blocksize="40kB", max_reject_rate=0.1)
    workflow.run(LocalExecutor(2))
    books = report(out)["books"]
    assert books["rejected"] == {"bad_json": 1, "wrong_type": 1}
    assert (books["read"], books["blank"]) == (len(good) + 2, 1)
    rejects = b"".join(
        zstandard.ZstdDecompressor().decompressobj().decompress(p.read_bytes())
        for p in sorted((out / "_gpucurate" / "rejects").iterdir())
    )
    # Which worker is done first with its part is not known.
    found = sorted((json.loads(line) for line in rejects.splitlines()), key=lambda entry: entry["row"])
    assert [(entry["row"], entry["line"], entry["reason"]) for entry in found] == [
        (50, 51, "bad_json"),
        (250, 251, "wrong_type"),
    ]
    for entry in found:
        assert path.read_bytes()[entry["offset"] :].startswith(entry["snippet"].encode()[:5])
    ExactDeduplicationWorkflow(path.parent.parent, tmp_path / "x", max_reject_rate=0.1).run(InlineExecutor())
    path.write_bytes(b"".join(good))
    ExactDeduplicationWorkflow(path, tmp_path / "clean").run(InlineExecutor())
    assert lines(out) == lines(tmp_path / "clean")


def test_too_many_rejects_end_the_run_before_anything_is_written(tmp_path: Path) -> None:
    (tmp_path / "page.jsonl").write_text("<html>\n<body>error</body>\n</html>\n")
    with pytest.raises(TooManyRejectsError, match=r"3 of 3 documents were rejected \(bad_json 3\)"):
        ExactDeduplicationWorkflow(tmp_path / "page.jsonl", tmp_path / "out").run(InlineExecutor())
    assert [p.name for p in (tmp_path / "out").iterdir()] == ["_gpucurate"]
    assert report(tmp_path / "out")["books"]["rejected"] == {"bad_json": 3}


def test_a_finished_run_is_not_done_again_and_another_one_is_refused(
    make_corpus: MakeCorpus, tmp_path: Path
) -> None:
    folder = make_corpus()
    out = tmp_path / "out"
    first = ExactDeduplicationWorkflow(folder, out).run(InlineExecutor())
    before = {p: p.stat().st_mtime_ns for p in out.rglob("*.jsonl")}
    again = ExactDeduplicationWorkflow(folder, out).run(InlineExecutor())
    assert again.was_finished
    assert again.report.books == first.report.books
    assert {p: p.stat().st_mtime_ns for p in out.rglob("*.jsonl")} == before
    with pytest.raises(OutputInUseError, match='keep: "first" then, "longest" now'):
        ExactDeduplicationWorkflow(folder, out, keep="longest").run(InlineExecutor())
    with pytest.raises(OutputInUseError, match='kind: "dedup exact" then, "dedup fuzzy" now'):
        FuzzyDeduplicationWorkflow(folder, out).run(InlineExecutor())


@pytest.mark.parametrize("workflow", [ExactDeduplicationWorkflow, FuzzyDeduplicationWorkflow])
def test_an_output_that_is_gone_is_made_again(
    workflow: type[FuzzyDeduplicationWorkflow], make_corpus: MakeCorpus, tmp_path: Path
) -> None:
    folder, out = make_corpus(), tmp_path / "out"
    first = workflow(folder, out).run(InlineExecutor())
    before = digests(out)
    (out / "part0" / "0.jsonl").unlink()
    again = workflow(folder, out).run(InlineExecutor())
    assert not again.was_finished
    assert digests(out) == before
    assert again.report.books == first.report.books
    assert workflow(folder, out).run(InlineExecutor()).was_finished


def test_clusters_that_are_gone_are_made_again(make_corpus: MakeCorpus, tmp_path: Path) -> None:
    folder, out = make_corpus(), tmp_path / "out"
    options: dict[str, Any] = {"verify": "estimate", "threshold": 0.8}
    FuzzyDeduplicationWorkflow(folder, out, **options).run(InlineExecutor())
    for name in ("clusters", "edges"):
        before = digests(out)
        shutil.rmtree(out / "_gpucurate" / name)
        assert not FuzzyDeduplicationWorkflow(folder, out, **options).run(InlineExecutor()).was_finished
        assert (digests(out), (out / "_gpucurate" / name).is_dir()) == (before, True)
    assert FuzzyDeduplicationWorkflow(folder, out, **options).run(InlineExecutor()).was_finished


def test_input_that_changed_since_the_first_run_is_refused(make_corpus: MakeCorpus, tmp_path: Path) -> None:
    folder = make_corpus()
    ExactDeduplicationWorkflow(folder, tmp_path / "out").run(InlineExecutor())
    with (folder / "part0" / "0.jsonl").open("a") as file:
        file.write('{"text": "one more"}\n')
    with pytest.raises(OutputInUseError, match=r"part0/0\.jsonl"):
        ExactDeduplicationWorkflow(folder, tmp_path / "out").run(InlineExecutor())


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"keep": "best"}, "not a policy"),
        ({"use_64_bit_hash": True}, "no such option: use_64_bit_hash; there are against, annotate,"),
        ({"compression": "lz4"}, "not known: choose one of gzip, none, snappy, zstd"),
        ({"format": "csv"}, "not written: choose jsonl or parquet"),
        ({"format": "parquet", "compression": "gzip"}, "choose one of zstd, snappy, none"),
    ],
)
def test_impossible_options_are_refused_at_once(
    options: dict[str, str], message: str, tmp_path: Path
) -> None:
    with pytest.raises(ConfigurationError, match=message):
        ExactDeduplicationWorkflow(tmp_path, tmp_path / "out", **options)


def test_nothing_to_read_is_an_error_and_leaves_nothing(tmp_path: Path) -> None:
    with pytest.raises(InputError):
        ExactDeduplicationWorkflow(tmp_path / "nowhere", tmp_path / "out").run()
    assert not (tmp_path / "out").exists()


def test_a_broken_file_ends_the_run_if_told_so(make_corpus: MakeCorpus, tmp_path: Path) -> None:
    folder = make_corpus()
    packed = gzip.compress((folder / "part0" / "0.jsonl").read_bytes())
    (folder / "cut.jsonl.gz").write_bytes(packed[: len(packed) // 2])
    ExactDeduplicationWorkflow(folder, tmp_path / "skip").run(InlineExecutor())
    assert report(tmp_path / "skip")["books"]["rejected"] == {"corrupt_file": 1}
    with pytest.raises(InputError, match=r"cut\.jsonl\.gz"):
        ExactDeduplicationWorkflow(folder, tmp_path / "fail", on_corrupt="fail").run(InlineExecutor())


def test_the_state_of_a_run_can_lie_elsewhere(make_corpus: MakeCorpus, tmp_path: Path) -> None:
    ExactDeduplicationWorkflow(make_corpus(), tmp_path / "out", cache_path=tmp_path / "state").run(
        InlineExecutor()
    )
    assert (tmp_path / "state" / "_SUCCESS").exists()
    assert not (tmp_path / "out" / "_gpucurate").exists()
    assert lines(tmp_path / "out")


def test_state_that_lies_elsewhere_belongs_to_one_output(make_corpus: MakeCorpus, tmp_path: Path) -> None:
    folder, state = make_corpus(), tmp_path / "state"
    ExactDeduplicationWorkflow(folder, tmp_path / "out", cache_path=state).run(InlineExecutor())
    with pytest.raises(OutputInUseError, match=r'output: .*/out" then, .*/other" now'):
        ExactDeduplicationWorkflow(folder, tmp_path / "other", cache_path=state).run(InlineExecutor())


def test_bytes_of_lines_are_accounted_for(make_corpus: MakeCorpus, tmp_path: Path) -> None:
    path = make_corpus(200, files=1) / "part0" / "0.jsonl"
    path.write_bytes(b"not json\n" + path.read_bytes())
    out = tmp_path / "out"
    ExactDeduplicationWorkflow(path, out, max_reject_rate=0.1).run(InlineExecutor())
    found = report(out)
    assert found["counts"]["bytes of rejected lines"] == len(b"not json\n")
    assert found["output_bytes"] == sum(map(len, lines(out)))
    assert found["input_bytes"] == found["output_bytes"] + sum(found["counts"].values())


def test_the_state_may_lie_on_another_disk(make_corpus: MakeCorpus, tmp_path: Path) -> None:
    shared = Path("/dev/shm")
    if not shared.is_dir() or shared.stat().st_dev == tmp_path.stat().st_dev:
        pytest.skip("there is no second file system at /dev/shm")
    folder = make_corpus()
    ExactDeduplicationWorkflow(folder, tmp_path / "near").run(InlineExecutor())
    with tempfile.TemporaryDirectory(dir=shared) as state:
        ExactDeduplicationWorkflow(folder, tmp_path / "out", cache_path=state).run(InlineExecutor())
    assert lines(tmp_path / "out") == lines(tmp_path / "near")


@pytest.mark.parametrize("suffix", [".jsonl", ".parquet"])
def test_annotation_replaces_no_field_of_the_users(suffix: str, tmp_path: Path) -> None:
    rows = [{"text": "a"}, {"text": "b", "_gpucurate_cluster": 7}]
    for number, row in enumerate(rows):  # only the second file has the field
        if suffix == ".parquet":
            pq.write_table(pa.Table.from_pylist([row]), tmp_path / f"{number}.parquet")
        else:
            (tmp_path / f"{number}.jsonl").write_text(json.dumps(row) + "\n")
    inputs = [tmp_path / f"{number}{suffix}" for number in range(2)]
    with pytest.raises(ConfigurationError, match="'_gpucurate_cluster' already"):
        ExactDeduplicationWorkflow(inputs, tmp_path / "out", annotate=True).run(InlineExecutor())
