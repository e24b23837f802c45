"""Removal by lists of ids, and the lists that NeMo Curator reads."""

from __future__ import annotations

import gzip
import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from gpucurate.backends.executors import Executor, InlineExecutor, LocalExecutor
from gpucurate.spec.errors import ConfigurationError, InputError, OutputInUseError
from gpucurate.stages.deduplication.id_generator import IdGeneratorBase
from gpucurate.stages.text.deduplication.removal_workflow import TextDuplicatesRemovalWorkflow
from gpucurate.workflows.apply import ApplyWorkflow
from gpucurate.workflows.exact import ExactDeduplicationWorkflow
from gpucurate.workflows.fuzzy import FuzzyDeduplicationWorkflow
from tests.workflows.tree import digests, lines, report

MakeCorpus = Callable[..., Path]


def ids_file(path: Path, values: list[Any], name: str = "id") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    pq.write_table(pa.table({name: values}), path)
    return path.parent


def remaining(out: Path) -> list[Any]:
    return [json.loads(line)["id"] for line in lines(out)]


def write(path: Path, ids: list[Any]) -> Path:
    path.write_text("".join(json.dumps({"id": id_, "text": f"t {n}"}) + "\n" for n, id_ in enumerate(ids)))
    return path


@pytest.mark.parametrize("listed", [[3, 5], ["3", "5"], [3.0, 5.0], [5, 3, 3, None]])
@pytest.mark.parametrize("of", [int, str])
def test_documents_whose_id_is_listed_are_removed(listed: list[Any], of: type, tmp_path: Path) -> None:
    source = write(tmp_path / "in.jsonl", [of(n) for n in range(8)])
    listed = [value for value in listed if value is not None]
    ids = ids_file(tmp_path / "ids" / "part.0.parquet", listed)
    TextDuplicatesRemovalWorkflow(source, ids, tmp_path / "out", id_field="id").run(InlineExecutor())
    assert remaining(tmp_path / "out") == [of(n) for n in (0, 1, 2, 4, 6, 7)]
    kept = [line for n, line in enumerate(source.read_bytes().splitlines(keepends=True)) if n not in (3, 5)]
    assert lines(tmp_path / "out") == kept
    assert report(tmp_path / "out")["books"]["dropped"] == {"duplicates": 2}


def test_lists_may_be_json_lines_and_ids_may_lie_deeper(tmp_path: Path) -> None:
    rows = [{"meta": {"id": f"d{n}"}, "id": n, "text": "t"} for n in range(4)]
    (tmp_path / "in.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    (tmp_path / "ids.jsonl").write_text('{"doc": "d1"}\n{"doc": "d2"}\n')
    workflow = TextDuplicatesRemovalWorkflow(
        tmp_path / "in.jsonl", tmp_path / "ids.jsonl", tmp_path / "out", id_field="meta.id"
    )
    workflow.run(InlineExecutor())
    assert remaining(tmp_path / "out") == [0, 3]


def test_what_was_not_found_and_what_has_no_id_is_told(tmp_path: Path) -> None:
    source = write(tmp_path / "in.jsonl", [1, None, 2, 3])
    ids = ids_file(tmp_path / "ids" / "x.parquet", [2, 77, 78])
    result = TextDuplicatesRemovalWorkflow(source, ids, tmp_path / "out", id_field="id").run(InlineExecutor())
    assert remaining(tmp_path / "out") == [1, None, 3]
    assert result.report.warnings == [
        "2 of 3 ids to remove belong to no document of the input",
        "1 documents have no 'id' and stay",
    ]


def test_output_does_not_depend_on_workers_and_can_be_made_again(
    make_corpus: MakeCorpus, tmp_path: Path
) -> None:
    folder = make_corpus(600, files=4)
    everything = [json.loads(line)["id"] for line in lines(folder)]
    ids = ids_file(tmp_path / "ids" / "x.parquet", everything[::3])
    executors: dict[str, Executor] = {"inline": InlineExecutor(), "local": LocalExecutor(3)}
    for name, executor in executors.items():
        workflow = TextDuplicatesRemovalWorkflow(
            folder, ids, tmp_path / name, id_field="id", input_blocksize="40kB"
        )
        result = workflow.run(executor)
        assert result.report.books.balance == 0
    assert digests(tmp_path / "inline") == digests(tmp_path / "local")
    assert remaining(tmp_path / "local") == [one for n, one in enumerate(everything) if n % 3]

    def again(source: Path = ids) -> bool:
        workflow = TextDuplicatesRemovalWorkflow(
            folder, source, tmp_path / "inline", id_field="id", input_blocksize="40kB"
        )
        return workflow.run(InlineExecutor()).was_finished

    assert again()
    next((tmp_path / "inline" / "part0").iterdir()).unlink()
    assert not again()
    assert digests(tmp_path / "inline") == digests(tmp_path / "local")
    with pytest.raises(OutputInUseError, match=r"ids: \"\w+\" then, \"\w+\" now"):
        again(ids_file(tmp_path / "more" / "x.parquet", everything[::2]))


@pytest.mark.parametrize("ids", [pa.array([], pa.int64()), pa.array([[1], [2]])])
def test_an_empty_list_removes_nothing_and_is_told_of(ids: pa.Array, tmp_path: Path) -> None:
    source = write(tmp_path / "in.jsonl", [1, 2])
    pq.write_table(pa.table({"id": ids}), tmp_path / "ids.parquet")
    workflow = TextDuplicatesRemovalWorkflow(
        source, tmp_path / "ids.parquet", tmp_path / "out", id_field="id"
    )
    assert "ids.parquet holds no ids: nothing was removed" in workflow.run().report.warnings[0]
    assert remaining(tmp_path / "out") == [1, 2]


def test_formats_and_rejects_are_as_everywhere(tmp_path: Path) -> None:
    source = write(tmp_path / "in.jsonl", list(range(200)))
    source.write_bytes(source.read_bytes() + b"not json\n\n")
    ids = ids_file(tmp_path / "ids" / "x.parquet", [0, 199])
    workflow = TextDuplicatesRemovalWorkflow(
        source, ids, tmp_path / "out", id_field="id", output_filetype="parquet", compression="snappy"
    )
    books = workflow.run(InlineExecutor()).report.books
    assert (books.read, books.kept, books.total_rejected, books.blank) == (201, 198, 1, 1)
    table = pq.read_table(tmp_path / "out" / "in.parquet")
    assert table.column("id").to_pylist() == list(range(1, 199))


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({}, "no column '_curator_dedup_id' in the first documents of in.jsonl"),
        ({"id_field": "key"}, "no column 'key' in the first documents"),
        ({"id_field": "id", "duplicate_id_field": "x"}, "no column 'x' in x.parquet"),
        ({"id_field": "id", "compression": "lz4"}, "compression 'lz4' is not known"),
    ],
)
def test_what_is_not_there_is_refused_before_anything_is_written(
    options: dict[str, str], sentence: str, tmp_path: Path
) -> None:
    source = write(tmp_path / "in.jsonl", [1])
    ids = ids_file(tmp_path / "ids" / "x.parquet", [1])
    with pytest.raises(ConfigurationError, match=sentence):
        TextDuplicatesRemovalWorkflow(source, ids, tmp_path / "out", **options).run(InlineExecutor())
    assert not (tmp_path / "out").exists()


def test_the_output_may_not_lie_in_the_list(tmp_path: Path) -> None:
    source = write(tmp_path / "in.jsonl", [1])
    ids = ids_file(tmp_path / "ids" / "x.parquet", [1])
    with pytest.raises(ConfigurationError, match="lies in the input"):
        TextDuplicatesRemovalWorkflow(source, ids, ids / "out", id_field="id").run(InlineExecutor())


# Ids by an id generator.


def as_nemo_would(folder: Path, ids: Path, generator: Path, groups: list[list[str]]) -> list[str]:
    """The ids of the documents that stay, read and numbered as NeMo Curator's removal does."""
    of = IdGeneratorBase.from_disk(str(generator))
    stay = []
    for group in groups:
        paths = [str(folder / name) for name in group]
        rows = pd.concat([pd.read_json(path, lines=True, dtype=False) for path in paths], ignore_index=True)
        first, last = of.get_batch_range(paths, None)
        rows["_curator_dedup_id"] = np.arange(first, last + 1)
        removed = pd.read_parquet(
            ids,
            filters=[("_curator_dedup_id", ">=", first), ("_curator_dedup_id", "<=", last)],
            columns=["_curator_dedup_id"],
        )
        stay += rows[~rows["_curator_dedup_id"].isin(removed["_curator_dedup_id"])]["id"].tolist()
    return stay


@pytest.mark.parametrize(
    ("workflow", "sort"), [(ExactDeduplicationWorkflow, "exact"), (FuzzyDeduplicationWorkflow, "fuzzy")]
)
def test_nemo_curators_removal_keeps_what_ours_keeps(
    workflow: type[FuzzyDeduplicationWorkflow], sort: str, make_corpus: MakeCorpus, tmp_path: Path
) -> None:
    folder = make_corpus(300)
    workflow(folder, tmp_path / "direct", keep="longest").run(InlineExecutor())
    for name, executor in (("ids", InlineExecutor()), ("ids3", LocalExecutor(3))):
        found = workflow(
            folder,
            tmp_path / name,
            keep="longest",
            input_blocksize="30kB",
            perform_removal=False,
            nemo_ids=True,
        )
        result = found.run(executor)
        assert result.report.output_files == 2
    ids = tmp_path / "ids" / f"{sort.capitalize()}DuplicateIds"
    generator = tmp_path / "ids" / f"{sort}_id_generator.json"
    assert generator.read_bytes() == (tmp_path / "ids3" / generator.name).read_bytes()
    assert pq.read_table(ids).equals(pq.read_table(tmp_path / "ids3" / ids.name))
    files = [["part0/0.jsonl"], ["part0/2.jsonl"], ["part1/1.jsonl"]]
    assert as_nemo_would(folder, ids, generator, files) == remaining(tmp_path / "direct")
    for name, executor in (("own", InlineExecutor()), ("own3", LocalExecutor(3))):
        TextDuplicatesRemovalWorkflow(folder, ids, tmp_path / name, id_generator_path=generator).run(executor)
        assert lines(tmp_path / name) == lines(tmp_path / "direct")


def test_ids_of_batches_of_several_files_are_counted_through_them(
    make_corpus: MakeCorpus, tmp_path: Path
) -> None:
    folder = make_corpus(200, files=3)
    packed = folder / "part1" / "1.jsonl.gz"
    packed.write_bytes(gzip.compress((folder / "part1" / "1.jsonl").read_bytes()))
    (folder / "part1" / "1.jsonl").unlink()
    of, groups = IdGeneratorBase(), [["part1/1.jsonl.gz"], ["part0/0.jsonl", "part0/2.jsonl"]]
    rows: dict[int, str] = {}
    for group in groups:
        texts = [(folder / name).read_bytes() for name in group]
        texts = [
            gzip.decompress(data) if name.endswith("gz") else data
            for name, data in zip(group, texts, strict=True)
        ]
        found = [json.loads(line)["id"] for data in texts for line in data.splitlines()]
        first = of.register_batch([str(folder / name) for name in group], len(found))
        rows |= {first + n: one for n, one in enumerate(found)}
    of.to_disk(str(tmp_path / "ids.json"))
    listed = list(rows)[::4]
    ids = ids_file(tmp_path / "ids" / "x.parquet", listed, "_curator_dedup_id")
    TextDuplicatesRemovalWorkflow(folder, ids, tmp_path / "out", id_generator_path=tmp_path / "ids.json").run(
        InlineExecutor()
    )
    kept = set(remaining(tmp_path / "out"))
    kept |= {
        json.loads(line)["id"]
        for line in gzip.decompress((tmp_path / "out" / "part1" / "1.jsonl.gz").read_bytes()).splitlines()
    }
    assert kept == {one for id_, one in rows.items() if id_ not in set(listed)}


def test_files_that_have_other_rows_than_the_generator_end_the_run(
    make_corpus: MakeCorpus, tmp_path: Path
) -> None:
    folder = make_corpus(100, files=1)
    of = IdGeneratorBase()
    of.register_batch(str(folder / "part0" / "0.jsonl"), 7)
    of.to_disk(str(tmp_path / "ids.json"))
    ids = ids_file(tmp_path / "ids" / "x.parquet", [3])
    with pytest.raises(InputError, match=r"0\.jsonl: 120 rows are there, and the id generator gave ids to 7"):
        TextDuplicatesRemovalWorkflow(
            folder, ids, tmp_path / "out", id_generator_path=tmp_path / "ids.json"
        ).run(InlineExecutor())
    (folder / "part0" / "other.jsonl").write_text('{"text": "x"}\n')
    with pytest.raises(InputError, match=r"knows no batch of files that begins with .*other\.jsonl"):
        TextDuplicatesRemovalWorkflow(
            folder, ids, tmp_path / "out2", id_generator_path=tmp_path / "ids.json"
        ).run()


def test_blank_lines_make_ids_that_nemo_curator_would_not_give(tmp_path: Path) -> None:
    (tmp_path / "in.jsonl").write_text('{"text": "a"}\n\n{"text": "a"}\n')
    with pytest.raises(InputError, match="1 blank lines, which NeMo Curator passes over"):
        ExactDeduplicationWorkflow(
            tmp_path / "in.jsonl", tmp_path / "out", perform_removal=False, nemo_ids=True
        ).run(InlineExecutor())


def test_ids_are_not_written_among_documents(tmp_path: Path) -> None:
    for options in ({}, {"perform_removal": False, "annotate": True}):
        with pytest.raises(ConfigurationError, match="without documents beside them"):
            ExactDeduplicationWorkflow(tmp_path, tmp_path / "out", nemo_ids=True, **options)


def test_ids_of_a_sample_are_refused(make_corpus: MakeCorpus, tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="would keep whatever was not sampled"):
        ExactDeduplicationWorkflow(
            tmp_path, tmp_path / "out", sample="50%", nemo_ids=True, perform_removal=False
        )
    ExactDeduplicationWorkflow(make_corpus(), tmp_path / "run", sample="50%").run(InlineExecutor())
    with pytest.raises(ConfigurationError, match="would keep whatever was not sampled"):
        ApplyWorkflow(tmp_path / "run", tmp_path / "out", nemo_ids=True, perform_removal=False)


def test_ids_of_another_policy_come_from_the_clusters_of_a_run(
    make_corpus: MakeCorpus, tmp_path: Path
) -> None:
    folder = make_corpus(200)
    FuzzyDeduplicationWorkflow(folder, tmp_path / "run").run(InlineExecutor())
    FuzzyDeduplicationWorkflow(folder, tmp_path / "direct", keep="shortest").run(InlineExecutor())
    ApplyWorkflow(tmp_path / "run", tmp_path / "a", keep="shortest").run(InlineExecutor())
    ApplyWorkflow(
        tmp_path / "a", tmp_path / "ids", keep="shortest", perform_removal=False, nemo_ids=True
    ).run(InlineExecutor())
    TextDuplicatesRemovalWorkflow(
        folder,
        tmp_path / "ids" / "FuzzyDuplicateIds",
        tmp_path / "out",
        id_generator_path=tmp_path / "ids" / "fuzzy_id_generator.json",
    ).run(InlineExecutor())
    assert lines(tmp_path / "out") == lines(tmp_path / "direct")


def test_ids_that_are_gone_are_written_again(make_corpus: MakeCorpus, tmp_path: Path) -> None:
    folder = make_corpus(100)

    def run() -> bool:
        workflow = ExactDeduplicationWorkflow(folder, tmp_path / "out", perform_removal=False, nemo_ids=True)
        return workflow.run(InlineExecutor()).was_finished

    assert not run()
    assert run()
    (tmp_path / "out" / "exact_id_generator.json").unlink()
    assert not run()
    assert (tmp_path / "out" / "exact_id_generator.json").exists()


def test_folders_of_ids_are_synced_before_the_run_is_called_finished(
    make_corpus: MakeCorpus, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    synced: list[str] = []
    fsync = os.fsync

    def told(descriptor: int) -> None:
        synced.append(os.readlink(f"/proc/self/fd/{descriptor}"))
        fsync(descriptor)

    monkeypatch.setattr(os, "fsync", told)
    out = tmp_path / "out"
    ExactDeduplicationWorkflow(make_corpus(50), out, perform_removal=False, nemo_ids=True).run(
        InlineExecutor()
    )
    last = next(n for n, name in enumerate(synced) if "_SUCCESS" in name)
    assert {str(out), str(out / "ExactDuplicateIds")} <= set(synced[:last])
    assert any("exact_id_generator.json" in name for name in synced[:last])


def test_a_missing_list_is_told_before_a_missing_field(tmp_path: Path) -> None:
    source = write(tmp_path / "in.jsonl", [1])
    with pytest.raises(InputError, match="nowhere"):
        TextDuplicatesRemovalWorkflow(source, tmp_path / "nowhere", tmp_path / "out").run(InlineExecutor())
